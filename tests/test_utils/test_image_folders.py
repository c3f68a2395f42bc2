import os

import pytest

from ltvl_mm.utils.image_folders import (
    LeftOut,
    find_images,
    is_hidden,
    is_hidden_path,
    list_files,
)


@pytest.mark.parametrize(
    'name',
    [
        '.DS_Store',
        '._a.jpg',
        '.ipynb_checkpoints',
        '@eaDir',
        '__MACOSX',
        'Thumbs.db',
        'thumbs.db',
        'desktop.ini',
        '#recycle',
    ],
)
def test_system_files_and_leading_dots_are_hidden(name):
    assert is_hidden(name)
    assert is_hidden_path(f'a/{name}/b.jpg')


@pytest.mark.parametrize('name', ['.', '..', 'a.jpg', 'a.b', '_a', 'Thumbs'])
def test_other_names_are_not_hidden(name):
    assert not is_hidden(name)
    assert not is_hidden_path(f'./../{name}/b.jpg')


@pytest.fixture
def folder(tmp_path):
    """A folder with two images, links and other entries."""
    top = tmp_path / '.hidden_top' / 'images'
    for name in ('b/1.JPG', 'a.png', 'b/notes.pdf', 'a.txt', '.x/2.jpg'):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside' / '3.jpg').touch()
    (top / 'inside.jpg').symlink_to(top / 'a.png')
    (top / 'out.jpg').symlink_to(tmp_path / 'outside' / '3.jpg')
    (top / 'linked').symlink_to(tmp_path / 'outside')
    (top / 'again').symlink_to(top / 'b')
    (top / 'b' / 'cycle').symlink_to(top)
    (top / 'gone.jpg').symlink_to(top / 'nothing.jpg')
    (top / 'self.jpg').symlink_to(top / 'self.jpg')
    os.mkfifo(top / 'pipe.jpg')
    return top


def test_images_are_found_and_the_rest_is_counted(folder):
    found = find_images(folder)
    assert found.files == ('a.png', 'b/1.JPG', 'inside.jpg')
    assert str(found.left_out) == (
        'broken links: 2 (gone.jpg, self.jpg); '
        'files of other types: 1 (b/notes.pdf); '
        'hidden entries: 1 (.x); '
        'links to files outside: 2 (linked, out.jpg); '
        'links to folders: 2 (again, b/cycle); '
        'pipes, sockets and devices: 1 (pipe.jpg)'
    )


def test_links_are_followed_on_demand_but_not_in_circles(folder):
    found = find_images(folder, follow_links=True)
    assert found.files == (
        'a.png',
        'again/1.JPG',
        'b/1.JPG',
        'inside.jpg',
        'linked/3.jpg',
        'out.jpg',
    )
    reason = 'links to a folder that holds them'
    assert found.left_out.names[reason] == ['b/cycle', 'again/cycle']


def test_one_level_counts_folders_as_left_out(folder):
    found = list_files(folder, recursive=False)
    assert found.files == ('a.png', 'a.txt', 'inside.jpg')
    assert found.left_out.names['folders inside'] == ['b']


def test_messages_show_the_first_names_and_escape_odd_ones():
    left_out, more = LeftOut(), LeftOut()
    assert not left_out
    for name in ('1', '2\n', '3\udce9', '4'):
        more.add('files', name)
    left_out.add('files', '0')
    left_out.update(more)
    assert str(left_out) == 'files: 5 (0, 1, 2\\n, ...)'
    assert str(more) == 'files: 4 (1, 2\\n, 3\\udce9, ...)'
