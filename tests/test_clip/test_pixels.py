"""Fast 8-bit preprocessing compared with open_clip's transform."""

import io

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from open_clip.transformer import VisionTransformer
from PIL import Image

from ltvl_mm.clip.pixels import PixelNormalizer, PixelTransform
from ltvl_mm.clip.preprocessing import find_preprocessing
from ltvl_mm.utils import pixel_view
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.pixel_view import view_pixels

# Widths and heights: the sizes of downloads, enlarged images, lines.
SIZES = [(340, 256), (61, 40), (40, 61), (224, 224), (20, 310), (7, 3)]


def draw_photo(width, height, seed=0):
    """Draw coarse shapes and fine grain, as photos have them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 9 + 2, width // 9 + 2, 3))
    shapes = Image.fromarray(coarse.astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.normal(0, 8, (height, width, 3))
    pixels = np.clip(np.asarray(shapes) + grain, 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


def measure_differences(preprocessing, image):
    """Return mean and maximum difference to open_clip's pixels, of 255."""
    theirs = image_transform_v2(preprocessing, is_train=False)(image)
    mean = torch.tensor(preprocessing.mean).view(3, 1, 1)
    std = torch.tensor(preprocessing.std).view(3, 1, 1)
    pixels = PixelTransform(preprocessing)(image)
    assert pixels.dtype == torch.uint8
    assert pixels.shape == theirs.shape
    difference = (255 * (theirs * std + mean) - pixels).abs()
    return difference.mean().item(), difference.max().item()


@pytest.mark.parametrize('size', [224, (32, 48), (48, 32)])
@pytest.mark.parametrize('interpolation', ['bicubic', 'bilinear'])
@pytest.mark.parametrize('mode', ['shortest', 'longest', 'squash'])
def test_pixels_are_those_of_open_clip(mode, interpolation, size):
    preprocessing = PreprocessCfg(
        size=size,
        resize_mode=mode,
        interpolation=interpolation,
        fill_color=77,
    )
    for width, height in SIZES:
        image = draw_photo(width, height)
        mean, largest = measure_differences(preprocessing, image)
        assert mean < 0.1
        assert largest < 3.001


def test_each_preprocessing_of_open_clip_is_followed():
    kinds = {}
    for arch, tag in open_clip.list_pretrained():
        found = find_preprocessing(arch, tag)
        kinds[found.size, found.resize_mode, found.interpolation] = found
    assert len(kinds) > 10
    image = draw_photo(53, 37)
    for preprocessing in kinds.values():
        mean, largest = measure_differences(preprocessing, image)
        assert mean < 0.1
        assert largest < 3.001


@pytest.mark.parametrize('interpolation', ['bicubic', 'bilinear'])
@pytest.mark.parametrize('mode', ['shortest', 'longest', 'squash'])
def test_noise_is_resized_as_pillow_does(mode, interpolation):
    # In noise the order in which the sides are resized shows most.
    rng = np.random.default_rng(0)
    sizes = [*SIZES, (256, 340), (33, 300), (100, 170), (100, 151), (90, 91)]
    sizes += [tuple(rng.integers(8, 200, 2).tolist()) for _ in range(30)]
    for size in (64, (32, 48), (48, 32)):
        preprocessing = PreprocessCfg(
            size=size, resize_mode=mode, interpolation=interpolation
        )
        for width, height in sizes:
            noise = rng.integers(0, 256, (height, width, 3), np.uint8)
            image = Image.fromarray(noise)
            mean, largest = measure_differences(preprocessing, image)
            assert mean < 0.1
            assert largest < 3.001


def test_large_jpegs_keep_the_tolerance():
    file = io.BytesIO()
    draw_photo(1600, 1200).save(file, 'JPEG', quality=92)
    image = decode_image(file.getvalue())
    mean, largest = measure_differences(PreprocessCfg(), image)
    assert mean < 0.1
    assert largest < 3.001


def test_a_line_is_not_rounded_to_nothing():
    preprocessing = PreprocessCfg(size=32, resize_mode='longest')
    pixels = PixelTransform(preprocessing)(Image.new('RGB', (1, 90), 'red'))
    assert pixels.shape == (3, 32, 32)
    assert pixels[0].max() == 255


def test_normalization_is_that_of_open_clip_bit_by_bit():
    preprocessing = PreprocessCfg()
    values = np.arange(256, dtype=np.uint8).repeat(3 * 196)
    pixels = values.reshape(224, 224, 3)[::-1].copy()
    theirs = image_transform_v2(preprocessing, is_train=False)(
        Image.fromarray(pixels)
    )
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    assert torch.equal(PixelNormalizer(preprocessing)(batch)[0], theirs)


@pytest.mark.parametrize('size', [(31, 17), (2600, 1700)])
def test_views_hold_the_pixels_of_pillow(size, monkeypatch):
    # The larger image takes several blocks of Pillow's memory.
    image = Image.frombytes('RGB', size, bytes(range(251)) * 55_000, 'raw')
    due = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    pixels = view_pixels(image)
    assert torch.equal(pixels[0, :3], due)
    assert pixels.is_contiguous(memory_format=torch.channels_last)
    monkeypatch.setattr(pixel_view, '_borrow_pixels', lambda _: None)
    assert torch.equal(view_pixels(image)[0], due)


def test_a_view_outlives_its_image():
    image = Image.new('RGB', (64, 64), (1, 2, 3))
    pixels = view_pixels(image)
    del image
    others = [Image.new('RGB', (64, 64), (9, 9, 9)) for _ in range(20)]
    assert len(others) == 20
    assert pixels[0, :3, 0, 0].tolist() == [1, 2, 3]
    assert pixels[0, :3, -1, -1].tolist() == [1, 2, 3]


def test_embeddings_of_a_random_vit_are_those_of_open_clip():
    torch.manual_seed(0)
    tower = VisionTransformer(224, 16, 768, 12, 12, 4.0).eval()
    preprocessing = find_preprocessing('ViT-B-16', None)
    transform = image_transform_v2(preprocessing, is_train=False)
    images = [draw_photo(340, 256), draw_photo(300, 500, seed=1)]
    theirs = torch.stack([transform(image) for image in images])
    pixels = [PixelTransform(preprocessing)(image) for image in images]
    ours = PixelNormalizer(preprocessing)(torch.stack(pixels))
    with torch.inference_mode():
        features = tower(torch.cat([theirs, ours]))
    cosines = torch.cosine_similarity(features[:2], features[2:])
    assert cosines.min() >= 0.9999
    # The features of the two images differ by much more.
    assert torch.dist(features[0], features[1]) > 20 * max(
        torch.dist(features[0], features[2]),
        torch.dist(features[1], features[3]),
    )
