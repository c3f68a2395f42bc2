"""--help of every command: quick, complete, with defaults."""

import argparse
import runpy

import pytest
from command_helps import read_helps
from small_inputs import ROOT
from tools_in_process import fresh_modules

COMMANDS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ('tools', 'projects')
    for path in (ROOT / folder).rglob('*.py')
    if "__name__ == '__main__'" in path.read_text(encoding='utf-8')
)
# numpy is quick, and some defaults are computed with it.
HEAVY = (
    *('torch', 'torchvision', 'mmengine', 'mmcv', 'mmpretrain', 'open_clip'),
    *('timm', 'faiss', 'pandas', 'pyarrow', 'matplotlib', 'sklearn'),
    *('plotly', 'gradio', 'transformers'),
)


@pytest.fixture(scope='module')
def helps():
    """Exit status, heavy modules and text of each command's --help."""
    return read_helps(COMMANDS, HEAVY)


@pytest.mark.smoke
@pytest.mark.parametrize('command', COMMANDS)
def test_help_imports_nothing_heavy(helps, command):
    status, heavy, text = helps[command]
    assert status == 0
    assert heavy == []
    assert text.startswith('usage: ')


@pytest.fixture
def parser(request):
    """The parser of a command, which must be in build_parser()."""
    path = ROOT / request.param
    if path.name == 'reproduce.py':  # runs this one
        path = ROOT / 'projects/paper_tables/run.py'
    with fresh_modules(path.parent):
        return runpy.run_path(str(path))['build_parser']()


@pytest.mark.parametrize('parser', COMMANDS, indirect=True)
def test_every_option_has_help_and_shows_its_default(parser):
    assert parser.description
    formatter = parser._get_formatter()
    faults = []
    for action in parser._actions:
        name = '/'.join(action.option_strings) or action.dest
        if action.help == argparse.SUPPRESS:
            continue
        text = formatter._get_help_string(action)
        optional = action.option_strings and not action.required
        in_group = any(
            action in group._group_actions and group.required
            for group in parser._mutually_exclusive_groups
        )
        if not text:
            faults.append(f'{name} has no help')
        elif 'default' not in text and action.nargs != 0 and optional:
            if not in_group:
                faults.append(f'{name} does not show its default')
        elif text[:1].isupper() and text[:2] != text[:2].upper():
            faults.append(f'{name}: {text!r} is a sentence')
    assert not faults


def test_usage_errors_name_the_option_that_was_meant(capsys):
    parser = runpy.run_path(str(ROOT / 'tools/embed_images.py'))[
        'build_parser'
    ]()
    with pytest.raises(SystemExit, match='2'):
        parser.parse_args(['photos', '-o', 'store', '--wrokers', '3'])
    said = capsys.readouterr().err
    assert 'unrecognized arguments: --wrokers' in said
    assert 'did you mean --workers?' in said
    assert '--help lists all arguments' in said


def test_config_options_are_read_as_mmengine_reads_them(capsys):
    from ltvl_mm.utils.command_line import add_config_options, make_parser

    parser = make_parser('text')
    add_config_options(parser)
    args = parser.parse_args(['--cfg-options', 'a.b=1', 'c=[x,2]'])
    assert args.cfg_options == {'a.b': 1, 'c': ['x', 2]}
    with pytest.raises(SystemExit, match='2'):
        parser.parse_args(['--cfg-options', 'a.b'])
    assert 'expected KEY=VALUE, got a.b' in capsys.readouterr().err
