"""Compare the encoders that stores and class queries name."""

import re
from collections.abc import Sequence

# Stores written before the wording of describe_preprocessing. That version
# preprocessed every model in this way, so the sentence is exact.
_OLD_WORDING = re.compile(
    r'short side (\d+) bicubic, center crop, CLIP mean and std'
)
_OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
_OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)

_RESIZE_MODES = {
    'shortest': 'shortest side to {size}, center crop',
    'longest': 'longest side to {size}, padded with {fill}',
    'squash': 'squashed to {size}',
}


def describe_preprocessing(
    *,
    size: int | Sequence[int],
    mean: Sequence[float],
    std: Sequence[float],
    resize_mode: str,
    interpolation: str,
    fill_color: float = 0,
) -> str:
    """Return the sentence by which an encoder names its preprocessing.

    Args:
        size: Side of the square image in pixels, or (height, width).
        mean: Mean of red, green and blue, for values in [0, 1].
        std: Standard deviation of red, green and blue, for values in [0, 1].
        resize_mode: ``'shortest'``, ``'longest'`` or ``'squash'``.
        interpolation: ``'bicubic'`` or ``'bilinear'``.
        fill_color: Value of the padding of ``'longest'``, in [0, 255].
    """
    height, width = (size, size) if isinstance(size, int) else size
    resize = _RESIZE_MODES[resize_mode].format(
        size=f'{height}x{width}', fill=fill_color
    )
    mean_text = ' '.join(str(float(value)) for value in mean)
    std_text = ' '.join(str(float(value)) for value in std)
    return f'{resize}, {interpolation}, mean {mean_text}, std {std_text}'


def find_difference(
    first: dict[str, str], second: dict[str, str]
) -> str | None:
    """Return the first key in which two encoders differ, or None.

    Preprocessing of equal meaning is equal, whatever version worded it.

    Args:
        first: Architecture, weights and preprocessing of one encoder.
        second: Those of the other encoder.
    """
    first, second = _reword(first), _reword(second)
    for name in sorted(first | second):
        if first.get(name) != second.get(name):
            return name
    return None


def _reword(encoder: dict[str, str]) -> dict[str, str]:
    """Return the encoder with an old sentence on preprocessing replaced."""
    old = _OLD_WORDING.fullmatch(str(encoder.get('preprocessing')))
    if old is None:
        return encoder
    text = describe_preprocessing(
        size=int(old[1]),
        mean=_OPENAI_MEAN,
        std=_OPENAI_STD,
        resize_mode='shortest',
        interpolation='bicubic',
    )
    return encoder | {'preprocessing': text}
