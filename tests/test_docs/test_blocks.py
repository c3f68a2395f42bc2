"""Documents say what is there: their blocks, files and options."""

import ast
import re
import subprocess

import pytest
from command_helps import read_helps
from documents import ROOT, list_documents, matches, read_blocks

BLOCKS = [
    block for document in list_documents() for block in read_blocks(document)
]
COMMANDS = [block for block in BLOCKS if block.language == 'bash']


def name(block):
    return block.place


@pytest.mark.parametrize('block', COMMANDS, ids=name)
def test_a_command_is_bash_and_names_files_that_exist(block):
    subprocess.run(['bash', '-n'], input=block.text.encode(), check=True)
    for file in re.findall(
        # Not where a variable of the shell continues.
        r'(?<![\w/.])(?:tools|configs|projects|\.ci)/[\w./-]+(?![\w./$-])',
        block.text,
    ):
        made = {other.title for other in BLOCKS}
        assert (ROOT / file).exists() or file in made, f'{block.place}: {file}'


@pytest.mark.parametrize('block', COMMANDS, ids=name)
def test_a_command_that_is_not_run_says_what_it_needs(block):
    assert block.is_run or block.title.startswith(('Needs ', 'Run by CI'))


def list_options(block):
    """Yield each command of a block, and an option that it is given."""
    for line in block.text.replace('\\\n', ' ').splitlines():
        line = line.partition(' #')[0]
        found = re.search(r'((?:tools|projects)/[\w./]+\.py)(.*)', line)
        if found:
            for option in re.findall(r'(?<=\s)--?[a-z][\w-]*', found[2]):
                yield found[1], option


@pytest.fixture(scope='module')
def helps():
    """Words of the --help of each command that a block gives an option."""
    commands = {pair[0] for block in COMMANDS for pair in list_options(block)}
    return {
        command: set(re.findall(r'(?<![\w-])--?[a-z][\w-]*', text))
        for command, (_, _, text) in read_helps(sorted(commands)).items()
    }


@pytest.mark.parametrize('block', COMMANDS, ids=name)
def test_the_options_of_a_command_are_known(block, helps):
    for command, option in list_options(block):
        known = helps[command]
        assert option in known, f'{block.place}: {command} has no {option}'


@pytest.mark.parametrize(
    'block', [b for b in BLOCKS if b.language == 'python'], ids=name
)
def test_python_blocks_are_python(block):
    ast.parse(block.text)


def test_every_block_has_a_language():
    assert [block.place for block in BLOCKS if not block.language] == []


@pytest.mark.parametrize(
    ('expected', 'printed', 'same'),
    [
        ('a 1\nb', 'a 2.5\nb\n', True),
        ('a 1\nb', 'a x\nb', False),
        ('...\nb', 'x\ny\nb', True),
        ('a\n...', 'a', True),
        ('a\n...\nc', 'a\nb\nd', False),
        ('in .../x.html', 'in /a/b/x.html', True),
        ('in .../x.html', 'in /a/b/x.htm', False),
        ('| 1.5 | +3 |', '| 12.25 | -4 |', True),
        ('1e-3 and 1,234', '5 and 6', True),
    ],
)
def test_numbers_may_differ_and_dots_stand_for_lines(expected, printed, same):
    assert matches(expected, printed) is same
