"""Images that are listed twice: in two splits, or with two labels.

Two entries are the same image if their paths are equal once they are
normalized (``a/../b``), if they lead to the same file (symbolic and hard
links), or, on request, if their files hold the same bytes.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ltvl_mm.structures.image_list import ImageList
from ltvl_mm.utils.io import hash_file
from ltvl_mm.utils.progress import progress_bar

_SHOWN = 5


@dataclass(frozen=True)
class Repeat:
    """An image that is listed a second time.

    Args:
        first: (split, row) of the first entry.
        second: (split, row) of the later entry.
        reason: Kind of equality: ``'path'``, ``'file'`` or ``'content'``.
    """

    first: tuple[str, int]
    second: tuple[str, int]
    reason: str


@dataclass
class SplitReport:
    """Problems of lists, one sentence each.

    Args:
        conflicts: Images with two labels.
        leaks: Images in two splits.
        repeats: Images that one split lists twice with one label; this does
            no harm to a comparison, but is counted.
        missing: Images whose file does not exist, so that only their paths
            were compared; paths as listed.
    """

    conflicts: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    repeats: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def describe_missing(self, root: str | Path | None) -> str:
        """Return a sentence about missing files; '' if all exist."""
        if not self.missing:
            return ''
        return (
            f'{len(self.missing):,} images do not exist below {root}, so only '
            f'their paths were compared: {show(self.missing)}'
        )

    def raise_if_wrong(self) -> None:
        """Raise ValueError if there are conflicts or leaks; show some."""
        for faults, kind in (
            (self.conflicts, 'images have two labels'),
            (self.leaks, 'images are in two splits'),
        ):
            if faults:
                raise ValueError(f'{len(faults):,} {kind}: {show(faults)}')


def show(sentences: Sequence[str]) -> str:
    """Return the first sentences, and how many more there are."""
    more = len(sentences) - _SHOWN
    text = '; '.join(sentences[:_SHOWN])
    return f'{text}; and {more:,} more' if more > 0 else text


def compare_splits(
    splits: Mapping[str, ImageList],
    roots: Mapping[str, str | Path | None],
    *,
    check_content: bool = False,
) -> SplitReport:
    """Find images that several entries of some lists share.

    Args:
        splits: Split -> images.
        roots: Split -> folder of its images; None to compare paths alone.
        check_content: Also compare the bytes of files of equal size.
    """
    found, missing = find_repeats(splits, roots, check_content=check_content)
    return _describe(splits, found, missing)


def check_unique_paths(images: ImageList) -> None:
    """Raise ValueError if a path is listed twice, once it is normalized."""
    repeats, _ = find_repeats({'': images}, {'': None})
    if repeats:
        (_, first), (_, second) = repeats[0].first, repeats[0].second
        raise ValueError(
            f'{images.describe(first)} and {images.describe(second)} are the '
            f'same image; list it once (see merge_repeats)'
        )


def merge_repeats(
    images: ImageList, root: str | Path | None, *, check_content: bool = False
) -> tuple[ImageList, SplitReport]:
    """Return each image once, and what was listed twice.

    Args:
        images: N images.
        root: Folder of the images; None to compare paths alone.
        check_content: Also compare the bytes of files of equal size.

    Raises:
        ValueError: If an image has two labels; names both lines.
    """
    splits = {'': images}
    found, missing = find_repeats(
        splits, {'': root}, check_content=check_content
    )
    report = _describe(splits, found, missing)
    report.raise_if_wrong()
    dropped = {repeat.second[1] for repeat in found}
    kept = [row for row in range(len(images)) if row not in dropped]
    merged = ImageList(
        tuple(images.paths[row] for row in kept),
        images.labels[kept],
        images.file,
        images.lines and tuple(images.lines[row] for row in kept),
    )
    return merged, report


def find_repeats(
    splits: Mapping[str, ImageList],
    roots: Mapping[str, str | Path | None],
    *,
    check_content: bool = False,
) -> tuple[list[Repeat], list[tuple[str, int]]]:
    """Return entries that repeat an earlier one, and those without file.

    Args:
        splits: Split -> images.
        roots: Split -> folder of its images; None to compare paths alone.
        check_content: Also compare the bytes of files of equal size.
    """
    entries = [
        (split, row, _locate(path, roots[split]))
        for split, images in splits.items()
        for row, path in enumerate(images.paths)
    ]
    stats = list(_stat_files([file for _, _, file in entries], roots))
    sizes = Counter(
        stat.st_size
        # Links to one file are found without reading it.
        for stat in {(s.st_dev, s.st_ino): s for s in stats if s}.values()
    )
    seen: dict[tuple, tuple[str, int]] = {}
    repeats = []
    for (split, row, file), stat in zip(entries, stats, strict=True):
        keys: list[tuple] = [('path', file)]
        if stat is not None:
            keys.append(('file', stat.st_dev, stat.st_ino))
            if check_content and sizes[stat.st_size] > 1:
                keys.append(('content', hash_file(file)))
        known = next((key for key in keys if key in seen), None)
        if known is not None:
            repeats.append(Repeat(seen[known], (split, row), known[0]))
        for key in keys:
            seen.setdefault(key, (split, row))
    missing = [
        (split, row)
        for (split, row, _), stat in zip(entries, stats, strict=True)
        if stat is None and any(roots.values())
    ]
    return repeats, missing


def _describe(
    splits: Mapping[str, ImageList],
    repeats: Sequence[Repeat],
    missing: Sequence[tuple[str, int]],
) -> SplitReport:
    report = SplitReport(
        missing=[splits[split].paths[row] for split, row in missing]
    )
    for repeat in repeats:
        (split, row), (other, other_row) = repeat.first, repeat.second
        one, two = splits[split], splits[other]
        text = (
            f'{one.describe(row)} (label {one.labels[row]}) and '
            f'{two.describe(other_row)} (label {two.labels[other_row]}) are '
            f'the same {repeat.reason}'
        )
        if one.labels[row] != two.labels[other_row]:
            report.conflicts.append(text)
        elif split == other:
            report.repeats.append(text)
        if split != other:
            report.leaks.append(text)
    return report


def _locate(path: str, root: str | Path | None) -> str:
    return os.path.normpath(
        path if root is None else os.path.join(os.path.abspath(root), path)
    )


def _stat_files(
    files: Sequence[str], roots: Mapping[str, str | Path | None]
) -> Iterator[os.stat_result | None]:
    """Yield what the file system says of each file; None if missing."""
    if not any(roots.values()):
        yield from [None] * len(files)
        return
    with progress_bar(total=len(files), title='compare', unit='img') as bar:
        for file in files:
            bar.update()
            try:
                yield os.stat(file)
            except OSError:
                yield None
