"""Retrieved images in the training set of any config."""

from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.utils.config_walk import name_type, walk_config
from ltvl_mm.utils.remote_paths import as_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mmengine.config import Config


def add_retrieved_images(cfg: 'Config', manifest: str | Path) -> None:
    """Train on retrieved images, too: wrap the training set of a config.

    Args:
        cfg: Config to change; all of its options are merged.
        manifest: Manifest file of ``tools/retrieve.py``.

    Raises:
        ValueError: If the config trains nothing or already has retrieved
            images, or there is no such file.
    """
    loader = cfg.get('train_dataloader')
    if not loader:
        raise ValueError(
            f'{cfg.filename} has no train_dataloader, so that there is no '
            f'training set to add retrieved images to; leave out --retrieved'
        )
    loader.dataset = wrap_training_set(loader.dataset, manifest)


def wrap_training_set(dataset: 'Mapping', manifest: str | Path) -> dict:
    """Return the config of a data set with retrieved images.

    Args:
        dataset: Config of the target, which may be a wrapper.
        manifest: Manifest file of ``tools/retrieve.py``.

    Raises:
        ValueError: If the target already has retrieved images, or there is
            no such file.
    """
    for sub_config in walk_config(dataset, skip=('pipeline',)):
        if name_type(sub_config) == 'TACKLEDataset':
            raise ValueError(
                f'the training set already has retrieved images, those of '
                f'{sub_config.get("manifest")!r}; leave out --retrieved, or '
                f'replace them by --cfg-options '
                f'train_dataloader.dataset.manifest={manifest}'
            )
    if not as_path(manifest).is_file():
        raise ValueError(
            f'{manifest} is not a file; give the manifest.parquet that '
            f'tools/retrieve.py has written'
        )
    return dict(
        type='ltvl_mm.TACKLEDataset', manifest=str(manifest), dataset=dataset
    )
