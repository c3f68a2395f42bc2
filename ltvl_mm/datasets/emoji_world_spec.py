"""Content of an emoji world: its size, seeds, captions and pictures.

What an image shows depends on (seed, split, index) alone, so that splits
share no image and any image can be drawn again.
"""

from dataclasses import asdict, dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from PIL import Image

from ltvl_mm.datasets.emoji_concepts import (
    CLASS_GLYPHS,
    CLASS_NAMES,
    OTHER_GLYPHS,
    Glyph,
)
from ltvl_mm.datasets.emoji_drawing import STYLES, TARGET_LOOK, draw_image
from ltvl_mm.utils.rng import make_generator

# First number of an image's seed path after the world's own seed.
STREAMS = {
    'train': 1,
    'val': 2,
    'test': 3,
    'corpus': 4,
    'web': 5,
    'classes': 6,
    'plan': 7,
    'open': 8,
    'glyphs': 9,
}
# Shares of STYLES on the web and in the caption corpus.
_T = TypeVar('_T')
_STYLE_SHARES = (0.5, 0.1, 0.1, 0.05, 0.1, 0.15)
_TWO_OBJECTS = 0.12
_WRONG_CAPTIONS = 0.1
CAPTION_TEMPLATES = (
    'a photo of a {}',
    'a {}',
    'picture of one {}',
    '{} on a wall',
    'my {} today',
    'small drawing of a {}',
    'look , a {}',
)
# Within a class, training images show its glyphs by Zipf's law.
_ZIPF_EXPONENT = 1.3


@dataclass(frozen=True)
class EmojiWorldSize:
    """Number of classes and images of an emoji world.

    Args:
        seed: Seed of the world, at least 0.
        classes: Number of classes, the first of
            :data:`~ltvl_mm.datasets.emoji_concepts.CLASS_NAMES`; at most 96.
        train_most: Training images of the most frequent class.
        train_fewest: Training images of the rarest class.
        train_decay: Power of the relative rank r in the long tail
            ``most * (fewest / most) ** (r ** power)``; 1 is exponential.
        val_per_class: Images per class in the val list.
        test_per_class: Images per class in the test list.
        web: Web images, planted ones included.
        web_per_tar: Web images in one tar.
    """

    seed: int = 0
    classes: int = len(CLASS_NAMES)
    train_most: int = 130
    train_fewest: int = 3
    train_decay: float = 1.8
    val_per_class: int = 16
    test_per_class: int = 48
    web: int = 24000
    web_per_tar: int = 2000

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < (0 if name == 'seed' else 1):
                raise ValueError(f'{name} is too small: {value}')
        if self.train_fewest > self.train_most:
            raise ValueError(
                f'train_fewest {self.train_fewest} is more than train_most '
                f'{self.train_most}'
            )
        if self.classes > len(CLASS_NAMES):
            raise ValueError(
                f'classes must be at most {len(CLASS_NAMES)}, got '
                f'{self.classes}'
            )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in label order."""
        return CLASS_NAMES[: self.classes]


def count_training_images(size: EmojiWorldSize) -> np.ndarray:
    """Return the (K,) long-tailed training counts, in class order."""
    rank = np.arange(size.classes) / max(size.classes - 1, 1)
    ratio = size.train_fewest / size.train_most
    counts = size.train_most * ratio ** (rank**size.train_decay)
    order = make_generator(size.seed, STREAMS['classes']).permutation(
        size.classes
    )
    return np.round(counts).astype(int)[order]


def count_open_images(size: EmojiWorldSize) -> int:
    """Return the number of open-set images: a third of the test images.

    (OLTR's open set of ImageNet-LT: 18,000 images for 50,000.)
    """
    return size.test_per_class * size.classes // 3


def draw_split_image(
    split: str, label: int, number: int, seed: int
) -> Image.Image:
    """Draw image ``number`` of a class in the train, val or test list.

    Training images show few glyphs of a class often and the others rarely;
    val and test images show all of them alike.
    """
    glyphs = _order_glyphs(label, seed)
    rng = make_generator(seed, STREAMS[split], label, number)
    if split == 'train':
        shares = np.arange(1, len(glyphs) + 1) ** -_ZIPF_EXPONENT
        glyph = glyphs[rng.choice(len(glyphs), p=shares / shares.sum())]
    else:
        glyph = glyphs[number % len(glyphs)]
    return draw_image((glyph.code_point,), rng, look=TARGET_LOOK)


@cache
def _order_glyphs(label: int, seed: int) -> tuple[Glyph, ...]:
    """Return the glyphs of a class, the most frequent one first."""
    glyphs = CLASS_GLYPHS[CLASS_NAMES[label]]
    order = make_generator(seed, STREAMS['glyphs'], label).permutation(
        len(glyphs)
    )
    return tuple(glyphs[index] for index in order)


def draw_open_image(number: int, seed: int) -> Image.Image:
    """Draw image ``number`` of the open set: an object of no class."""
    rng = make_generator(seed, STREAMS['open'], number)
    glyph = _pick(OTHER_GLYPHS, rng)
    return draw_image((glyph.code_point,), rng, look=TARGET_LOOK)


def choose_glyph(class_name: str, rng: np.random.Generator) -> Glyph:
    """Return any glyph of a class, or one of no class for the name ''."""
    return _pick(CLASS_GLYPHS.get(class_name, OTHER_GLYPHS), rng)


def draw_web_look(
    glyph: Glyph | None, rng: np.random.Generator
) -> Image.Image:
    """Draw an object in one of the web's styles, sometimes with a second.

    Args:
        glyph: The object; None for a ground without one.
        rng: Source of all choices.
    """
    style = STYLES[rng.choice(len(STYLES), p=_STYLE_SHARES)]
    if glyph is None:
        return draw_image((), rng, style=style)
    code_points = [glyph.code_point]
    if rng.random() < _TWO_OBJECTS:
        # Of no class, so that the image is of one class at most.
        second = _pick(OTHER_GLYPHS, rng).code_point
        code_points.insert(int(rng.integers(2)), second)
    return draw_image(tuple(code_points), rng, style=style)


def write_caption(
    class_name: str, glyph: Glyph | None, rng: np.random.Generator
) -> str:
    """Return a caption as the web has them: concept, name or both; or wrong.

    Args:
        class_name: Class of the image; '' if it shows none.
        glyph: Its main glyph, or None, which gives a wrong caption.
        rng: Source of the choice.
    """
    if glyph is None or rng.random() < _WRONG_CAPTIONS:
        class_name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]
        glyph = _pick(CLASS_GLYPHS[class_name], rng)
    words = glyph.name
    if class_name:
        kind = rng.choice(3, p=[0.45, 0.3, 0.25])
        words = (class_name, words, f'{words} , {class_name}')[kind]
    return _pick(CAPTION_TEMPLATES, rng).format(words)


def _pick(choices: tuple[_T, ...], rng: np.random.Generator) -> _T:
    return choices[rng.integers(len(choices))]
