import errno
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from ltvl_mm.utils.io import (
    atomic_write,
    check_or_write_settings,
    hash_content,
    hash_file,
    read_json,
    remove_temporaries,
    write_json,
)

NUMBERS = np.random.default_rng(0).random(10_000)


def _fail_in_the_middle(file):
    with atomic_write(file, 'w') as handle:
        handle.write('new')
        raise KeyError


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path):
    file = tmp_path / 'a.txt'
    file.write_text('old')
    with pytest.raises(KeyError):
        _fail_in_the_middle(file)
    assert os.listdir(tmp_path) == ['a.txt']
    assert file.read_text() == 'old'


@pytest.mark.parametrize('kind', ['folder', 'pipe', 'link'])
def test_only_a_regular_file_is_replaced(tmp_path, kind):
    path = tmp_path / 'a'
    if kind == 'link':
        path.symlink_to('/dev/null')
    else:
        {'folder': os.mkdir, 'pipe': os.mkfifo}[kind](path)
    before = os.lstat(path)
    with (
        pytest.raises(ValueError, match=r'cannot write .*/a: it is a '),
        atomic_write(path),
    ):
        pass
    assert os.lstat(path).st_ino == before.st_ino
    assert os.listdir(tmp_path) == ['a']


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    file = tmp_path / 'new' / 'folder' / 'a.bin'
    with atomic_write(file) as handle:
        handle.write(b'abc')
        handle.flush()
        assert not file.exists()
    assert file.read_bytes() == b'abc'
    assert os.listdir(file.parent) == ['a.bin']


def test_a_written_file_has_the_permissions_of_any_other(tmp_path):
    with atomic_write(tmp_path / 'ours', 'w') as handle:
        handle.write('')
    (tmp_path / 'plain').write_text('')
    modes = [(tmp_path / name).stat().st_mode for name in ('ours', 'plain')]
    assert modes[0] == modes[1]  # mkstemp alone gives 0600


def test_text_is_utf8_with_unix_line_ends(tmp_path):
    with atomic_write(tmp_path / 'a', 'w') as handle:
        handle.write('é\n')
    assert (tmp_path / 'a').read_bytes() == b'\xc3\xa9\n'


def test_remove_temporaries_removes_nothing_else(tmp_path):
    code = (
        'import os, sys; from ltvl_mm.utils.io import atomic_write\n'
        'with atomic_write(sys.argv[1]): os.kill(os.getpid(), 15)'
    )
    subprocess.run([sys.executable, '-c', code, str(tmp_path / 'a.npy')])
    (dead,) = os.listdir(tmp_path)
    assert dead.startswith('.a.npy.')
    for name in ('.recent.x1.tmp', 'a.npy', '.hidden', 'b.tmp', '.old.x.tmp'):
        (tmp_path / name).touch()
    # Of an earlier version, or of another host: its age counts.
    os.utime(tmp_path / '.old.x.tmp', (time.time() - 601,) * 2)
    with atomic_write(tmp_path / 'c'):  # its writer is alive
        before = set(os.listdir(tmp_path))
        remove_temporaries(tmp_path)
        assert before - set(os.listdir(tmp_path)) == {dead, '.old.x.tmp'}


@pytest.mark.parametrize(
    ('number', 'advice'),
    [
        (errno.ENOSPC, 'the disk is full; free space'),
        (errno.EDQUOT, 'the disk quota is used up; free space'),
        (errno.EROFS, 'the file system is read-only; choose another folder'),
        (errno.EACCES, 'permission denied; change the permissions'),
    ],
)
def test_full_disk_names_the_file_and_the_remedy(tmp_path, number, advice):
    file = tmp_path / 'a.npy'
    with (
        pytest.raises(OSError, match=f'cannot write {file}: {advice}') as info,
        atomic_write(file),
    ):
        raise OSError(number, os.strerror(number))
    assert info.value.errno == number
    assert os.listdir(tmp_path) == []


@pytest.fixture
def full_disk():
    """No file can grow beyond 10,000 bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    'write',
    [
        lambda file: np.save(file, NUMBERS),
        lambda file: np.savez(file, a=NUMBERS),
        lambda file: torch.save(torch.from_numpy(NUMBERS), file),
        lambda file: pq.write_table(pa.table({'a': NUMBERS}), file),
        lambda file: file.write(NUMBERS.tobytes()),
    ],
    ids=['npy', 'npz', 'torch', 'parquet', 'bytes'],
)
def test_full_disk_is_named_whatever_library_writes(
    tmp_path, full_disk, write
):
    with (
        pytest.raises(
            OSError, match=r'cannot write .*a\.bin: the .*same comm'
        ),
        atomic_write(tmp_path / 'a.bin') as file,
    ):
        write(file)
    assert os.listdir(tmp_path) == []


def test_error_of_another_file_is_not_taken_for_one_of_writing(tmp_path):
    with (
        pytest.raises(PermissionError, match='source'),
        atomic_write(tmp_path / 'a.npy'),
    ):
        raise PermissionError(errno.EACCES, 'Permission denied', '/b/source')


def test_a_name_of_the_longest_kind_can_be_written(tmp_path):
    with atomic_write(tmp_path / ('é' * 127), 'w') as file:  # 254 bytes
        file.write('')
    assert os.listdir(tmp_path) == ['é' * 127]


def test_json_comes_back_as_it_was(tmp_path):
    content = {'b': [1, 2.5, None], 'a': 'née'}
    write_json(tmp_path / 'a.json', content)
    assert read_json(tmp_path / 'a.json') == content
    assert 'née' in (tmp_path / 'a.json').read_text(encoding='utf-8')


def test_a_missing_json_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'none\.json does not exist'):
        read_json(tmp_path / 'none.json')


def test_json_of_windows_begins_with_a_mark(tmp_path):
    (tmp_path / 'a.json').write_bytes(b'\xef\xbb\xbf[1]\r\n')
    assert read_json(tmp_path / 'a.json') == [1]


@pytest.mark.parametrize(
    'data', [b'{', b'\xff\xfe', b'', b'[' * 100_000, b'9' * 5000]
)
def test_what_is_not_json_is_named(tmp_path, data):
    (tmp_path / 'a.json').write_bytes(data)
    with pytest.raises(ValueError, match=r'a\.json is not JSON'):
        read_json(tmp_path / 'a.json')


def test_a_folder_is_claimed_again_with_the_same_settings(tmp_path):
    settings = {'names': ('a', 'b'), 'over': 2.0, 'rule': None}
    for _ in range(2):  # a tuple comes back from JSON as a list
        check_or_write_settings(tmp_path / 'out', settings)
    assert os.listdir(tmp_path / 'out') == ['settings.json']


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'size': 4, 'over': 3}, r'another over \(2, now 3\)'),
        ({'size': 4, 'over': 2, 'new': 1}, r'another new \(None, now 1\)'),
    ],
)
def test_a_folder_claimed_with_other_settings_is_refused(
    tmp_path, settings, message
):
    check_or_write_settings(tmp_path, {'size': 4, 'over': 2})
    before = (tmp_path / 'settings.json').read_bytes()
    with pytest.raises(ValueError, match=message):
        check_or_write_settings(tmp_path, settings)
    assert (tmp_path / 'settings.json').read_bytes() == before


def test_only_what_differs_of_settings_is_named(tmp_path):
    encoder = {'arch': 'a', 'weights': 64 * '0'}
    check_or_write_settings(tmp_path, {'encoder': encoder | {'size': 1}})
    message = r"another encoder \({'size': 1}, now {'size': 2}\)"
    with pytest.raises(ValueError, match=message):
        check_or_write_settings(tmp_path, {'encoder': encoder | {'size': 2}})


def test_hash_file_is_the_sha256(tmp_path):
    (tmp_path / 'a').write_bytes(b'abc')
    assert hash_file(tmp_path / 'a').startswith('ba7816bf8f01cfea')


def test_hash_file_reads_beyond_its_block(tmp_path):
    big = bytes(range(256)) * 5000  # more than 1 MiB
    (tmp_path / 'a').write_bytes(big)
    (tmp_path / 'b').write_bytes(big[:-1] + b'x')
    assert hash_file(tmp_path / 'a') != hash_file(tmp_path / 'b')


def test_hash_content_depends_on_the_order_of_lists_and_not_of_keys():
    assert hash_content({'a': 1, 'b': 2}) == hash_content({'b': 2, 'a': 1})
    assert hash_content([1, 2]) != hash_content([2, 1])
    assert hash_content(['ab', 'c']) != hash_content(['a', 'bc'])
