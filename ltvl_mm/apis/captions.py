"""Captioned images in tars to an index that trainings read."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path, PurePath

from ltvl_mm.retrieval.reading.shard_changes import describe_shard
from ltvl_mm.retrieval.reading.shards import Shard, find_shards, iterate_shard
from ltvl_mm.structures.caption_index import (
    CaptionPart,
    read_caption_part,
    write_caption_index,
    write_caption_part,
)
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.progress import progress_bar


@locks_output('out')
def index_captions(
    images: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    root: str | Path | None = None,
    workers: int = 2,
    shard_size: int = 10_000,
) -> list[CaptionPart]:
    """Find the images that have a caption; resumes when killed.

    Nothing is decoded or copied: ``ltvl_mm.CaptionedImages`` reads an image
    from its tar when training needs it. Shards that have not changed since
    an earlier call are not read again.

    Args:
        images: Tars as img2dataset writes them (paths, globs,
            ``{00000..00099}``), folders of tars or of images with captions
            beside them (``a.jpg``, ``a.txt``), or ``.txt`` lists of images.
        out: Folder of the index.
        root: Folder of the paths in lists; None for a list's own.
        workers: Processes that read; 0 reads in this one. Default 2.
        shard_size: Image files per shard of folders and lists.

    Returns:
        A record of each shard, in the order of their names.

    Raises:
        ValueError: If an input does not exist or is a parquet file, or no
            image has a caption.
    """
    if workers < 0 or shard_size < 1:
        raise ValueError(
            f'workers must be >= 0 and shard_size >= 1, got {workers} and '
            f'{shard_size}'
        )
    inputs = [images] if isinstance(images, (str, PurePath)) else images
    shards = find_shards(
        [str(one) for one in inputs], root=root, files_per_shard=shard_size
    )
    for shard in shards:
        if shard.tar is not None and shard.tar.suffix.lower() == '.parquet':
            raise ValueError(
                f'{shard.tar} is a parquet file, from which single images '
                f'are slow to read; have img2dataset write '
                f'output_format=webdataset (tars) or files'
            )
    folder = Path(out)
    todo = [shard for shard in shards if not _is_current(folder, shard)]
    with progress_bar(
        total=len(shards),
        title='index captions',
        unit='shard',
        done=len(shards) - len(todo),
    ) as bar:
        for _ in _run(partial(_index_shard, folder), todo, workers):
            bar.update()
    parts = [_read_part(folder, shard.name) for shard in shards]
    if not any(part.images for part in parts):
        raise ValueError(
            f'none of the {sum(part.without_caption for part in parts)} '
            f'images in {", ".join(map(str, inputs))} has a caption; the '
            f'caption of a.jpg is expected in a.txt, or as "caption" in '
            f'a.json, beside it or in the same tar'
        )
    write_caption_index(folder, [shard.name for shard in shards])
    return parts


def _read_part(folder: Path, name: str) -> CaptionPart:
    part = read_caption_part(folder, name)
    if part is None:
        raise ValueError(
            f'the index of {name} in {folder} has disappeared while the '
            f'others were written; run again'
        )
    return part


def _is_current(folder: Path, shard: Shard) -> bool:
    part = read_caption_part(folder, shard.name)
    return part is not None and part.state == describe_shard(shard)


def _index_shard(folder: Path, shard: Shard) -> None:
    state = describe_shard(shard)  # before: a later change is found
    names = ('key', 'caption', 'source', 'offset', 'size')
    rows: dict[str, list] = {name: [] for name in names}
    without, bad = 0, []
    for image in iterate_shard(shard):
        if image.data is None:
            bad.append((image.key, str(image.reason)))
        elif not image.caption.strip():
            without += 1
        else:
            values = (
                image.key,
                image.caption,
                image.source,
                image.offset,
                len(image.data),
            )
            for name, value in zip(names, values, strict=True):
                rows[name].append(value)
    part = CaptionPart(state, len(rows['key']), without, bad)
    write_caption_part(folder, shard.name, rows, part)


def _run(function: partial, shards: Sequence[Shard], workers: int) -> Iterator:
    """Yield as shards are done, in this process or in several."""
    if workers == 0 or len(shards) < 2:
        yield from map(function, shards)
        return
    with ProcessPoolExecutor(min(workers, len(shards))) as pool:
        jobs = [pool.submit(function, shard) for shard in shards]
        try:
            for job in as_completed(jobs):
                yield job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
