"""Prose of code, messages, configs and docs; codespell checks the spelling."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ('ltvl_mm', 'tools', 'projects', 'configs', 'docs', 'tests')
KINDS = {'.py', '.md', '.sh', '.yml', '.js', '.html'}
# Words that a reader of PyTorch and mmpretrain would not understand, and the
# terms to write instead.
BANNED = {
    r'the host(?!name)(\'s)?\b': 'mmpretrain, mmengine',
    r'slow[ _]cop(y|ies)\b': 'momentum (EMA) encoder',
    r'passed over\b': 'skipped, and why',
    r'web memor(y|ies)\b': 'web images',
    r'(thin|thinned) out|crowded': 'prune, over capacity',
    r'softer scale': 'a higher temperature',
    r'stands? for its best': 'selects its best checkpoint',
    r'class map of': 'per-class ...',
    r'nobody|whoever': 'no run, no user, those who',
    r'\bshall\b': 'must, will',
    r'goes on\b': 'resumes, continues',
    r'near-cop(y|ies)': 'near-duplicate',
    r'\bat hand\b': 'available, in memory',
    r'\badmissions?\b|\badmit(s|ted)?\b': 'metadata filter, keep',
    r'\bscreen(s|ed|ing)?\b(?! readers)': 'prefilter',
    r'\brefill': 'max rounds',
    r'\bjoin_ranks\b': 'init_distributed()',
    r'\bclaim_folder\b': 'check_or_write_settings()',
    r'\bimport share\b': 'broadcast_object()',
    r'\b_see\b|\b_ask\b|\b_look\b': 'a verb of what is computed',
    r'(?<!there )(?<!may )\b(is|are|be) no (?!longer)[a-z]': 'is not a ...',
    # codespell does not look into names with an underscore.
    r'labelled|labelling': 'labeled, unlabeled',
    r'(normal|optim|initial|regular|random)is(e|ing|ation)': '-ize',
    r'(quant|token|general|special)is(e|ing|ation)': '-ize',
    r'(recogn|[s]ummar|visual|minim|maxim)is(e|ing|ation)': '-ize',
    r'(col|neighb|behavi|fav)our': 'color, neighbor, behavior, favor',
    r'\bcentr(e|ed|es|ing)\b': 'center',
    r'\bgrey\b|towards\b|cata[l]ogue|artefact': 'gray, toward, artifact',
}
# Names in files that users have, in retrieval/task.py.
REMAINING = {
    r'\badmissions?\b|\badmit(s|ted)?\b': 1,
    r'\brefill': 1,
}
# First words of an entry that is not a noun phrase.
FRAGMENT = re.compile(
    r'(Of|As|Whether|What|How|Which|Where|Who|Why|See|There)\b'
)
ENTRY = re.compile(r'    \*{0,2}([A-Za-z_]\w*):(?: (.*))?$')


def list_files():
    for folder in FOLDERS:
        yield from (
            path
            for path in sorted((ROOT / folder).rglob('*'))
            if path.suffix in KINDS
            and path != Path(__file__)
            # Removed with the toy world.
            and 'toy_' not in path.name
        )
    yield from (
        path for path in sorted(ROOT.glob('*.md')) if path.stem != 'CHANGELOG'
    )


def find_lines(pattern):
    expression = re.compile(pattern, re.IGNORECASE)
    found = []
    for path in list_files():
        text = path.read_text(encoding='utf-8')
        # Most files have none of the words at all.
        if not expression.search(text):
            continue
        found += [
            f'{path.relative_to(ROOT)}:{number}: {line.strip()}'
            for number, line in enumerate(text.splitlines(), 1)
            if expression.search(line)
        ]
    return found


@pytest.mark.parametrize('pattern', BANNED)
def test_banned_words_are_absent(pattern):
    found = find_lines(pattern)
    assert len(found) <= REMAINING.get(pattern, 0), '\n'.join(
        [f'write "{BANNED[pattern]}":', *found]
    )


def test_remaining_words_are_banned():
    assert not set(REMAINING) - set(BANNED)


def list_entries(docstring):
    """Yield name and first line of each entry of Args and Attributes."""
    section, lines = None, docstring.splitlines()
    for line, following in zip(lines, [*lines[1:], ''], strict=False):
        if re.fullmatch(r'[A-Z]\w*:', line):
            section = line
        elif line and not line.startswith(' '):
            section = None
        entry = ENTRY.match(line)
        if entry and section in ('Args:', 'Attributes:'):
            yield entry[1], entry[2] or following.strip()


def test_docstrings_and_arguments_are_noun_phrases():
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    fragments = []
    for path in list_files():
        if path.suffix != '.py':
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if not isinstance(node, kinds):
                continue
            docstring = ast.get_docstring(node) or ''
            entries = list(list_entries(docstring))
            if path.is_relative_to(ROOT / 'ltvl_mm'):
                entries.append(('docstring', docstring))
            for name, text in entries:
                if FRAGMENT.match(text):
                    line = getattr(node, 'lineno', 1)
                    where = f'{path.relative_to(ROOT)}:{line}'
                    fragments.append(f'{where}: {name}: {text}')
    assert not fragments, '\n'.join(fragments)
