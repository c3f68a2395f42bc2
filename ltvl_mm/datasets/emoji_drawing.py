"""Draw images of the emoji world: a glyph on a cluttered ground, 32 x 32 px.

Drawn at twice the size and halved, for soft edges.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ltvl_mm.datasets.emoji_concepts import OTHER_GLYPHS
from ltvl_mm.datasets.emoji_glyphs import GLYPH_SIZE, render_glyph

SIZE = 32
STYLES = ('photo', 'outline', 'gray', 'poster', 'tint', 'paper')

_SIDE = 2 * SIZE
_BOX = (_SIDE, _SIDE)


@dataclass(frozen=True)
class Look:
    """Ranges of what changes from image to image.

    Args:
        scale: Side of the object as a share of the image.
        degrees: Largest rotation, to both sides.
        shear: Largest shear, to both sides.
        stretch: Largest logarithm of the aspect ratio.
        hue: Standard deviation of the hue, in degrees.
        saturation: Factor of the saturation.
        brightness: Factor of the brightness.
        ground_contrast: Share of the ground's contrast that is left.
        strangers: Share of images with another object at the border.
        occluded: Share of images in which something covers the object.
        noise: Standard deviation of the pixel noise, of 255.
    """

    scale: tuple[float, float] = (0.72, 0.98)
    degrees: float = 12
    shear: float = 0.08
    stretch: float = 0.15
    hue: float = 10
    saturation: tuple[float, float] = (0.8, 1.2)
    brightness: tuple[float, float] = (0.85, 1.1)
    ground_contrast: float = 0.45
    strangers: float = 0.1
    occluded: float = 0.15
    noise: tuple[float, float] = (2, 8)


# Images on the web show their object well; those of the target do less.
WEB_LOOK = Look()
TARGET_LOOK = Look(
    scale=(0.6, 0.95),
    degrees=20,
    shear=0.12,
    stretch=0.2,
    hue=25,
    saturation=(0.5, 1.3),
    brightness=(0.6, 1.15),
    ground_contrast=0.7,
    strangers=0.3,
    occluded=0.3,
    noise=(2, 14),
)


def draw_image(
    code_points: tuple[int, ...],
    rng: np.random.Generator,
    *,
    style: str = 'photo',
    look: Look = WEB_LOOK,
) -> Image.Image:
    """Draw one (32, 32) RGB image.

    Args:
        code_points: Glyphs to show: one that fills the image, two side by
            side, or none, for a ground without an object.
        rng: Source of position, size, rotation, colors, ground and noise.
        style: ``'photo'``, or another look of web images: one of
            :data:`STYLES`.
        look: Strength of the differences between images.

    Raises:
        ValueError: If the style is unknown or there are three glyphs.
    """
    if style not in STYLES:
        raise ValueError(f'style must be one of {STYLES}, got {style!r}')
    if len(code_points) > 2:
        raise ValueError(f'expected at most two glyphs, got {code_points}')
    plain = style in ('outline', 'paper')
    canvas = _draw_paper(rng) if plain else _draw_ground(rng, look)
    if not plain and rng.random() < look.strangers:
        _paste_stranger(canvas, rng, look)
    _paste_objects(canvas, code_points, rng, look, outline=style == 'outline')
    if not plain and rng.random() < look.occluded:
        _draw_occluders(canvas, rng)
    image = _apply_style(canvas.reduce(2), style, rng)
    pixels = np.asarray(image, np.float32)
    noise = rng.standard_normal(pixels.shape, np.float32)
    pixels = pixels + rng.uniform(*look.noise) * noise
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _paste_objects(
    canvas: Image.Image,
    code_points: tuple[int, ...],
    rng: np.random.Generator,
    look: Look,
    *,
    outline: bool,
) -> None:
    for number, code_point in enumerate(code_points):
        if len(code_points) == 1:
            scale = rng.uniform(*look.scale)
            slack = (1 - scale) / 2 + 0.03
            center = 0.5 + rng.uniform(-slack, slack, 2)
        else:
            scale = rng.uniform(0.48, 0.6)
            center = np.array([0.27 + 0.46 * number, rng.uniform(0.35, 0.65)])
        glyph = _transform_glyph(
            code_point, rng, look, scale=scale, center=center
        )
        if outline:
            glyph = _trace_outline(glyph)
        else:
            glyph = _shift_colors(glyph, rng, look)
        canvas.paste(glyph, (0, 0), glyph)


def _transform_glyph(
    code_point: int,
    rng: np.random.Generator,
    look: Look,
    *,
    scale: float,
    center: np.ndarray,
) -> Image.Image:
    """Return a canvas-sized RGBA image with a scaled, turned glyph.

    Args:
        code_point: Glyph to show.
        rng: Source of rotation, shear, aspect ratio and mirroring.
        look: Their ranges.
        scale: Side of the glyph as a share of the canvas.
        center: (x, y) of its center as a share of the canvas.
    """
    angle = math.radians(rng.uniform(-look.degrees, look.degrees))
    shear = rng.uniform(-look.shear, look.shear)
    stretch = math.exp(rng.uniform(-look.stretch, look.stretch) / 2)
    mirror = -1 if rng.random() < 0.5 else 1
    # Pillow asks for the map from canvas to glyph, so all is inverted.
    turn = np.array(
        [
            [math.cos(angle), math.sin(angle)],
            [-math.sin(angle), math.cos(angle)],
        ]
    )
    skew = np.array([[1, -shear], [0, 1]])
    size = np.diag([mirror / stretch, stretch]) / scale
    matrix = size @ skew @ turn * (GLYPH_SIZE / _SIDE)
    offset = GLYPH_SIZE / 2 - matrix @ (center * _SIDE)
    coefficients = np.column_stack([matrix, offset]).ravel()
    return render_glyph(code_point).transform(
        _BOX,
        Image.Transform.AFFINE,
        coefficients.tolist(),
        Image.Resampling.BILINEAR,
    )


def _shift_colors(
    glyph: Image.Image, rng: np.random.Generator, look: Look
) -> Image.Image:
    """Change hue, saturation and brightness, as light and cameras do."""
    hue = math.radians(rng.normal(0, look.hue))
    saturation = rng.uniform(*look.saturation)
    brightness = rng.uniform(*look.brightness)
    # Rotate and stretch around the gray axis (Rodrigues' formula).
    cos, sin = math.cos(hue), math.sin(hue)
    gray = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    rotated = cos * (np.eye(3) - gray) + sin * cross
    matrix = brightness * (gray + saturation * rotated)
    rows = np.column_stack([matrix, np.zeros(3)]).ravel().tolist()
    shifted = glyph.convert('RGB').convert('RGB', rows)
    shifted.putalpha(glyph.getchannel('A'))
    return shifted


def _trace_outline(glyph: Image.Image) -> Image.Image:
    """Keep the black lines of a glyph alone, as a pencil drawing."""
    dark = glyph.convert('L').point(lambda v: 255 if v < 90 else 0)
    line = Image.new('RGBA', glyph.size, (40, 40, 45, 255))
    mask = Image.new('L', glyph.size)
    mask.paste(dark, (0, 0), glyph.getchannel('A'))
    line.putalpha(mask)
    return line


def _draw_paper(rng: np.random.Generator) -> Image.Image:
    shade = int(rng.integers(205, 256))
    tint = rng.integers(-12, 1, 3)
    return Image.new('RGB', _BOX, tuple(int(v) for v in shade + tint))


def _draw_ground(rng: np.random.Generator, look: Look) -> Image.Image:
    """Draw a flat color, a gradient, noise or blurred glyphs, muted."""
    kind = rng.choice(4, p=[0.2, 0.25, 0.25, 0.3])
    if kind == 3:
        cells = _blur_glyphs(rng)
    else:
        # 1 x 1, 2 x 2 or 8 x 8 random colors, interpolated.
        cells = rng.integers(0, 256, ((1, 2, 8)[kind],) * 2 + (3,))
    middle = rng.uniform(70, 200)
    muted = middle + look.ground_contrast * (cells - 128.0)
    return Image.fromarray(muted.clip(0, 255).astype(np.uint8)).resize(
        _BOX, Image.Resampling.BILINEAR
    )


def _blur_glyphs(rng: np.random.Generator) -> np.ndarray:
    """Return (12, 12, 3) colors of a ground with two glyphs out of focus."""
    color = tuple(int(v) for v in rng.integers(0, 256, 3))
    ground = Image.new('RGB', (12, 12), color)
    for index in rng.integers(len(OTHER_GLYPHS), size=2):
        glyph = render_glyph(OTHER_GLYPHS[index].code_point)
        side = int(rng.integers(6, 12))
        small = glyph.resize((side, side), Image.Resampling.BOX)
        x, y = (int(v) for v in rng.integers(-4, 9, 2))
        ground.paste(small, (x, y), small)
    return np.asarray(ground, np.float32)


def _paste_stranger(
    canvas: Image.Image, rng: np.random.Generator, look: Look
) -> None:
    """Paste a small glyph of no class that the border cuts."""
    code_point = OTHER_GLYPHS[rng.integers(len(OTHER_GLYPHS))].code_point
    center = rng.uniform(0, 1, 2)
    center[rng.integers(2)] = rng.integers(2)  # on one of the four borders
    glyph = _transform_glyph(
        code_point, rng, look, scale=rng.uniform(0.3, 0.45), center=center
    )
    canvas.paste(glyph, (0, 0), glyph)


def _draw_occluders(canvas: Image.Image, rng: np.random.Generator) -> None:
    """Cover parts of the object by one or two bars or disks."""
    pen = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 3))):
        color = tuple(int(v) for v in rng.integers(40, 200, 3))
        x, y = (int(v) for v in rng.integers(0, _SIDE, 2))
        width, height = (int(v) for v in rng.integers(8, 22, 2))
        box = [x, y, x + width, y + height]
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw(box, fill=color)


def _apply_style(
    image: Image.Image, style: str, rng: np.random.Generator
) -> Image.Image:
    if style == 'gray':
        return image.convert('L').convert('RGB')
    if style == 'poster':
        return image.point(lambda value: value // 64 * 85)  # four levels
    if style == 'tint':
        color = tuple(int(v) for v in rng.integers(0, 256, 3))
        tint = Image.new('RGB', image.size, color)
        return Image.blend(image, tint, rng.uniform(0.2, 0.4))
    return image
