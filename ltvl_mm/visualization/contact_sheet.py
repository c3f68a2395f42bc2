"""A sheet of retrieved images: a row per class, best first."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.utils.image_decoding import read_image
from ltvl_mm.utils.io import atomic_write

_TILE = 72
_LABEL = 190
_LINE = 16
_FONT_SIZE = 13


def draw_contact_sheet(
    path: str | Path,
    manifest: Manifest,
    root: str | Path,
    *,
    counts: np.ndarray | None = None,
    classes: int = 16,
    images: int = 12,
) -> None:
    """Write a PNG of the best images of some classes, with their scores.

    A name is drawn with an installed font that has its characters. A warning
    lists the characters that no font has.

    Args:
        path: Path of the PNG file.
        manifest: Manifest of the retrieved images.
        root: Folder that the manifest's file paths start from.
        counts: (K,) numbers of training images; the rarest classes with
            retrieved images are shown, the rarest first. None (default)
            shows the first classes of the manifest.
        classes: Maximum number of classes, one row each; default 16.
        images: Maximum number of images per class, one column each; default
            12.

    Raises:
        ValueError: If nothing was retrieved.
    """
    present = np.flatnonzero(manifest.count_classes())
    if not len(present):
        raise ValueError(f'{manifest.name} has no image to show')
    if counts is not None:
        present = present[np.argsort(counts[present], kind='stable')]
    present = present[:classes]
    height = _TILE + _LINE + 6
    sheet = Image.new(
        'RGB', (_LABEL + images * (_TILE + 4), height * len(present)), 'white'
    )
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=_FONT_SIZE)
    runs = _split_names([manifest.class_names[k] for k in present], path)
    for line, label in enumerate(present):
        top = line * height
        first, last = np.searchsorted(manifest.class_id, [label, label + 1])
        name = manifest.class_names[label]
        text = f'{last - first} retrieved'
        if counts is not None:
            text += f'\n{counts[label]} training images'
        _draw_line(pen, (6, top + 10 + font.getmetrics()[0]), runs[name])
        pen.multiline_text(
            (6, top + 10 + _LINE), text, fill='black', font=font
        )
        for column, row in enumerate(range(first, min(last, first + images))):
            left = _LABEL + column * (_TILE + 4)
            tile = _load_tile(Path(root) / manifest.file[row])
            sheet.paste(tile, (left, top))
            pen.text(
                (left + 2, top + _TILE),
                f'{manifest.score[row]:+.2f}',
                fill='black',
                font=font,
            )
    with atomic_write(path) as file:
        sheet.save(file, 'PNG')


def _split_names(
    names: Sequence[str], path: str | Path
) -> dict[str, list[tuple[str, ImageFont.FreeTypeFont]]]:
    """Return runs of each name with a font; warn of characters without one."""
    default = ImageFont.load_default(size=_FONT_SIZE)
    runs = {name: [(name, default)] for name in names if name.isascii()}
    others = [name for name in names if name not in runs]
    if others:
        # Pillow's own font has little more than ASCII. Only other names need
        # matplotlib, which is an optional requirement.
        from ltvl_mm.visualization.fonts import split_by_font, warn_missing

        missing: set[str] = set()
        for name in others:
            runs[name], characters = split_by_font(name, _FONT_SIZE)
            missing.update(characters)
        warn_missing(''.join(sorted(missing)), str(path))
    return runs


def _draw_line(
    pen: ImageDraw.ImageDraw,
    left_base: tuple[float, float],
    runs: Sequence[tuple[str, ImageFont.FreeTypeFont]],
) -> None:
    """Draw runs of text from the left on one base line."""
    left, base = left_base
    for text, font in runs:
        pen.text((left, base), text, fill='black', font=font, anchor='ls')
        left += font.getlength(text)


def _load_tile(path: Path) -> Image.Image:
    """Return the image on a square tile, or a gray one if it is gone."""
    tile = Image.new('RGB', (_TILE, _TILE), 'lightgrey')
    try:
        image = read_image(path, draft_side=_TILE)
    except (OSError, ValueError):
        return tile
    # Small images are magnified with sharp pixels.
    is_small = max(image.size) < _TILE
    resample = 'NEAREST' if is_small else 'LANCZOS'
    small = ImageOps.contain(image, (_TILE, _TILE), Image.Resampling[resample])
    offset = ((_TILE - small.width) // 2, (_TILE - small.height) // 2)
    tile.paste(small, offset)
    return tile
