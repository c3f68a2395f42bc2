"""Converters of folders and of lists that users bring."""

import runpy
import shutil
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools/dataset_converters'


def test_a_long_tail_is_made_of_a_folder(run_here, tmp_path):
    for label in range(3):
        for row in range(12):
            path = tmp_path / f'images/class {label}/{row}.jpg'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    said = run_here(
        *('python', TOOLS / 'make_long_tail.py'),
        *(tmp_path / 'images', tmp_path / 'lists', '--ratio', 5),
        *('--val-per-class', 2),
    )
    assert 'train: 16 images' in said
    assert '10 to 2 training images per class; 0/0/3 many/medium/few' in said
    assert len((tmp_path / 'lists/val.txt').read_text().splitlines()) == 6


@pytest.fixture
def run_main(monkeypatch, capsys):
    """Function that runs a converter here; returns exit code, output."""

    def run(name, *words):
        monkeypatch.setattr(sys, 'argv', [name, *map(str, words)])
        status = None
        try:
            runpy.run_path(str(TOOLS / name), run_name='__main__')
        except SystemExit as error:
            status = error.code
        return status, capsys.readouterr().out

    return run


def test_repeated_lines_cannot_reach_two_splits(run_main, tmp_path):
    lines = [f'{k}/{row}.jpg {k}\n' for k in range(2) for row in range(4)]
    (tmp_path / 'all.txt').write_text(''.join(lines * 2))
    (tmp_path / 'names.txt').write_text('cat\ndog\n')
    words = (
        *(tmp_path / 'all.txt', tmp_path / 'out', '--shape', 'keep'),
        *('--class-names', tmp_path / 'names.txt'),
        *('--val-per-class', 1, '--test-per-class', 1),
    )
    status, said = run_main('make_long_tail.py', *words)
    assert status is None
    assert '8 repeated images are left out' in said
    splits = [
        set((tmp_path / f'out/{split}.txt').read_text().splitlines())
        for split in ('train', 'val', 'test')
    ]
    assert list(map(len, splits)) == [4, 2, 2]
    assert len(set.union(*splits)) == 8
    # The command sees it, too.
    lists = [tmp_path / f'out/{split}.txt' for split in ('train', 'test')]
    assert run_main('check_lists.py', *lists)[0] == 0
    with open(lists[1], 'a') as file:
        file.write(min(splits[0]) + '\n')
    status, said = run_main('check_lists.py', *lists)
    assert status == 1
    assert '0 images with two labels, 1 images in two lists\n' in said
    assert f'{lists[0]}, line 1: ' in said
    assert f'{lists[1]}, line 3: ' in said


def test_an_image_with_two_labels_names_both_lines(run_main, tmp_path):
    (tmp_path / 'all.txt').write_text('a.jpg 0\nb.jpg 1\n./a.jpg 1\n')
    (tmp_path / 'names.txt').write_text('cat\ndog\n')
    status, _ = run_main(
        'make_long_tail.py',
        *(tmp_path / 'all.txt', tmp_path / 'out', '--shape', 'keep'),
        *('--class-names', tmp_path / 'names.txt'),
    )
    assert "all.txt, line 1: 'a.jpg' (label 0)" in status
    assert "all.txt, line 3: 'a.jpg' (label 1)" in status


def test_files_of_the_same_bytes_are_merged_on_request(run_main, tmp_path):
    for row in range(6):
        path = tmp_path / f'images/cat/{row}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'%d' % (row // 2))
    shutil.copytree(tmp_path / 'images/cat', tmp_path / 'images/dog')
    for row in range(6):
        (tmp_path / f'images/dog/{row}.jpg').write_bytes(b'dog%d' % row)
    words = (tmp_path / 'images', tmp_path / 'out', '--shape', 'keep')
    said = run_main('make_long_tail.py', *words)[1]
    assert 'train: 12 images' in said
    said = run_main('make_long_tail.py', *words, '--check-content')[1]
    assert 'train: 9 images' in said
    assert '3 repeated images are left out' in said


def test_lists_are_repaired(run_main, tmp_path):
    file, names = tmp_path / 'train.txt', tmp_path / 'names.txt'
    odd = b'\xef\xbb\xbf# mine\r\na.jpg\t0\r\n\r\n#1/b.jpg  1\r\n'
    file.write_bytes(odd)
    names.write_bytes(b'\xef\xbb\xbfcat\r\ndog \r\n')
    words = (file, '--class-names', names)
    status, said = run_main('check_lists.py', *words)
    assert status == 1
    assert f'{file}, line 1: mmpretrain reads' in said
    assert f'{names}, line 1: mmpretrain reads' in said
    status, said = run_main('check_lists.py', *words, '--fix')
    assert status == 0
    assert f'{file}: rewritten; the old file is {file}.orig' in said
    assert file.read_bytes() == b'a.jpg 0\n#1/b.jpg 1\n'
    assert names.read_bytes() == b'cat\ndog\n'
    assert (tmp_path / 'train.txt.orig').read_bytes() == odd
    file.write_bytes(odd.decode('utf-8-sig').encode('utf-16'))
    status, _ = run_main('check_lists.py', *words, '--fix')
    assert 'iconv -f UTF-16' in status


def test_cifar_without_files_says_what_to_do(run_here, tmp_path):
    said = run_here(
        *('python', TOOLS / 'cifar_lt.py', tmp_path / 'out'),
        *('--raw', tmp_path),
        status=1,
    )
    assert '--download' in said
