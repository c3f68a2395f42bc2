"""The code blocks of README and docs: which are run, and what they print.

A ``bash`` block is run as it stands, unless it has a title, which says what
it needs that a laptop lacks: ```` ```bash title="Needs 8 GPUs" ````. A
``text`` block behind it is what it prints on stdout: numbers may differ, and
``...`` stands for any lines or, in a line, for any words. A block of another
language with ``title="some/file"`` is that file. A ``pycon`` block is a
doctest.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(
    r'^(?P<indent> *)```(?P<language>\w+)?(?: title="(?P<title>[^"]*)")?\n'
    r'(?P<text>.*?)^(?P=indent)```$',
    re.MULTILINE | re.DOTALL,
)
_NUMBER = re.compile(r'[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?')


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        file: The document, below the root.
        line: Line of its fence, from 1.
        language: ``'bash'``, ``'text'``, ...
        title: '' if it has none.
        text: Content, without indentation.
    """

    file: Path
    line: int
    language: str
    title: str
    text: str

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f'{self.file}:{self.line}'

    @property
    def is_run(self) -> bool:
        """Whether it is a command that a laptop can run."""
        return self.language == 'bash' and not self.title


def list_documents() -> list[Path]:
    """Return the documents, below the root, in the order they are run."""
    first = ['docs/get_started.md']  # the others use what it makes
    found = [
        path.relative_to(ROOT).as_posix()
        for pattern in (
            'README.md',
            'CONTRIBUTING.md',
            'docs/**/*.md',
            'projects/*/README.md',
            'tools/**/README.md',
        )
        for path in sorted(ROOT.glob(pattern))
    ]
    rest = [name for name in found if name not in first]
    return [Path(name) for name in (*first, *rest)]


def read_blocks(file: Path) -> list[Block]:
    """Return the blocks of a document, below the root."""
    text = (ROOT / file).read_text(encoding='utf-8')
    blocks = []
    for found in _FENCE.finditer(text):
        indent = len(found['indent'])
        blocks.append(
            Block(
                file,
                text.count('\n', 0, found.start()) + 1,
                found['language'] or '',
                found['title'] or '',
                ''.join(
                    line[indent:] if line.strip() else '\n'
                    for line in found['text'].splitlines(keepends=True)
                ),
            )
        )
    return blocks


def matches(expected: str, printed: str) -> bool:
    """Return whether a command printed what a document says."""
    pattern = ''
    for line in expected.strip().splitlines():
        if line.strip() == '...':
            pattern += r'(?:.*\n)*'
        else:
            words = re.escape(_mask(line)).replace(re.escape('...'), '.*')
            pattern += words + r'\n'
    lines = [_mask(line) for line in printed.strip().splitlines()]
    text = ''.join(f'{line}\n' for line in lines)
    return re.fullmatch(pattern, text) is not None


def _mask(line: str) -> str:
    """Leave out what differs between machines: numbers and trailing space."""
    return re.sub(r'-+:?', '-', _NUMBER.sub('#', line)).rstrip()
