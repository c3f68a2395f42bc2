"""Classes of the emoji world, and the glyphs that show them.

A class is a concept such as 'water bird' with up to seven glyphs, so that its
images look as different from each other as those of a real class: five
photos show a few of its looks only.
"""

import json
from dataclasses import dataclass
from importlib.resources import files

# Shown wherever pictures of the world are: its license asks for it.
ATTRIBUTION = (
    'All emojis designed by OpenMoji, the open-source emoji and icon '
    'project. License: CC BY-SA 4.0'
)
MAX_GLYPHS = 7


@dataclass(frozen=True)
class Glyph:
    """An emoji of OpenMoji.

    Args:
        code_point: Unicode code point.
        name: English name in lower case, such as ``'snowy mountain'``.
    """

    code_point: int
    name: str


def _read_glyphs(names: dict[str, str]) -> tuple[Glyph, ...]:
    return tuple(
        Glyph(int(code.removeprefix('U+'), 16), name)
        for code, name in names.items()
    )


_FACTS = json.loads(
    (files('ltvl_mm') / 'datasets/emoji_concepts.json').read_text('utf-8')
)
CLASS_NAMES = tuple(sorted(_FACTS['concepts']))

# Class name -> its glyphs; no glyph belongs to two classes.
CLASS_GLYPHS = {
    name: _read_glyphs(_FACTS['concepts'][name]['glyphs'])[:MAX_GLYPHS]
    for name in CLASS_NAMES
}

# Class name -> group of classes that are easily confused, such as 'animal'.
CLASS_GROUPS = {
    name: _FACTS['concepts'][name]['group'] for name in CLASS_NAMES
}

# Glyphs of no class. Twins of class glyphs, such as other clock faces, are
# left out: retrieving one would be counted as wrong though it looks right.
OTHER_GLYPHS = _read_glyphs(_FACTS['others'])
