"""Check that a loss takes weights of images."""

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

REMEDY = 'train with --recipe filtered'


def check_takes_weights(loss_type: 'type[nn.Module]') -> None:
    """Raise ValueError if a loss takes no ``weight`` and ``avg_factor``.

    Args:
        loss_type: Class of the loss.
    """
    known = inspect.signature(loss_type.forward).parameters
    missing = [name for name in ('weight', 'avg_factor') if name not in known]
    if missing:
        raise ValueError(
            f'{loss_type.__name__} takes no {" and no ".join(missing)}, so '
            f'that its images cannot be weighted; {REMEDY}'
        )
