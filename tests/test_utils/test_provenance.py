import subprocess
import sys

from ltvl_mm.utils import provenance
from ltvl_mm.utils.provenance import (
    FILE,
    describe_command,
    read_commands,
    read_commit,
    record_command,
)


def test_a_line_per_run_and_a_broken_one_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['tools/train.py', 'a b.py', '--amp'])
    monkeypatch.setenv('LTVL_PYTHON', 'somewhere')
    record_command(tmp_path / 'new')
    record_command(tmp_path / 'new')
    with open(tmp_path / 'new' / FILE, 'a') as file:
        file.write('{"command": "python"}\n[]\n{"command": "pyth')
    (first, second), broken = read_commands(tmp_path / 'new')
    assert broken == 3
    assert first['command'] == "python tools/train.py 'a b.py' --amp"
    assert first['environment']['LTVL_PYTHON'] == 'somewhere'
    assert second['versions']['torch']


def test_the_commit_says_whether_the_clone_has_changes(tmp_path, monkeypatch):
    def git(*words):
        identity = ('-c', 'user.name=x', '-c', 'user.email=x@y')
        subprocess.run(
            ['git', *identity, *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    monkeypatch.setattr(provenance, '_ROOT', tmp_path)
    monkeypatch.setenv('GIT_CEILING_DIRECTORIES', str(tmp_path.parent))
    assert read_commit() == ''  # an installed package has no clone
    git('init')
    (tmp_path / 'a').write_text('1')
    git('add', 'a')
    git('commit', '-m', 'one')
    commit = read_commit()
    assert len(commit) == 12
    (tmp_path / 'a').write_text('2')
    assert read_commit() == f'{commit}+'


def test_a_machine_without_git_has_no_commit(monkeypatch):
    monkeypatch.setenv('PATH', '')
    assert describe_command()['commit'] == ''
