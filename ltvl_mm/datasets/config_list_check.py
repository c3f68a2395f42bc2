"""Lists that a config names, checked as mmpretrain reads them.

mmpretrain's CustomDataset reads lists itself: a byte order mark stays in the
first path, comments are images, and two blanks before a label are a part of
the path. Training would fail when such an image is drawn.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.image_list import normalize_path, read_entries
from ltvl_mm.utils.config_walk import name_type
from ltvl_mm.utils.text import read_text

SPLITS = ('train', 'val', 'test')
# Data sets of mmpretrain that read such a list; others have other formats.
_TYPES = ('CustomDataset', 'ImageNet', 'ImageNet21k')
_PLAIN = re.compile(
    r'(?:[^\s\0#\ufeff][^\r\n\t\0]*(?<!\s) '
    r'(?:0|-1|[1-9][0-9]{0,6})(?:\r?\n|\Z))+'
)
_REPAIR = 'python tools/dataset_converters/check_lists.py'


@dataclass(frozen=True)
class ListedSplit:
    """A data set in a config that reads a ``path label`` list.

    Args:
        split: ``'train'``, ``'val'`` or ``'test'``.
        file: The list.
        root: Folder of its images.
        class_names: File of class names; '' if there is none.
    """

    split: str
    file: Path
    root: Path
    class_names: str = ''


def find_listed_splits(
    cfg: Mapping, base: str | Path = ''
) -> list[ListedSplit]:
    """Return the lists that the data loaders of a config name.

    Args:
        cfg: A config with ``train_dataloader`` and so on.
        base: Folder that relative paths in the config begin in.
    """
    listed_splits = []
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader') or {}
        for dataset in _find_datasets(loader.get('dataset')):
            file = str(dataset.get('ann_file') or '')
            kind = name_type(dataset)
            if kind not in _TYPES or not dataset.get('with_label', True):
                continue
            if not file.endswith('.txt'):
                continue
            data_root = Path(base, dataset.get('data_root') or '')
            prefix = dataset.get('data_prefix') or ''
            if isinstance(prefix, Mapping):
                prefix = prefix.get('img_path') or ''
            names = dataset.get('classes')
            listed_splits.append(
                ListedSplit(
                    split,
                    data_root / file,
                    data_root / prefix,
                    str(Path(base, names)) if isinstance(names, str) else '',
                )
            )
    return listed_splits


def check_config_lists(cfg: Mapping) -> None:
    """Check the lists of a config before a training starts.

    Raises:
        ValueError: If our reader or mmpretrain cannot read one, or they
            disagree; names the file, the line and the command that repairs
            it.
    """
    files = {}
    for listed in find_listed_splits(cfg):
        files[str(listed.file)] = check_plain_list
        if listed.class_names:
            files[listed.class_names] = check_plain_names
    for file, check in files.items():
        if Path(file).exists():  # else mmpretrain names it
            check(file)


def check_plain_list(file: str | Path) -> None:
    """Check that mmpretrain reads a ``path label`` list as we do.

    Raises:
        ValueError: If it does not; names the line.
    """
    try:
        # Nearly all lists are plain, and half a million lines take a second.
        if _PLAIN.fullmatch(Path(file).read_bytes().decode()):
            return
    except UnicodeDecodeError:
        pass  # named below
    entries = read_entries(file, open_set=True)
    ours = {number: (path, label) for number, path, label in entries}
    if not ours:
        raise ValueError(f'the image list {file} is empty')
    for number, line in _split_as_mmengine(file):
        words = line.strip().rsplit(' ', 1)
        theirs = normalize_path(words[0]), words[-1]
        known = ours.get(number)
        if known is None or theirs != (known[0], str(known[1])):
            _raise_mmpretrain_differs(file, number, line)


def check_plain_names(file: str | Path) -> None:
    """Check that mmpretrain reads a list of class names as we do.

    Raises:
        ValueError: If it does not; names the line.
    """
    names = load_class_names(file)
    lines = list(_split_as_mmengine(file))
    for number, line in lines:
        if number > len(names) or line != names[number - 1]:
            _raise_mmpretrain_differs(file, number, line)


def _raise_mmpretrain_differs(
    file: str | Path, number: int, line: str
) -> None:
    raise ValueError(
        f'{file}, line {number}: mmpretrain reads {line!r:.120} differently, '
        f'because of a byte order mark, comment, blank line or blanks; repair '
        f'the list: {_REPAIR} {file} --fix'
    )


def _split_as_mmengine(file: str | Path) -> Iterator[tuple[int, str]]:
    """Yield (number, line) as ``mmengine.list_from_file`` splits a file."""
    read_text(file)  # the encoding is right
    lines = Path(file).read_bytes().decode().split('\n')
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        yield number, line.rstrip('\r\n')


def _find_datasets(dataset: Mapping | None) -> Iterator[Mapping]:
    """Yield the data sets inside of wrappers."""
    if not isinstance(dataset, Mapping):
        return
    inner = [dataset.get('dataset'), *(dataset.get('datasets') or ())]
    inner = [one for one in inner if isinstance(one, Mapping)]
    if not inner:
        yield dataset
    for one in inner:
        yield from _find_datasets(one)
