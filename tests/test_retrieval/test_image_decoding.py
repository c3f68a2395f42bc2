import numpy as np
import pytest
from PIL import Image
from web_memory import claim_size, save

from ltvl_mm.utils.image_decoding import (
    decode_image,
    list_image_suffixes,
    list_raster_formats,
)

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def _pixel(image, place=(0, 0)):
    assert image.mode == 'RGB'
    return image.getpixel(place)


def test_plain_images_keep_their_size_and_color():
    image = decode_image(save(Image.new('RGB', (5, 3), RED)))
    assert (_pixel(image), image.size) == (RED, (5, 3))


@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'GIF', 'BMP', 'WEBP'])
def test_the_formats_of_the_web_are_read(kind):
    data = save(Image.new('RGB', (8, 8), RED), kind)
    assert np.allclose(_pixel(decode_image(data)), RED, atol=4)


@pytest.mark.parametrize('mode', ['1', 'L', 'I;16'])
def test_grey_becomes_rgb(mode):
    black = decode_image(save(Image.new(mode, (4, 4))))
    assert _pixel(black) == (0, 0, 0)


def test_cmyk_becomes_rgb():
    data = save(Image.new('CMYK', (8, 8), (0, 255, 255, 0)), 'JPEG')
    assert np.allclose(_pixel(decode_image(data)), RED, atol=4)


@pytest.mark.parametrize(
    ('mode', 'color'), [('RGBA', (0, 0, 0, 0)), ('LA', (0, 0))]
)
def test_transparent_pixels_are_white_and_not_what_hides_below(mode, color):
    assert _pixel(decode_image(save(Image.new(mode, (4, 4), color)))) == WHITE


def test_half_transparent_red_is_pink():
    half = save(Image.new('RGBA', (4, 4), (255, 0, 0, 128)))
    assert _pixel(decode_image(half)) == (255, 127, 127)


def test_palettes_are_looked_up_and_their_transparency_is_white():
    image = Image.new('P', (2, 1))
    image.putpalette([*RED, *GREEN])
    image.putpixel((1, 0), 1)
    found = decode_image(save(image))
    assert [_pixel(found, (x, 0)) for x in (0, 1)] == [RED, GREEN]
    found = decode_image(save(image, transparency=0))
    assert [_pixel(found, (x, 0)) for x in (0, 1)] == [WHITE, GREEN]


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new('RGB', (4, 4), color) for color in (RED, GREEN)]
    data = save(frames[0], 'GIF', save_all=True, append_images=frames[1:])
    assert _pixel(decode_image(data)) == RED


def test_a_photo_taken_sideways_is_turned_upright():
    image = Image.new('RGB', (16, 8), GREEN)
    image.paste(RED, (0, 0, 8, 8))  # the left half
    exif = Image.Exif()
    exif[0x0112] = 6  # show it turned clockwise: left becomes top
    found = decode_image(save(image, 'JPEG', exif=exif, quality=95))
    assert found.size == (8, 16)
    assert np.allclose(_pixel(found, (4, 2)), RED, atol=8)
    assert np.allclose(_pixel(found, (4, 13)), GREEN, atol=8)


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (b'', 'empty file'),
        (b'<!DOCTYPE html><html>404</html>', 'no known image format'),
        (save(Image.effect_noise((64, 64), 50))[:900], 'not decodable'),
        (save(Image.effect_noise((64, 64), 50), 'JPEG')[:900], 'truncated'),
    ],
)
def test_what_is_no_whole_image_is_refused_with_a_reason(data, message):
    with pytest.raises(ValueError, match=message):
        decode_image(data)


def test_the_reason_is_the_same_each_time():
    reasons = []
    for _ in range(2):  # Pillow's own text names a memory address
        with pytest.raises(ValueError) as info:  # noqa: PT011
            decode_image(b'no image')
        reasons.append(str(info.value))
    assert reasons[0] == reasons[1]


def test_an_image_of_too_many_pixels_is_refused():
    data = save(Image.new('RGB', (10, 10)))
    assert decode_image(data, max_pixels=100).size == (10, 10)
    with pytest.raises(ValueError, match='10 x 10 px is more than 99 pixels'):
        decode_image(data, max_pixels=99)


@pytest.mark.filterwarnings('ignore::PIL.Image.DecompressionBombWarning')
@pytest.mark.parametrize(
    ('side', 'message'),
    [
        (10_001, '10001 x 10001 px is more than 100000000 pixels'),
        (60_000, 'DecompressionBombError'),  # Pillow is first
    ],
)
def test_a_bomb_is_refused_before_it_is_decoded(side, message):
    with pytest.raises(ValueError, match=message):
        decode_image(claim_size(side))


@pytest.mark.parametrize('size', [(1, 101), (201, 2)])
def test_a_line_is_refused(size):
    # Its short side scaled to 224, it would fill the memory.
    with pytest.raises(ValueError, match='px is a line, not a picture'):
        decode_image(save(Image.new('L', size)))
    assert decode_image(save(Image.new('L', (200, 2)))).size == (200, 2)


@pytest.mark.filterwarnings('ignore')  # Pillow's, on what is broken
@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'GIF', 'WEBP', 'BMP'])
def test_random_damage_gives_an_image_or_a_value_error(kind):
    rng = np.random.default_rng(0)
    whole = save(Image.effect_noise((12, 9), 60).convert('RGB'), kind)
    for _ in range(100):
        data = bytearray(whole[: rng.integers(1, 2 * len(whole))])
        for place in rng.integers(len(data), size=3):
            data[place] = rng.integers(256)
        try:
            image = decode_image(bytes(data))
        except ValueError:
            continue
        assert image.mode == 'RGB'
        save(image)  # it is decoded, not only opened


def test_suffixes_are_those_of_the_formats_that_are_opened():
    expected = set(
        'jpg jpeg jpe jfif png apng webp gif bmp tif tiff ppm pgm pbm pnm '
        'tga jp2 j2k mpo'.split()
    )
    suffixes, formats = list_image_suffixes(), set(list_raster_formats())
    assert expected <= suffixes
    assert not suffixes & {'eps', 'ps', 'pdf', 'wmf', 'emf', 'svg'}
    assert not formats & {'EPS', 'WMF', 'PDF', 'IPTC', 'FPX'}
