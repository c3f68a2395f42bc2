"""Draw the toy world: coloured shapes on cluttered ground, 32 x 32 px.

A class is a colour and a shape, so that its name means something that a
contrastive model can learn from captions of other classes. Colour is the easy
half; shape, at this size and with rotation and clutter, the hard one.
"""

import math

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {
    'red': (214, 39, 40),
    'orange': (255, 140, 0),
    'yellow': (238, 220, 40),
    'green': (44, 160, 44),
    'cyan': (30, 200, 210),
    'blue': (40, 70, 220),
    'purple': (140, 50, 180),
    'white': (240, 240, 240),
}
SHAPES = (
    'circle',
    'square',
    'triangle',
    'star',
    'cross',
    'ring',
    'diamond',
    'hexagon',
    'heart',
    'arrow',
    'moon',
    'bar',
)
CLASS_NAMES = tuple(sorted(f'{c} {s}' for c in COLOURS for s in SHAPES))
SIZE = 32

# Drawn this many times too large, then shrunk, for soft edges.
_ZOOM = 2


def draw_image(
    name: str | None, rng: np.random.Generator, *, web_look: bool
) -> Image.Image:
    """Draw one (32, 32) RGB image.

    Args:
        name: ``'<colour> <shape>'``, or None for clutter without an object.
        rng: Decides place, size, turn, ground and noise.
        web_look: Half of the images are outline drawings on paper, the
            others filled on a smooth ground; else a photo-like image.

    Raises:
        ValueError: If the name is no colour and shape of this world.
    """
    outlined = web_look and rng.random() < 0.5
    canvas = _draw_ground(rng, paper=outlined, smooth=web_look)
    if name is not None:
        colour, _, shape = name.partition(' ')
        if colour not in COLOURS or shape not in SHAPES:
            raise ValueError(
                f'expected "<colour> <shape>" of this world, got {name!r}'
            )
        _draw_object(canvas, colour, shape, rng, outlined=outlined)
    image = canvas.resize((SIZE, SIZE), Image.Resampling.BOX)
    pixels = np.asarray(image, np.float32)
    pixels = pixels * rng.uniform(0.8, 1.15) + rng.normal(
        0, rng.uniform(2, 10), pixels.shape
    )
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _draw_ground(
    rng: np.random.Generator, *, paper: bool, smooth: bool
) -> Image.Image:
    side = SIZE * _ZOOM
    if paper:
        shade = int(rng.integers(110, 215))
        return Image.new('RGB', (side, side), (shade, shade, shade - 15))
    # Muted colours: the object's own are saturated.
    corners = rng.integers(40, 170, (2, 2, 1)) + rng.integers(
        -25, 26, (2, 2, 3)
    )
    ground = Image.fromarray(corners.clip(0, 255).astype(np.uint8)).resize(
        (side, side), Image.Resampling.BILINEAR
    )
    if not smooth:
        pen = ImageDraw.Draw(ground)
        for _ in range(int(rng.integers(3, 9))):
            _draw_clutter(pen, rng, side)
    return ground


def _draw_clutter(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int
) -> None:
    grey = int(rng.integers(30, 200))
    fill = tuple(int(v) for v in grey + rng.integers(-30, 31, 3))
    x0, y0 = rng.integers(-8, side, 2)
    width, height = rng.integers(4, side // 2, 2)
    box = [int(x0), int(y0), int(x0 + width), int(y0 + height)]
    kind = rng.integers(3)
    if kind == 0:
        pen.line(box, fill=fill, width=int(rng.integers(1, 5)))
    elif kind == 1:
        pen.ellipse(box, fill=fill)
    else:
        pen.rectangle(box, fill=fill)


def _draw_object(
    canvas: Image.Image,
    colour: str,
    shape: str,
    rng: np.random.Generator,
    *,
    outlined: bool,
) -> None:
    side = canvas.width
    radius = side * rng.uniform(0.26, 0.42)
    centre = side / 2 + rng.uniform(-0.12, 0.12, 2) * side
    turn = rng.uniform(-math.pi / 7, math.pi / 7)
    rotation = np.array(
        [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    )
    ink = np.array(COLOURS[colour]) + rng.integers(-18, 19, 3)
    fill = tuple(int(v) for v in ink.clip(0, 255))
    pen = ImageDraw.Draw(canvas)
    contours = [
        (part @ rotation.T * radius + centre) for part in _OUTLINES[shape]
    ]
    if outlined:
        for contour in contours:
            points = [tuple(p) for p in contour]
            pen.line(
                [*points, points[0], points[1]],
                fill=fill,
                width=int(rng.integers(5, 8)),
                joint='curve',
            )
        return
    mask = Image.new('L', canvas.size, 0)
    mask_pen = ImageDraw.Draw(mask)
    for number, contour in enumerate(contours):  # the second is the hole
        mask_pen.polygon(
            [tuple(p) for p in contour], fill=0 if number else 255
        )
    canvas.paste(fill, (0, 0), mask)


def _polygon(
    corners: int, *, inner: float = 1.0, start: float = -0.25
) -> np.ndarray:
    """Corners on the unit circle; ``inner`` pulls every second one in."""
    step = 2 * math.pi * (np.arange(corners) / corners + start)
    radii = np.where(np.arange(corners) % 2, inner, 1.0)
    return np.stack([radii * np.cos(step), radii * np.sin(step)], 1)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * math.pi, 28, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(
        13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    )
    return np.stack([x, y], 1) / 16


def _moon() -> np.ndarray:
    outer = np.linspace(0.25, 1.75, 20) * math.pi
    inner = np.linspace(1.62, 0.38, 14) * math.pi
    return np.concatenate(
        [
            np.stack([np.cos(outer), np.sin(outer)], 1),
            np.stack([0.45 + 0.85 * np.cos(inner), 0.8 * np.sin(inner)], 1),
        ]
    )


_CROSS = np.array(
    [
        (-0.33, -1),
        (0.33, -1),
        (0.33, -0.33),
        (1, -0.33),
        (1, 0.33),
        (0.33, 0.33),
        (0.33, 1),
        (-0.33, 1),
        (-0.33, 0.33),
        (-1, 0.33),
        (-1, -0.33),
        (-0.33, -0.33),
    ]
)
_ARROW = np.array(
    [
        (-1, -0.25),
        (0.1, -0.25),
        (0.1, -0.8),
        (1, 0),
        (0.1, 0.8),
        (0.1, 0.25),
        (-1, 0.25),
    ]
)
_BAR = np.array([(-1.1, -0.28), (1.1, -0.28), (1.1, 0.28), (-1.1, 0.28)])

_OUTLINES: dict[str, list[np.ndarray]] = {
    'circle': [_polygon(32)],
    'square': [_polygon(4, start=0.125)],
    'triangle': [_polygon(3)],
    'star': [_polygon(10, inner=0.42)],
    'cross': [_CROSS],
    'ring': [_polygon(32), _polygon(32) * 0.52],
    'diamond': [_polygon(4) * np.array([0.6, 1.1])],
    'hexagon': [_polygon(6)],
    'heart': [_heart()],
    'arrow': [_ARROW],
    'moon': [_moon()],
    'bar': [_BAR],
}
