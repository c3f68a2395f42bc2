import re
from pathlib import Path

import pytest
from study_folder import read_study, write_study

from ltvl_mm.visualization.report import (
    page,
    read_retrieval,
    write_report,
)
from ltvl_mm.visualization.report.path_hiding import PathHider


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('/data/x/lists/a.txt is gone', '…/lists/a.txt is gone'),
        ("root='/data/x/my photos/',", "root='…/x/my photos',"),
        ('PATH=/opt/a/b:/opt/c', 'PATH=…/a/b:…/opt/c'),
        ('file:///data/x/y.html', '…/x/y.html'),
        ('-o /home/alice', '-o ~'),
        ('/home/alice/x.txt', '…/x.txt'),
        (r'C:\Users\alice\x.txt', '…/x.txt'),
        (r'D:\data\lists\x.txt', '…/lists/x.txt'),
        (
            '(/data/a), /data/b; "/data/c d"',
            '(…/data/a), …/data/b; "…/data/c d"',
        ),
    ],
)
def test_absolute_paths_keep_their_last_two_parts(text, shown):
    assert PathHider()(text) == shown


@pytest.mark.parametrize(
    'text',
    [
        'a 1/2 cup and/or <b>x</b>',
        'https://example.org/a/b.jpg',
        'configs/rx50.py ./a/b ../c …/seed0/x ~/y',
        'data / images',
    ],
)
def test_other_slashes_stay(text):
    assert PathHider()(text) == text


def test_paths_below_a_working_folder_are_relative_to_it():
    hide = PathHider(['/srv/my clone', '/srv'], ['/srv/my clone/runs/seed0/x'])
    assert hide('/srv/my clone/a/b.txt') == 'a/b.txt'
    assert hide('in /srv/my clone now') == 'in . now'
    assert hide('/srv/my clone2/x') == 'my clone2/x'
    assert hide('/srv/my clone/runs/seed0/x/y.py') == '…/seed0/x/y.py'
    assert hide('/srv/my clone/runs/seed0/x') == '…/seed0/x'


def test_a_known_path_of_a_user_does_not_show_the_user():
    assert PathHider([], ['/home/alice/x y'])('/home/alice/x y') == '…/x y'
    assert PathHider(['/', ''], ['/'])('/a/b and / or') == '…/a/b and / or'


def test_a_page_has_no_absolute_path_of_the_disk(tmp_path, monkeypatch):
    folder = write_study(tmp_path / 'my runs')
    run = folder / 'seed0/tackle'
    (run / 'tackle.py').open('a').write("root = '/home/alice/my data/x'\n")
    (folder / 'seed0/plain/test.npz').unlink()  # a message names it
    command = run / 'commands.jsonl'
    command.write_text(
        command.read_text().replace(
            'train.py configs/x.py', 'train.py /srv/x/y.py --work-dir=/srv/z'
        )
    )
    monkeypatch.setattr(page, 'pack_library', str)
    write_report(
        tmp_path / 'x.html',
        read_study(folder, seeds=[0]),
        retrieval=read_retrieval(folder / 'retrieved/manifest.parquet'),
    )
    text = (tmp_path / 'x.html').read_text()
    for part in (tmp_path, Path.cwd(), 'alice', ' /somewhere'):
        assert str(part) not in text
    assert 'root = &#39;…/my data/x&#39;' in text
    assert 'train.py …/x/y.py --work-dir=…/srv/z' in text
    body = re.sub('data:[^"]*', '', text[text.index('<main') :])
    assert not re.search(r'["\' =](/[\w.-]+){2,}', body)
