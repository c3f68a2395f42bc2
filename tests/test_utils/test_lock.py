"""Locks, held by real processes that are killed."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from ltvl_mm.utils import lock as locks
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.lock import LockedError, locked_file, locked_folder
from ltvl_mm.utils.processes import identify_process

# Forked: importing torch in each process would take seconds.
FORK = multiprocessing.get_context('fork')


def hold(folder, out, code=None):
    """Hold the lock of a folder in the middle of a write."""
    # A shell that starts tests in the background has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with locked_folder(folder) as lock, atomic_write(folder / 'a'):
        if code is not None:
            child = subprocess.Popen([sys.executable, '-c', code])
            lock.set_children([child.pid])
        out.send('held')
        time.sleep(60)


def rush(folder, out, last):
    """Rush for one lock; raise if another process is inside.

    Args:
        folder: The folder.
        out: Gets what was raised.
        last: Turn after which the process kills itself with the lock.
    """
    inside = folder / 'inside'
    locks.POLL_SECONDS = 0.01
    try:
        for turn in range(25):
            with locked_folder(folder, wait=lambda text: None):
                os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
                time.sleep(0.001)
                os.unlink(inside)
            if turn == last:
                lock = locked_folder(folder, wait=lambda text: None)
                lock.__enter__()
                os.kill(os.getpid(), signal.SIGKILL)
    except BaseException as error:
        out.send(repr(error))
        raise


def break_off(file, out):
    """Kill this process in the middle of a write."""
    with atomic_write(file):
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def start(function, path, *words):
    """Run a function in a process; yield it and what it sends."""
    messages, out = FORK.Pipe(duplex=False)
    process = FORK.Process(target=function, args=(path, out, *words))
    process.start()
    out.close()
    yield process, messages
    process.kill()
    process.join()


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of ``out`` in the middle of a write."""
    with start(hold, tmp_path / 'out') as (process, messages):
        assert messages.recv() == 'held'
        yield process


def test_second_process_is_told_who_writes(holder, tmp_path):
    with (
        pytest.raises(
            LockedError,
            match=rf'out is being written by process '
            rf'{holder.pid} on .* since 20.*; wait until it ends '
            rf'or choose another output$',
        ),
        locked_folder(tmp_path / 'out'),
    ):
        pass
    # Nothing of the first is touched.
    assert sum(name.endswith('.tmp') for name in os.listdir(tmp_path / 'out'))


@pytest.mark.parametrize('kill', ['SIGINT', 'SIGTERM', 'SIGKILL'])
def test_killed_process_leaves_nothing_for_the_next(holder, tmp_path, kill):
    os.kill(holder.pid, getattr(signal, kill))
    holder.join()
    with locked_folder(tmp_path / 'out'):
        assert os.listdir(tmp_path / 'out') == ['.lock']
    assert not list(tmp_path.rglob('.*'))


def test_killed_zombie_process_is_dead(holder, tmp_path):
    holder.kill()
    time.sleep(0.2)  # a zombie now: it still has a process number
    with locked_folder(tmp_path / 'out'):
        pass


def test_child_of_killed_process_keeps_the_lock(tmp_path):
    out, done = tmp_path / 'out', tmp_path / 'done'
    wait = f'import time; time.sleep(1); open({str(done)!r}, "w")'
    with start(hold, out, wait) as (process, messages):
        assert messages.recv() == 'held'
        process.kill()
        process.join()
        said = []
        with locked_folder(out, wait=said.append):
            assert done.exists()
    assert said == [f'waiting for another process: {out} is locked']


def test_one_of_many_processes_is_inside_though_some_are_killed(tmp_path):
    out = tmp_path / 'out'
    with ExitStack() as stack:
        runs = [
            stack.enter_context(start(rush, out, turn))
            for turn in (3, 9, -1, -1)
        ]
        for process, messages in runs:
            process.join(60)
            # Nothing was sent: the other end is closed.
            with pytest.raises(EOFError):
                print(messages.recv())
    assert [process.exitcode for process, _ in runs] == [-9, -9, 0, 0]
    with locked_folder(tmp_path / 'out'):
        assert os.listdir(tmp_path / 'out') == ['.lock']


def _write_lock(folder, **changes):
    """Write the lock of this process, with some fields changed."""
    process = {**identify_process().to_json(), **changes}
    folder.mkdir(exist_ok=True)
    content = {
        'token': '0123456789abcdef',
        'processes': [process],
        'since': '2026-01-01T00:00:00+00:00',
        'command': 'embed',
    }
    (folder / '.lock').write_text(json.dumps(content))


def test_process_number_that_was_given_again_is_another_process(tmp_path):
    _write_lock(tmp_path)
    with pytest.raises(LockedError), locked_folder(tmp_path):
        pass
    _write_lock(tmp_path, start=1)
    with locked_folder(tmp_path):
        pass


@pytest.mark.parametrize('content', [None, b'', b'{"token": "../../a"}'])
def test_lock_of_another_host_expires_without_a_sign_of_life(
    tmp_path, content
):
    file = tmp_path / '.lock'
    _write_lock(tmp_path, host='other', machine='0' * 16)
    if content is not None:  # being written, or not ours
        file.write_bytes(content)
    with (
        pytest.raises(LockedError, match=rf'10 minutes .* or delete {file}'),
        locked_folder(tmp_path),
    ):
        pass
    old = time.time() - 601
    os.utime(file, (old, old))
    with locked_folder(tmp_path):
        pass


def test_owner_gives_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, 'BEAT_SECONDS', 0.05)
    with locked_folder(tmp_path):
        os.utime(tmp_path / '.lock', (0, 0))
        time.sleep(0.3)
        assert (tmp_path / '.lock').stat().st_mtime > 0


def test_one_thread_may_nest_and_another_may_not(tmp_path):
    caught = []

    def enter():
        try:
            with locked_folder(tmp_path):
                pass
        except LockedError as error:
            caught.append(error)

    with locked_folder(tmp_path):
        with locked_folder(tmp_path / '.'):
            pass
        assert (tmp_path / '.lock').exists()
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    assert len(caught) == 1
    enter()
    assert len(caught) == 1


def test_file_system_without_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr(os, 'link', refuse)
    with locked_folder(tmp_path):
        lock = json.loads((tmp_path / '.lock').read_text())
        assert lock['processes'][0]['pid'] == os.getpid()
    _write_lock(tmp_path, start=1)
    with locked_folder(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


def test_files_of_one_folder_have_locks_of_their_own(tmp_path):
    with locked_file(tmp_path / 'a.html'), locked_file(tmp_path / 'b.html'):
        assert len(os.listdir(tmp_path)) == 2
    with locked_file(None):
        assert os.listdir(tmp_path) == []


def test_killed_writer_of_a_file_leaves_nothing_for_the_next(tmp_path):
    for name in ('a.html', 'b.html'):
        with start(break_off, tmp_path / name) as (process, _):
            process.join()
    with locked_file(tmp_path / 'a.html'):
        (left,) = tmp_path.glob('.*.tmp')
        assert left.name.startswith('.b.html.')


def test_folder_that_nothing_was_written_to_is_removed(tmp_path):
    (tmp_path / 'old').mkdir()
    for name, is_kept in (('old', True), ('new', False), ('used', True)):
        with locked_folder(tmp_path / name):
            if name == 'used':
                (tmp_path / name / 'a').touch()
        assert (tmp_path / name).exists() == is_kept


def test_all_ranks_raise_what_rank_0_met(tmp_path, monkeypatch):
    import mmengine.dist

    from ltvl_mm.utils import launch

    _write_lock(tmp_path)
    for rank in (0, 1):
        monkeypatch.setattr(mmengine.dist, 'get_rank', lambda rank=rank: rank)
        monkeypatch.setattr(
            launch,
            'broadcast_object',
            lambda text: text or 'out is being written',
        )
        with pytest.raises(LockedError, match='is being written'):
            locked_folder(tmp_path).__enter__()
