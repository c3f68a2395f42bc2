"""Short descriptions of values for messages."""

import reprlib
from typing import Any

_MAX_CHARS = 80
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _MAX_CHARS


def describe_value(value: Any) -> str:  # noqa: ANN401
    """Return the type of a value and at most 80 characters of it.

    Arrays and tensors are described by dtype and shape, without their
    numbers: ``the Tensor of torch.float32 and shape (3, 224, 224)``.
    """
    name = type(value).__name__
    if getattr(value, 'shape', ()) and hasattr(value, 'dtype'):
        return f'the {name} of {value.dtype} and shape {tuple(value.shape)}'
    if value is None:
        return 'None'
    if isinstance(value, (bytes, bytearray)):
        size = len(value)
        return f'{size:,} {name} that begin with {bytes(value[:16])!r}'
    text = ' '.join(_repr.repr(value).split())
    return f'the {name} {text[:_MAX_CHARS]}'
