"""A hook of mkdocs: files of the repository that pages link to are pages.

Links stay as they work in the clone and on its host (``../tools/test.py``).
On the site, such a file is a page below ``repository/``: Markdown unchanged,
code in a block. A link to nothing fails a strict build, as any other.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r'(\]\()(?![a-z]+:|#)([^)#\s]+)((?:#[^)\s]*)?\))')
_FENCE = re.compile(r'^( *)```.*?^\1```$', re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that pages lead to, and those that these lead to."""
    known: set[str] = set()
    wanted = [
        path
        for page in files.documentation_pages()
        for path in _find_links(page.content_string, f'docs/{page.src_uri}')
    ]
    while wanted:
        path = wanted.pop()
        if path in known or not (ROOT / path).is_file():
            continue  # what is not there, the web host of the links reports
        known.add(path)
        text = (ROOT / path).read_text(encoding='utf-8')
        if path.endswith('.md'):
            wanted += _find_links(text, path)
        else:
            kind = Path(path).suffix.lstrip('.')
            text = f'# {path}\n\n``````{kind}\n{text}\n``````\n'
        files.append(File.generated(config, _name_page(path), content=text))
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Point the links of a page to where those files are on the site."""
    here = page.file.src_uri
    origin = (
        here.removeprefix('repository/')
        if here.startswith('repository/')
        else f'docs/{here}'
    )
    if not origin.endswith('.md') or origin.endswith('.py.md'):
        return markdown

    def point(found: re.Match) -> str:
        path = _resolve(found[2], origin)
        target = (
            path.removeprefix('docs/')
            if path.startswith('docs/')
            else _name_page(path)
        )
        link = posixpath.relpath(target, posixpath.dirname(here) or '.')
        return f'{found[1]}{link}{found[3]}'

    return _outside_fences(markdown, lambda text: _LINK.sub(point, text))


def _find_links(text: str, origin: str) -> list[str]:
    """Return the files outside docs that a document links to."""
    paths = [
        _resolve(found[2], origin)
        for found in _LINK.finditer(_FENCE.sub('', text))
    ]
    return [path for path in paths if not path.startswith('docs/')]


def _resolve(link: str, origin: str) -> str:
    return posixpath.normpath(posixpath.join(os.path.dirname(origin), link))


def _name_page(path: str) -> str:
    return f'repository/{path}' + ('' if path.endswith('.md') else '.md')


def _outside_fences(text: str, change: object) -> str:
    """Apply ``change`` to what stands between fenced blocks."""
    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [change(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return ''.join([*parts, change(text[end:])])
