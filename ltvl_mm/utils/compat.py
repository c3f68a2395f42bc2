"""Compatibility of the two OpenMMLab families.

The maintained fork (onedl-mmengine, ...) and upstream (mmengine, ...) install
the same modules; this is the only file that tells them apart.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from ltvl_mm.utils.package_files import find_config


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


def disable_ghostscript() -> None:
    """Make Pillow refuse EPS files in this process.

    Pillow starts ``gs`` for an EPS file of any name. All of our code passes
    a list of formats to ``Image.open``, but mmcv's loader does not if a
    config sets ``imdecode_backend='pillow'``.
    """
    from PIL import EpsImagePlugin

    # Paths of the program; False means that it was not found. Pillow before
    # version 10 has the second one only.
    EpsImagePlugin.gs_binary = False
    EpsImagePlugin.gs_windows_binary = False


@contextmanager
def drop_debug_prints() -> Iterator[None]:
    """Drop messages of level DEBUG that mmengine would print.

    ``print_log`` prints what has no logger, whatever its level. The fork's
    mmpretrain says so, when its data sets are imported, that OneDL is not
    installed.
    """
    from mmengine import logging as mmengine_logging

    print_log = mmengine_logging.print_log

    def print_above_debug(
        msg: object,
        logger: logging.Logger | str | None = None,
        level: int = logging.INFO,
    ) -> None:
        if logger is not None or level > logging.DEBUG:
            print_log(msg, logger, level)

    mmengine_logging.print_log = print_above_debug
    try:
        yield
    finally:
        mmengine_logging.print_log = print_log


def register_config_scope() -> None:
    """Let configs inherit ours: ``_base_ = 'ltvl_mm::tackle_rx50.py'``.

    mmengine looks up ``::`` configs in a fixed table of packages, requires a
    folder in their path, and builds their modules in the package's scope.
    This function adds ltvl_mm to the table and allows configs without a
    folder. Our configs keep the default scope mmpretrain and name our modules
    ``ltvl_mm.X``.
    """
    from mmengine.config import Config
    from mmengine.config.utils import MODULE2PACKAGE

    if 'ltvl_mm' in MODULE2PACKAGE:
        return
    MODULE2PACKAGE['ltvl_mm'] = 'ltvl_mm'  # for mmengine.hub
    find_path = Config._get_cfg_path

    def find_path_and_scope(
        cfg_path: str, filename: str
    ) -> tuple[str, str | None]:
        if cfg_path.startswith('ltvl_mm::'):
            return str(find_config(cfg_path.removeprefix('ltvl_mm::'))), None
        return find_path(cfg_path, filename)

    Config._get_cfg_path = staticmethod(find_path_and_scope)


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
