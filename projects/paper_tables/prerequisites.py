"""What a person must bring before a row can run."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rows import Row

from ltvl_mm.structures.config_lists import find_listed_splits
from ltvl_mm.structures.image_list import read_image_list
from ltvl_mm.structures.split_check import compare_splits, show
from ltvl_mm.utils.stages import ROOT

SPLITS = ('train', 'val', 'test')

if TYPE_CHECKING:
    from mmengine.config import Config, ConfigDict


def find_missing(rows: list[Row]) -> list[str]:
    """Return a sentence per file that the configs of the rows name in vain.

    Lists, class names and manifests; what an earlier stage makes is not
    asked for. Weights with a tag are open_clip's to fetch.
    """
    from mmengine.config import Config

    missing = {}
    for row in rows:
        for config in row.configs:
            for path, advice in _list_files(Config.fromfile(config)):
                if not (ROOT / path).exists():
                    missing.setdefault(path, (advice, {}))[1][row.number] = (
                        None
                    )
    return [
        f'{path} is missing, {advice}; needed by '
        f'{"row" if len(needed) == 1 else "rows"} {_list_numbers(needed)}'
        for path, (advice, needed) in missing.items()
    ]


def _list_numbers(numbers: Iterable[int]) -> str:
    """Return numbers in words: 1, 2, 5 to 9."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ', '.join(
        f'{run[0]} to {run[-1]}' if len(run) > 2 else ', '.join(map(str, run))
        for run in runs
    )


def find_leaks(rows: list[Row]) -> list[str]:
    """Return a sentence per pair of lists that share images.

    Paths are compared, and files where they exist. Lists that do not exist
    are left to :func:`find_missing`.
    """
    from mmengine.config import Config

    checked, sentences = set(), {}
    for row in rows:
        for config in row.configs:
            found = find_listed_splits(Config.fromfile(config), ROOT)
            # Several configs read the same lists, and val may be test.
            found = {str(one.file): one for one in found if one.file.exists()}
            if tuple(found) in checked:
                continue
            checked.add(tuple(found))
            report = compare_splits(
                {file: read_image_list(file) for file in found},
                {file: one.root for file, one in found.items()},
            )
            for faults, kind in (
                (report.conflicts, 'images with two labels'),
                (report.leaks, 'images in two splits'),
            ):
                if faults:
                    text = f'{len(faults):,} {kind}: {show(faults)}'
                    sentences[text] = None
    return list(sentences)


def _list_files(cfg: 'Config') -> list[tuple[str, str]]:
    files = []
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if loader is None:
            continue
        dataset = loader.dataset
        while 'dataset' in dataset:
            if 'manifest' in dataset:
                files.append((dataset.manifest, 'see tools/retrieve.py'))
            dataset = dataset.dataset
        files += _list_annotations(dataset)
    return files


def _list_annotations(dataset: 'ConfigDict') -> list[tuple[str, str]]:
    advice = 'see tools/dataset_converters'
    files = []
    if dataset.get('ann_file'):
        lists = Path(dataset.get('data_root', ''), dataset.ann_file)
        files.append((str(lists), advice))
    if isinstance(dataset.get('classes'), str):
        files.append((dataset.classes, advice))
    return files
