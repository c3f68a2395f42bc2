"""What the two families of the host need to work alike.

The maintained fork (onedl-mmengine, ...) and upstream (mmengine, ...) install
the same modules; this is the only file that tells them apart.
"""

import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import torch


def warn_of_mixed_stacks() -> None:
    """Warn when both families are installed: pip lets one overwrite files
    of the other and ``pip check`` finds nothing wrong.
    """
    for name in ('mmengine', 'mmpretrain'):
        if _is_installed(name) and _is_installed(f'onedl-{name}'):
            warnings.warn(
                f'both {name} and onedl-{name} are installed and overwrite '
                f'each other; uninstall both, then install one',
                stacklevel=3,
            )


def silence_missing_operators() -> None:
    """Drop mmcv's warning that it has no compiled operators; nothing of ours
    or of the classifiers of mmpretrain needs them.
    """
    warnings.filterwarnings(
        'ignore', message='Fail to import ``MultiScaleDeformableAttention``'
    )


def allow_host_checkpoints() -> None:
    """Let ``torch.load(weights_only=True)`` read mmengine's checkpoints.

    Upstream mmengine 0.10 stores its HistoryBuffer (which pickles bound
    methods, hence getattr) and numpy scalars, and cannot resume under
    torch >= 2.6 without this. The fork allows the same list itself, and
    forbids all of it again whenever it has loaded a file: whoever calls
    ``torch.load`` calls this before. Only these types are allowed; nothing
    is loaded here.
    """
    add = getattr(torch.serialization, 'add_safe_globals', None)
    if add is None:  # torch < 2.4 has no such list, and no such default
        return
    from mmengine.logging import HistoryBuffer

    core = getattr(np, '_core', None) or np.core
    add(
        [
            HistoryBuffer,
            getattr,
            slice,
            core.multiarray._reconstruct,
            core.multiarray.scalar,
            np.ndarray,
            np.dtype,
            *{
                type(np.dtype(kind))
                for kind in ('f8', 'f4', 'i8', 'i4', 'u1', '?')
            },
        ]
    )


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
