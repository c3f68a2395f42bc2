"""Installed fonts that have the characters of class names."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import matplotlib
from fontTools.ttLib import TTFont, TTLibError
from matplotlib import font_manager
from mmengine.logging import print_log
from PIL import ImageFont

# matplotlib ships it; it has Latin, Greek, Cyrillic and symbols.
_DEFAULT = os.path.join(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')
# Tables of outlines: Pillow cannot scale fonts that have only bitmaps.
_OUTLINES = ('glyf', 'CFF ', 'CFF2')
_MAX_SHOWN = 20


def find_fonts(text: str) -> tuple[list[str], str]:
    """Find the fonts that together have the characters of a text.

    Args:
        text: Any text; spaces and control characters need no font.

    Returns:
        Paths of the fonts, the one with the most characters first and at
        least one; and the characters that no installed font has.
    """
    wanted = {c for c in text if c.isprintable() and not c.isspace()}
    covered = {}
    for font_file in list_fonts():
        covered[font_file] = wanted & _read_characters(font_file)
        if covered[font_file] == wanted:
            return [font_file], ''
    fonts, missing = [], set(wanted)
    while covered:
        best = max(covered, key=lambda file: len(covered[file] & missing))
        if not covered[best] & missing:
            break
        fonts.append(best)
        missing -= covered.pop(best)
    return fonts or [_DEFAULT], ''.join(sorted(missing))


def split_by_font(
    text: str, size: int
) -> tuple[list[tuple[str, ImageFont.FreeTypeFont]], str]:
    """Split a text into runs that one Pillow font can draw.

    Args:
        text: A line of text.
        size: Size in pixels.

    Returns:
        Runs and their fonts; and the characters that no installed font has.
    """
    fonts, missing = find_fonts(text)
    font_runs: list[list[str]] = []
    for character in text:
        font_file = font_runs[-1][1] if font_runs else fonts[0]
        if character not in _read_characters(font_file):
            having = (f for f in fonts if character in _read_characters(f))
            font_file = next(having, font_file)
        if font_runs and font_runs[-1][1] == font_file:
            font_runs[-1][0] += character
        else:
            font_runs.append([character, font_file])
    return [
        (run, ImageFont.truetype(font_file, size))
        for run, font_file in font_runs
    ], missing


@contextmanager
def use_fonts(texts: Iterable[str], picture: str) -> Iterator[None]:
    """Let matplotlib draw texts with installed fonts that have the characters.

    Create the texts and save the figure in this context. ASCII texts change
    nothing.

    Args:
        texts: Texts to draw.
        picture: Name of the picture, for the warning.
    """
    text = ''.join(texts)
    if text.isascii():
        yield
        return
    fonts, missing = find_fonts(text)
    warn_missing(missing, picture)
    names = [_register(font_file) for font_file in fonts]
    # matplotlib falls back to later families, but takes one font of a
    # generic family, which mmengine's visualizer asks for.
    known = matplotlib.rcParams
    settings = {
        'font.sans-serif': [*names, *known['font.sans-serif']],
        'font.family': [*known['font.family'], *names],
    }
    with matplotlib.rc_context(settings):
        yield


def warn_missing(characters: str, picture: str) -> None:
    """Log one sentence if a picture has characters without a font."""
    if not characters:
        return
    shown = ' '.join(characters[:_MAX_SHOWN])
    if len(characters) > _MAX_SHOWN:
        shown += f' ... ({len(characters)} in total)'
    print_log(
        f'{picture}: no installed font has the characters {shown}, '
        f'which are drawn as boxes; install a font that has them, e.g. with '
        f'apt-get install fonts-noto-cjk for Chinese, Japanese and Korean, '
        f'or fonts-noto for other scripts',
        'current',
        level=30,
    )


def list_fonts() -> Iterator[str]:
    """Yield the paths of installed fonts, plain sans-serif ones first."""
    yield _DEFAULT

    def rank(path: str) -> tuple[bool, bool, str]:
        name = os.path.basename(path).lower()
        return 'sans' not in name, 'regular' not in name, path

    yield from sorted(font_manager.findSystemFonts(), key=rank)


@cache
def _read_characters(font_file: str) -> frozenset[str]:
    """Return the characters of a font; none if it cannot be used."""
    try:
        with TTFont(font_file, fontNumber=0, lazy=True) as font:
            if not any(table in font for table in _OUTLINES):
                return frozenset()
            return frozenset(map(chr, font.getBestCmap() or ()))
    except (OSError, TTLibError):
        return frozenset()


@cache
def _register(font_file: str) -> str:
    """Add a font to matplotlib, and return the name of its family."""
    font_manager.fontManager.addfont(font_file)
    return font_manager.FontProperties(fname=font_file).get_name()
