"""What a person must bring before a row can run."""

from pathlib import Path

from mmengine.config import Config, ConfigDict
from rows import Row

from ltvl_mm.utils.stages import ROOT

SPLITS = ('train', 'val', 'test')


def find_missing(rows: list[Row]) -> list[str]:
    """Return a sentence per file that the configs of the rows name in vain.

    Lists, class names and manifests; what an earlier stage makes is not
    asked for. Weights with a tag are open_clip's to fetch.
    """
    missing = {}
    for row in rows:
        for config in row.configs:
            for path, advice in _list_files(Config.fromfile(config)):
                if not (ROOT / path).exists():
                    missing.setdefault(path, (advice, {}))[1][row.number] = (
                        None
                    )
    return [
        f'{path} is missing, {advice}; needed by row '
        f'{", ".join(map(str, needed))}'
        for path, (advice, needed) in missing.items()
    ]


def _list_files(cfg: Config) -> list[tuple[str, str]]:
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


def _list_annotations(dataset: ConfigDict) -> list[tuple[str, str]]:
    advice = 'see tools/dataset_converters'
    files = []
    if dataset.get('ann_file'):
        lists = Path(dataset.get('data_root', ''), dataset.ann_file)
        files.append((str(lists), advice))
    if isinstance(dataset.get('classes'), str):
        files.append((dataset.classes, advice))
    return files
