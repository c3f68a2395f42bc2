"""Place downloaded images at the paths of a retrieved folder's manifest."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from ltvl_mm.retrieval.options import MAX_BITS
from ltvl_mm.retrieval.reading.download_list import (
    FULL_MANIFEST,
    MANIFEST,
    WantedImages,
    find_full_manifest,
    load_wanted,
)
from ltvl_mm.retrieval.reading.download_matching import DownloadMatcher
from ltvl_mm.retrieval.reading.downloads import count_downloads
from ltvl_mm.retrieval.reading.missing_images import (
    MISSING_REPORT,
    RETRIEVAL_REPORT,
    PlacingLog,
    add_placed_counts,
    make_missing_report,
    read_retrieval_report,
)
from ltvl_mm.retrieval.reading.shards import Shard, find_shards, iterate_shard
from ltvl_mm.retrieval.reading.web_image import WebImage
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import save_manifest
from ltvl_mm.utils.image_conversion import convert_for_training
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.io import atomic_write, write_json
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.perceptual_hash import compute_phash
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.temporaries import remove_temporaries


@locks_output('out', 'retrieved')
def place_downloads(
    retrieved: str | Path,
    downloads: Sequence[str],
    *,
    out: str | Path | None = None,
    max_bits: int = MAX_BITS,
    verified_only: bool = False,
    own_files: bool = False,
) -> dict:
    """Write downloaded images to ``images/``, and a manifest of these.

    A download belongs to the rows of its URL, to the row whose key is the
    absolute path of its file, or, if it has no URL, to the row of its key.
    Rows without an image are left out of ``manifest.parquet``, with ranks
    counted anew. All rows are kept in ``manifest_full.parquet``, from which
    each call starts, so that the same call with more downloads adds images.
    ``missing.json`` lists what is missing, and ``report.json`` gets the
    counts ``placed`` and ``not_placed``. Images are converted by
    :func:`~ltvl_mm.utils.image_conversion.convert_for_training`.

    Args:
        retrieved: Folder written by ``tools/retrieve.py --copy none``.
        downloads: Inputs as those of
            :func:`~ltvl_mm.retrieval.reading.shards.find_shards`:
            img2dataset's tars, parquet files or folders.
        out: Output folder; None for ``retrieved``.
        max_bits: Maximum number of bits, in [0, 64], in which the perceptual
            hash of a download differs from the embedded image's. A download
            above it is another image. Default 10.
        verified_only: True to leave out downloads that cannot be compared
            because the store has no perceptual hash and other bytes. Default
            False: they are counted.
        own_files: True if ``downloads`` hold the files that were embedded, so
            that a key of the store is a path in them. Downloads that have a
            URL are numbered anew and are not matched by key otherwise.

    Returns:
        The content of ``missing.json``.

    Raises:
        ValueError: If an input is missing or broken, ``out`` holds images of
            another manifest, or no image can be placed.
    """
    if not 0 <= max_bits <= 64:
        raise ValueError(f'max_bits must be in [0, 64], got {max_bits}')
    retrieved = Path(retrieved)
    out = retrieved if out is None else Path(out)
    wanted = load_wanted(retrieved)
    retrieval = read_retrieval_report(
        retrieved, len(wanted.manifest.class_names)
    )
    shards = find_shards(downloads)
    _keep_full_manifest(find_full_manifest(retrieved), out / FULL_MANIFEST)
    matcher = DownloadMatcher(wanted, own_files=own_files)
    placer = _Placer(wanted, out, max_bits, verified_only, matcher)
    placer.place(shards)
    report = make_missing_report(
        wanted, placer.files, placer.log, count_downloads(shards)
    )
    write_json(out / MISSING_REPORT, report)
    if not placer.files and len(wanted):
        raise ValueError(
            f'none of the {placer.log.images} images in '
            f'{", ".join(map(str, downloads))} is one of the {len(wanted)} '
            f'that were retrieved; {out / MISSING_REPORT} lists the reasons. '
            f'{out / MANIFEST} was not changed'
        )
    if retrieval is not None:  # the folder may hold only the manifest
        counts = add_placed_counts(retrieval, report)
        write_json(out / RETRIEVAL_REPORT, counts)
    save_manifest(out / MANIFEST, keep_rows(wanted.manifest, placer.files))
    return report


def keep_rows(manifest: Manifest, files: dict[int, str]) -> Manifest:
    """Return a manifest of some rows, with ranks 0, 1, 2, ... per class.

    Args:
        manifest: M rows.
        files: New file name of each row that is kept, by its index.
    """
    rows = np.array(sorted(files), np.int64)
    class_id = manifest.class_id[rows]
    counts = np.bincount(class_id, minlength=len(manifest.class_names))
    ranks = [np.arange(count) for count in counts]
    return replace(
        manifest,
        class_id=class_id,
        rank=np.concatenate(ranks).astype(np.int32),
        score=manifest.score[rows],
        cosine=manifest.cosine[rows],
        key=[manifest.key[row] for row in rows],
        file=[files[row] for row in rows],
        caption=[manifest.caption[row] for row in rows],
        source=manifest.source
        | {
            'counts': counts.tolist(),
            'counts_before_download': manifest.count_classes().tolist(),
        },
    )


class _Placer:
    """Writes downloads to the paths of their rows.

    Attributes:
        files: File name of each row that has an image, by its index.
        log: Counts, and the reasons why downloads were refused.
    """

    def __init__(
        self,
        wanted: WantedImages,
        out: Path,
        max_bits: int,
        verified_only: bool,
        matcher: DownloadMatcher,
    ) -> None:
        self.wanted = wanted
        self.out = out
        self.max_bits = max_bits
        self.verified_only = verified_only
        self.log = PlacingLog()
        self.files = dict(self._find_placed())
        self.log.placed_before = len(self.files)
        self.matcher = matcher

    def place(self, shards: Sequence[Shard]) -> None:
        """Read all downloads and write those that are wanted."""
        with progress_bar(
            total=len(shards), title='place downloads', unit='shard'
        ) as bar:
            for shard in shards:
                own = self.matcher.skip_foreign_files(shard)
                skipped = len(shard.files) - len(own.files)
                self.log.images += skipped
                self.log.foreign += skipped
                for image in iterate_shard(own):
                    self._place_image(image)
                bar.update()

    def _find_placed(self) -> Iterator[tuple[int, str]]:
        """Yield rows whose image an earlier call has written."""
        folders = {}
        for row, name in enumerate(self.wanted.manifest.file):
            folder = self.out / PurePosixPath(name).parent
            if folder not in folders:
                remove_temporaries(folder)
                folders[folder] = (
                    set(os.listdir(folder)) if folder.is_dir() else set()
                )
            path = PurePosixPath(name)
            # A converted image has another suffix. Files appear whole, since
            # they are written atomically.
            for candidate in (path, *map(path.with_suffix, ('.jpg', '.png'))):
                if candidate.name in folders[folder]:
                    yield row, str(candidate)
                    break

    def _place_image(self, image: WebImage) -> None:
        self.log.images += 1
        if image.data is None:
            self.log.unreadable.append(f'{image.key}: {image.reason}')
            return
        rows = self.matcher.find_rows(image)
        if not rows:
            self.log.foreign += 1
        for row in rows:
            if row in self.files:
                continue
            try:
                evidence = self._verify(image.data, row)
                data, suffix = convert_for_training(image.data)
            except ValueError as error:
                self.log.refused.setdefault(row, f'{image.key}: {error}')
                continue
            path = PurePosixPath(self.wanted.manifest.file[row])
            name = str(path if suffix is None else path.with_suffix(suffix))
            with atomic_write(self.out / name) as file:
                file.write(data)
            self.files[row] = name
            self.log.evidence[evidence] += 1

    def _verify(self, data: bytes, row: int) -> str:
        """Return what shows that a download is the image of a row.

        Raises:
            ValueError: If it is another image, cannot be decoded, or cannot
                be compared although this is required.
        """
        sha256, phash = self.wanted.sha256[row], self.wanted.phash[row]
        if sha256 and hashlib.sha256(data).hexdigest() == sha256:
            return 'same bytes'
        image = decode_image(data)
        if phash is not None:
            own = compute_phash(image, self.wanted.hash_recipe[row])
            bits = (own ^ phash).bit_count()
            if bits > self.max_bits:
                raise ValueError(
                    f'another image: its perceptual hash differs in {bits} of '
                    f'64 bits, and at most {self.max_bits} are allowed'
                )
            return 'perceptual hash'
        if self.verified_only:
            raise ValueError('not verified: the store has no perceptual hash')
        return 'not verified'


def _keep_full_manifest(full: Path, kept: Path) -> None:
    """Copy the manifest with all rows, unless it was kept before."""
    content = full.read_bytes()
    if not kept.exists():
        with atomic_write(kept) as file:
            file.write(content)
    elif kept.read_bytes() != content:
        raise ValueError(
            f'{kept} is another manifest than {full}; choose another output '
            f'folder'
        )
