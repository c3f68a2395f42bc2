"""Answers and found images as HTML; every text is escaped.

Captions come from the web, and file and class names from users of the
demo: none of them may bring markup.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

from comparison import Answer
from memory_search import FoundImage
from PIL import Image

STYLE = """<style>
.ltvl { display: flex; flex-wrap: wrap; gap: 12px; margin-bottom: 16px }
.ltvl figure { width: 160px; margin: 0; overflow-wrap: anywhere }
.ltvl img { width: 160px; height: 160px; object-fit: contain }
.ltvl th, .ltvl td { text-align: left; vertical-align: top; padding: 4px }
</style>"""

_SIDE = 160


def render_answers(
    answers: Mapping[str, tuple[Image.Image, Sequence[Answer]]],
) -> str:
    """Return a table: a row per image, a column per model.

    Args:
        answers: Name of an image -> itself and what the models say.
    """
    models = [answer.model for answer in next(iter(answers.values()))[1]]
    head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in models)
    rows = ''.join(
        f'<tr><th scope="row">{_render_picture(picture, name)}'
        f'<br>{escape(name)}</th>'
        f'{"".join(map(_render_answer, said))}</tr>'
        for name, (picture, said) in answers.items()
    )
    return (
        f'{STYLE}<div class="ltvl"><table><thead><tr>'
        f'<th scope="col">image</th>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div>'
    )


def render_found(found: Mapping[str, Sequence[FoundImage]]) -> str:
    """Return a heading and a gallery per class."""
    parts = [STYLE]
    for name, images in found.items():
        figures = ''.join(map(_render_image, images))
        parts.append(
            f'<h3>{escape(name)}</h3><div class="ltvl">{figures}</div>'
        )
    return ''.join(parts)


def _render_answer(answer: Answer) -> str:
    lines = [f'{share:.1%} {escape(name)}' for name, share in answer.scores]
    if answer.note:
        lines.append(f'<em>{escape(answer.note)}</em>')
    return f'<td>{"<br>".join(lines)}</td>'


def _render_image(found: FoundImage) -> str:
    shown = (
        f'<em>{escape(found.reason)}</em>'
        if found.picture is None
        else _render_picture(found.picture, found.caption or found.key)
    )
    share = '' if found.share is None else f'p {found.share:.3f}, '
    return (
        f'<figure>{shown}<figcaption><b>{share}cosine {found.cosine:.3f}</b>'
        f'<br>{escape(found.caption or "no caption")}'
        f'<br><small>{escape(found.key)}</small></figcaption></figure>'
    )


def _render_picture(picture: Image.Image, text: str) -> str:
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE))
    data = io.BytesIO()
    small.save(data, 'JPEG', quality=85)
    code = base64.b64encode(data.getvalue()).decode()
    return f'<img src="data:image/jpeg;base64,{code}" alt="{escape(text)}">'
