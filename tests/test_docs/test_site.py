"""The documentation as a site, and the messages that it quotes."""

import re
import subprocess
import sys

import pytest
from documents import ROOT

pytest.importorskip('mkdocs')


def test_the_site_is_built_in_strict_mode(tmp_path):
    """So that no link and no name of the reference leads nowhere."""
    done = subprocess.run(
        [
            *(sys.executable, '-m', 'mkdocs', 'build', '--strict'),
            *('--site-dir', tmp_path),
        ],
        cwd=ROOT,
        env={'NO_MKDOCS_2_WARNING': '1', 'PATH': ''},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # Files of the repository that pages link to are pages, too.
    page = (
        tmp_path / 'repository/ltvl_mm/retrieval/reading/shards.py/index.html'
    )
    assert 'iterate_shard' in page.read_text()
    text = (tmp_path / 'follow_one_image/index.html').read_text()
    assert 'href="../repository/ltvl_mm/retrieval/reading/shards.py/"' in text
    assert 'ltvl_mm.models.losses.paco_loss.PaCoLoss' in (
        (tmp_path / 'reference/models/index.html').read_text()
    )


def read_sources():
    """Return all code of ours, string literals that continue joined."""
    text = '\n'.join(
        path.read_text(encoding='utf-8')
        for folder in ('ltvl_mm', 'tools')
        for path in (ROOT / folder).rglob('*.py')
    )
    text = re.sub(r"""['"]\s*\n\s*f?['"]""", '', text)
    return text.replace("\\'", "'")


def list_messages():
    text = (ROOT / 'docs/troubleshooting.md').read_text()
    return re.findall(r'^\*\*`(.+?)`\*\*', text, re.MULTILINE)


def test_messages_that_are_explained_are_really_printed():
    sources, messages = read_sources(), list_messages()
    assert len(messages) > 12
    for message in messages:
        for piece in message.split('...'):
            words = piece.strip(' ;:()')
            # Where a name varies, the code has a brace.
            parts = re.split(r'mmengine|onedl-mmengine', words)
            for part in parts:
                assert part.strip() in sources, f'{message!r}: {part!r}'
