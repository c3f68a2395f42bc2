"""What a person must bring before a row can run."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rows import Row

from ltvl_mm.datasets.config_list_check import find_listed_splits
from ltvl_mm.datasets.split_check import compare_splits, show
from ltvl_mm.structures.image_list import read_image_list
from ltvl_mm.utils.stages import ROOT

SPLITS = ('train', 'val', 'test')
WEB_IMAGES = (
    'web images, such as the 3.3 million of CC3M that img2dataset fetches '
    '(about 100 GB at 256 px)'
)
# Folder of the data -> arguments of its converter, and what it needs.
CONVERTERS = {
    'imagenet': (
        'imagenet_lt.py {root} --lists LISTS',
        "ImageNet-1k in {root} (155 GB) and OLTR's lists in LISTS",
    ),
    'places': (
        'places_lt.py {root} --lists LISTS',
        "Places365-Standard in {root} (24 GB at 256 px) and OLTR's lists in "
        'LISTS',
    ),
    'inat18': (
        'inat18.py {root} --lists LISTS',
        'iNaturalist 2018 in {root} (120 GB) and its json files in LISTS',
    ),
    'cifar100_lt': (
        'cifar_lt.py {root} --ratio 100',
        'CIFAR-100 (0.2 GB; --download fetches it)',
    ),
}
OWN_LISTS = ('make_long_tail.py IMAGES {root}', 'a folder of class folders')

if TYPE_CHECKING:
    from mmengine.config import Config, ConfigDict


@dataclass(frozen=True)
class Missing:
    """Files that rows need and that are not there, made by one command.

    Args:
        files: Paths that the configs name.
        commands: Commands that make them, in order.
        bring: Inputs that the user has to provide.
        rows: Numbers of the rows.
    """

    files: tuple[str, ...]
    commands: tuple[str, ...]
    bring: str
    rows: tuple[int, ...]


def find_missing(rows: list[Row]) -> list[Missing]:
    """Return the files that the configs of the rows name in vain.

    Lists, class names and manifests; what an earlier stage makes is not
    asked for. Weights with a tag are open_clip's to fetch.
    """
    from mmengine.config import Config

    found: dict[tuple, tuple[dict, dict]] = {}
    for row in rows:
        for config in row.configs:
            for path, remedy in _list_files(Config.fromfile(config)):
                if not (ROOT / path).exists():
                    files, needed = found.setdefault(remedy, ({}, {}))
                    files[path] = needed[row.number] = None
    return [
        Missing(tuple(files), commands, bring, tuple(needed))
        for (commands, bring), (files, needed) in sorted(
            # Lists first: retrieval needs them.
            found.items(),
            key=lambda item: item[0][1] == WEB_IMAGES,
        )
    ]


def describe_missing(missing: list[Missing]) -> list[str]:
    """Return lines that say what is missing, and what makes it."""
    lines = []
    for one in missing:
        word = 'row' if len(one.rows) == 1 else 'rows'
        lines.append(f'missing, needed by {word} {_list_numbers(one.rows)}:')
        lines += [f'  {file}' for file in one.files]
        lines.append(f'  made from {one.bring} by')
        lines += [f'    {command}' for command in one.commands]
    return lines


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


def _list_files(cfg: 'Config') -> list[tuple[str, tuple]]:
    """Return (file, (commands, what to bring)) of all data loaders."""
    files = []
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if loader is None:
            continue
        dataset = loader.dataset
        manifests = []
        while 'dataset' in dataset:
            if 'manifest' in dataset:
                manifests.append(dataset.manifest)
            dataset = dataset.dataset
        files += _list_annotations(dataset)
        files += [(one, _plan_retrieval(one, cfg)) for one in manifests]
    return files


def _list_annotations(dataset: 'ConfigDict') -> list[tuple[str, tuple]]:
    root = str(dataset.get('data_root', ''))
    converter, bring = CONVERTERS.get(Path(root).name, OWN_LISTS)
    command = f'python tools/dataset_converters/{converter.format(root=root)}'
    remedy = (command,), bring.format(root=root)
    files = []
    if dataset.get('ann_file'):
        files.append((str(Path(root, dataset.ann_file)), remedy))
    if isinstance(dataset.get('classes'), str):
        files.append((dataset.classes, remedy))
    return files


def _plan_retrieval(manifest: str, cfg: 'Config') -> tuple:
    """Return the commands that make a manifest, and what they need."""
    folder = Path(manifest).parent
    dataset = cfg.test_dataloader.dataset
    held_out = []
    for split in ('val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is not None:
            held_out.append(
                str(Path(loader.dataset.data_root, loader.dataset.ann_file))
            )
    embed = 'python tools/embed_images.py'
    store, excluded = 'stores/web', f'stores/{folder.name}_held_out'
    return (
        f"{embed} 'WEB/{{00000..00331}}.tar' -o {store}",
        f'{embed} {" ".join(dict.fromkeys(held_out))} --root '
        f'{dataset.data_root} -o {excluded}',
        f'python tools/retrieve.py {store} -o {folder} --class-names '
        f'{dataset.classes} --budget 300 --exclude {excluded}',
    ), WEB_IMAGES
