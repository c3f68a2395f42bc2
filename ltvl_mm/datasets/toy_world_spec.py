"""What a toy world is made of: its size, seeds, captions and pictures."""

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from ltvl_mm.datasets.toy_drawing import CLASS_NAMES, draw_image
from ltvl_mm.utils.rng import make_generator

# First number of an image's seed path after the world's own seed.
STREAMS = {
    'train': 1,
    'val': 2,
    'test': 3,
    'corpus': 4,
    'web': 5,
    'classes': 6,
    'plant': 7,
    'open': 8,
}
_TEMPLATES = (
    'a photo of a {}',
    'a {}',
    'picture of one {}',
    '{} on a wall',
    'my {} today',
    'small drawing of a {}',
    'look , a {}',
)


@dataclass(frozen=True)
class ToyWorldSize:
    """How many images of what the world holds.

    Args:
        seed: Another number, another world of the same kind.
        train_most: Training images of the most frequent class.
        train_fewest: Training images of the rarest class; exponential decay
            between the two.
        val_per_class: Images per class in the val list.
        test_per_class: Images per class in the test list.
        corpus: Image-caption pairs.
        web: Web images, planted ones included.
        web_per_tar: Web images in one tar.
    """

    seed: int = 0
    train_most: int = 200
    train_fewest: int = 3
    val_per_class: int = 5
    test_per_class: int = 20
    corpus: int = 10000
    web: int = 20000
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


def count_training_images(size: ToyWorldSize) -> np.ndarray:
    """Return the (C,) long-tailed training counts, in class order."""
    rank = np.arange(len(CLASS_NAMES)) / (len(CLASS_NAMES) - 1)
    counts = size.train_most * (size.train_fewest / size.train_most) ** rank
    order = make_generator(size.seed, STREAMS['classes']).permutation(
        len(CLASS_NAMES)
    )
    return np.round(counts).astype(int)[order]


def count_open_images(size: ToyWorldSize) -> int:
    """Return how many images show no class: a third of the test images.

    (OLTR's open set of ImageNet-LT: 18,000 images beside 50,000.)
    """
    return size.test_per_class * len(CLASS_NAMES) // 3


def draw_split_image(
    split: str, label: int, number: int, seed: int
) -> Image.Image:
    """Draw image ``number`` of a class in a labelled split."""
    rng = make_generator(seed, STREAMS[split], label, number)
    return draw_image(CLASS_NAMES[label], rng, web_look=False)


def draw_open_image(number: int, seed: int) -> Image.Image:
    """Draw image ``number`` of those that look alike and show no object."""
    rng = make_generator(seed, STREAMS['open'], number)
    return draw_image(None, rng, web_look=False)


def write_caption(name: str, rng: np.random.Generator) -> str:
    """Describe an image as the web does: in part, or wrongly (10 %)."""
    if rng.random() < 0.1:
        name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]
    colour, shape = name.split()
    words = rng.choice([name, colour, shape], p=[0.8, 0.08, 0.12])
    return str(rng.choice(_TEMPLATES)).format(words)
