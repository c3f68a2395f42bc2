"""Configs of the paper's data sets, by method, model and data set."""

from mmengine.config import Config
from small_inputs import ROOT

CONFIGS = ROOT / 'configs'


def find_leaf(name, dataset='imagenet-lt'):
    """Return the one file ``{name}_{gpus}xb{batch}-{epochs}e_{dataset}.py``.

    Args:
        name: Method and model, e.g. ``'ride6_rx50'``.
        dataset: End of the file's name.
    """
    (path,) = [
        path
        for path in CONFIGS.glob(f'*/{name}_*{dataset}.py')
        if path.stem.removeprefix(name).count('_') in (1, 2)
    ]
    return path


def load_leaf(name, dataset='imagenet-lt'):
    return Config.fromfile(find_leaf(name, dataset))
