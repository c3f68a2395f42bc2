"""Captioned images that the CLIP of the emoji world is trained on."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from ltvl_mm.datasets.emoji_concepts import CLASS_NAMES, Glyph
from ltvl_mm.datasets.emoji_drawing import SIZE
from ltvl_mm.datasets.emoji_glyphs import render_all_glyphs
from ltvl_mm.datasets.emoji_world_spec import (
    STREAMS,
    choose_glyph,
    draw_web_look,
    write_caption,
)
from ltvl_mm.registry import DATASETS
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.rng import make_generator

_CLASS_SHARE = 0.85
_CHUNK = 500


@DATASETS.register_module()
class EmojiCorpus(Dataset):
    """Image-caption pairs of an emoji world, drawn once and kept in memory.

    Shares no image with the web, train, val and test splits. Each visit of
    an image writes a new caption and shifts the image by up to two pixels,
    both by torch's generator, which EpochSeedHook seeds.

    Args:
        length: Number of images.
        seed: Seed of the world.
        cache: Start of the name of the ``.npy`` file that keeps the drawn
            images, 3 KB each; seed and length follow.
        workers: Processes that draw.

    Raises:
        ValueError: If ``length`` is below 1, or the file is another one.
    """

    def __init__(
        self, length: int, *, seed: int = 0, cache: str, workers: int = 2
    ) -> None:
        if length < 1:
            raise ValueError(f'length must be at least 1, got {length}')
        self.metainfo = {'classes': CLASS_NAMES}
        self.length = length
        self.seed = seed
        self.workers = workers
        self.file = Path(f'{cache}_seed{seed}_{length}.npy')
        self._images: Any = None

    def full_init(self) -> None:
        """Draw the images if no file holds them; mmengine calls this."""
        if self._images is not None:
            return
        if not self.file.is_file():
            draw_corpus(
                self.file, self.length, seed=self.seed, workers=self.workers
            )
        images = np.load(self.file, mmap_mode='r', allow_pickle=False)
        expected = (self.length, SIZE, SIZE, 3)
        if images.shape != expected:
            raise ValueError(
                f'{self.file} holds images of shape {images.shape}, expected '
                f'{expected}; delete it, and it is drawn again'
            )
        self._images = images

    def __len__(self) -> int:
        """Return the number of images."""
        return self.length

    def __getitem__(self, index: int) -> dict[str, object]:
        """Return ``inputs``, (3, 32, 32) uint8 in RGB, and its caption."""
        self.full_init()
        # A new path on each visit, from what EpochSeedHook seeded.
        rng = make_generator(int(torch.randint(2**31, ())), index)
        class_name, glyph = choose_object(index, self.seed)
        image = _shift(self._images[index], rng)
        sample = DataSample()
        sample.set_field(
            write_caption(class_name, glyph, rng),
            'caption',
            field_type='metainfo',
        )
        return {
            'inputs': torch.from_numpy(image.transpose(2, 0, 1).copy()),
            'data_samples': sample,
        }


def draw_corpus(file: Path, length: int, *, seed: int, workers: int) -> None:
    """Write the (N, 32, 32, 3) uint8 images of a corpus as ``.npy``.

    Args:
        file: Output file.
        length: Number of images N.
        seed: Seed of the world.
        workers: Number of processes.
    """
    render_all_glyphs()  # once, for all forked workers
    starts = range(0, length, _CHUNK)
    draw = partial(_draw_chunk, length=length, seed=seed)
    with (
        ProcessPoolExecutor(workers) as pool,
        progress_bar(total=length, title='emoji corpus', unit='image') as bar,
    ):
        images = np.empty((length, SIZE, SIZE, 3), np.uint8)
        for start, chunk in zip(starts, pool.map(draw, starts), strict=True):
            images[start : start + len(chunk)] = chunk
            bar.update(len(chunk))
    with atomic_write(file) as stream:
        np.save(stream, images, allow_pickle=False)


def choose_object(index: int, seed: int) -> tuple[str, Glyph]:
    """Return class ('' for none) and glyph of image ``index``."""
    rng = make_generator(seed, STREAMS['corpus'], index, 0)
    class_name = ''
    if rng.random() < _CLASS_SHARE:
        class_name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]
    return class_name, choose_glyph(class_name, rng)


def _draw_chunk(start: int, *, length: int, seed: int) -> np.ndarray:
    images = []
    for index in range(start, min(start + _CHUNK, length)):
        _, glyph = choose_object(index, seed)
        rng = make_generator(seed, STREAMS['corpus'], index, 1)
        images.append(np.asarray(draw_web_look(glyph, rng)))
    return np.stack(images)


def _shift(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror half of the images and shift by up to two pixels."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode='edge')
    y, x = rng.integers(5, size=2)
    return padded[y : y + SIZE, x : x + SIZE]
