"""Make mmengine read and write checkpoints as plain data.

mmengine's own loader falls back to ``weights_only=False`` (the maintained
fork) or cannot resume with current torch (upstream). Here its loaders of
files and addresses are replaced by :func:`read_checkpoint`, so that
``load_from``, ``resume`` and ``init_cfg=dict(type='Pretrained', ...)`` run
nothing that is in a file.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.fileio import get_local_path
from mmengine.logging import HistoryBuffer, print_log
from mmengine.runner import (
    CheckpointLoader,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)

from ltvl_mm.utils.checkpoints import read_checkpoint
from ltvl_mm.utils.inert_types import StoredHistory

# What torch.load(weights_only=True) reads without any list of allowed types.
_PLAIN = (str, bytes, bool, int, float, complex, type(None), set, torch.dtype)


def use_safe_loaders() -> None:
    """Replace mmengine's loaders of files and addresses in this process.

    Called when ``ltvl_mm`` is imported. Schemes that other packages have
    registered stay.
    """
    for prefixes, loader in (
        ([''], load_from_local),
        (['http://', 'https://'], load_from_http),
        ([r'(\S+\:)?s3://', r'(\S+\:)?petrel://'], load_from_ceph),
        (['modelzoo://', 'torchvision://'], load_from_torchvision),
        (['open-mmlab://', 'openmmlab://'], load_from_openmmlab),
        (['mmcls://'], load_from_mmcls),
        (['pavi://'], load_from_pavi),
    ):
        CheckpointLoader.register_scheme(prefixes, loader, force=True)


def load_from_local(
    filename: str,
    map_location: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Return a checkpoint as mmengine's Runner resumes from it.

    Args:
        filename: A file, or a training folder (its best checkpoint, else
            its last).
        map_location: Device of the tensors, as for ``torch.load``.

    Raises:
        ValueError: See :func:`read_checkpoint`.
    """
    checkpoint = read_checkpoint(filename, map_location=map_location)
    meta = checkpoint.get('meta')
    if isinstance(meta, dict) and 'config' in meta:
        # Runner.resume would run this text as a Python config, only to
        # compare numbers of GPUs. Runners of mmengine write ``cfg`` instead.
        del meta['config']
        print_log(f"ignored meta['config'] of {filename}", 'current')
    return _restore_histories(checkpoint)


def load_from_http(
    filename: str,
    map_location: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Return a checkpoint of the web; see :func:`load_from_local`.

    It is downloaded once, into the cache folder of torch.hub.
    """
    folder = Path(torch.hub.get_dir(), 'checkpoints')
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / Path(urlparse(filename).path).name
    rank, world_size = get_dist_info()
    if rank == 0:
        _download(filename, file)
    if world_size > 1:
        # The other ranks of a shared file system read what rank 0 wrote.
        barrier()
        _download(filename, file)
    return load_from_local(str(file), map_location)


def load_from_ceph(
    filename: str,
    map_location: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Return a checkpoint of an object store (``s3://``, ``petrel://``)."""
    with get_local_path(
        filename, backend_args={'backend': 'petrel'}
    ) as local_file:
        return load_from_local(str(local_file), map_location)


def load_from_torchvision(
    filename: str,
    map_location: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Return torchvision's weights of ``torchvision://NAME``."""
    return load_from_http(
        _find_address(filename, get_torchvision_models()), map_location
    )


def load_from_openmmlab(
    filename: str,
    map_location: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Return OpenMMLab's weights of ``open-mmlab://NAME``."""
    scheme, name = filename.split('://', 1)
    name = get_deprecated_model_names().get(name, name)
    address = _find_address(f'{scheme}://{name}', get_external_models())
    if address.startswith(('http://', 'https://')):
        return load_from_http(address, map_location)
    home = os.getenv('MMENGINE_HOME') or os.path.join(
        os.getenv('XDG_CACHE_HOME', '~/.cache'), 'mmengine'
    )
    return load_from_local(os.path.join(home, address), map_location)


def load_from_mmcls(
    filename: str,
    map_location: Any = None,  # noqa: ANN401
) -> dict[str, Any]:
    """Return the backbone of mmcls's weights of ``mmcls://NAME``."""
    checkpoint = load_from_http(
        _find_address(filename, get_mmcls_models()), map_location
    )
    state = checkpoint.get('state_dict', checkpoint)
    start = 'backbone.'
    return {
        'state_dict': {
            name.removeprefix(start): value
            for name, value in state.items()
            if name.startswith(start)
        }
    }


def load_from_pavi(filename: str, map_location: object = None) -> None:
    """Refuse ``pavi://``, a service that few have access to.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        f'{filename} cannot be loaded directly; download it and give the file'
    )


def make_plain_checkpoint(
    checkpoint: dict[str, Any], *, drop: bool = False
) -> list[str]:
    """Make a checkpoint loadable by ``torch.load(weights_only=True)``.

    Log histories become dictionaries of tensors, NumPy numbers and arrays
    become Python's, other mappings become ``dict``. State dicts keep their
    type and ``_metadata``. :func:`load_from_local` restores the histories.

    Args:
        checkpoint: A checkpoint of mmengine; changed in place, but not the
            values that it holds.
        drop: Replace values that have no plain form by None.

    Returns:
        Place and type of values that have no plain form: ``meta.x (Type)``.
    """
    left: list[str] = []
    for name, value in checkpoint.items():
        if not _is_state_dict(value):
            checkpoint[name] = _make_plain(value, name, left, drop)
    return left


def _is_state_dict(value: object) -> bool:
    return isinstance(value, dict) and hasattr(value, '_metadata')


def _make_plain(
    value: Any,  # noqa: ANN401
    place: str,
    left: list[str],
    drop: bool,
) -> Any:  # noqa: ANN401
    if isinstance(value, (HistoryBuffer, StoredHistory)):
        return _make_plain_history(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {
            _make_plain(key, place, left, drop): _make_plain(
                item, f'{place}.{key}', left, drop
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        items = [
            _make_plain(item, f'{place}.{number}', left, drop)
            for number, item in enumerate(value)
        ]
        return items if isinstance(value, list) else tuple(items)
    if type(value) in _PLAIN or isinstance(value, torch.Tensor):
        return value
    left.append(f'{place} ({type(value).__name__})')
    return None if drop else value


def _make_plain_history(history: HistoryBuffer | StoredHistory) -> dict:
    if isinstance(history, StoredHistory):
        logs, counts = history.log_history, history.count_history
    else:
        logs, counts = history.data
    return {
        # Tensors keep each value exactly and are quick to read.
        'log_history': torch.tensor(logs, dtype=torch.float64),
        'count_history': torch.tensor(counts, dtype=torch.float64),
        'max_length': history.max_length,
    }


def _restore_histories(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Turn stored log histories into the objects that mmengine expects."""
    hub = checkpoint.get('message_hub')
    scalars = hub.get('log_scalars') if isinstance(hub, dict) else None
    if isinstance(scalars, dict):
        for name, stored in scalars.items():
            if isinstance(stored, StoredHistory):
                stored = _make_plain_history(stored)
            if isinstance(stored, dict) and 'log_history' in stored:
                scalars[name] = HistoryBuffer(
                    stored['log_history'].cpu().numpy(),
                    stored['count_history'].cpu().numpy(),
                    stored['max_length'],
                )
    return checkpoint


def _find_address(filename: str, known: Mapping[str, str]) -> str:
    name = filename.split('://', 1)[1]
    if name not in known:
        raise ValueError(f'{filename} is not known to mmengine: no {name!r}')
    return known[name]


def _download(address: str, file: Path) -> None:
    if not file.exists():
        torch.hub.download_url_to_file(address, str(file), progress=False)
