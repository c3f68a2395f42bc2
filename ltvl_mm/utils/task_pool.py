"""Commands that depend on each other, independent ones side by side."""

import os
import signal
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.utils.lock import FolderLock
from ltvl_mm.utils.stage_runner import describe_failure, start_logged
from ltvl_mm.utils.warm_process import WarmProcess

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Task:
    """A command that runs when others are done.

    Args:
        key: Unique key.
        name: Name for the message if it fails.
        command: Program and arguments.
        log: File that the output is appended to.
        needs: Keys of earlier tasks.
        cwd: Working directory.
        environment: Variables besides the present ones.
    """

    key: Hashable
    name: str
    command: tuple[str, ...]
    log: Path
    needs: frozenset[Hashable]
    cwd: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Finished:
    """Exit status and times of a task that has ended.

    Args:
        task: The task.
        status: Exit status; 0 for success.
        seconds: Wall time.
        cpu_seconds: Processor time, user and system, of the command and of
            the processes that it waited for.
    """

    task: Task
    status: int
    seconds: float
    cpu_seconds: float


class _Run:
    """A command that runs in a process of its own."""

    def __init__(self, task: Task, log_errors: bool) -> None:
        self.task = task
        self.process = start_logged(
            task.command,
            task.log,
            task.environment,
            cwd=task.cwd,
            log_errors=log_errors,
        )
        self.pid = self.process.pid
        self.begin = time.monotonic()

    def poll(self) -> Finished | None:
        """Return how it ended; None as long as it runs."""
        # Not Popen.poll(), which keeps the processor time to itself.
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if not pid:
            return None
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Finished(
            self.task,
            self.process.returncode,
            time.monotonic() - self.begin,
            usage.ru_utime + usage.ru_stime,
        )

    def kill(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.wait()


class _WarmRun:
    """A script that runs in a fork of a process with its imports."""

    def __init__(
        self, task: Task, log_errors: bool, server: WarmProcess
    ) -> None:
        self.task = task
        self.server = server
        self.begin = time.monotonic()
        self.pid = server.start(
            task.command[1:],
            task.log,
            task.environment,
            cwd=task.cwd,
            log_errors=log_errors,
        )

    def poll(self) -> Finished | None:
        """Return how it ended; None as long as it runs."""
        end = self.server.find_end(self.pid)
        if end is None:
            return None
        status, cpu_seconds = end
        seconds = time.monotonic() - self.begin
        return Finished(self.task, status, seconds, cpu_seconds)

    def kill(self) -> None:
        """End it now."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def run_tasks(
    tasks: Sequence[Task],
    *,
    jobs: int,
    lock: FolderLock | None,
    on_start: Callable[[Task], object],
    on_end: Callable[[Finished], object],
    server: WarmProcess | None = None,
) -> None:
    """Run tasks in their order, each when those that it needs are done.

    If one fails, tasks that do not need it are still run.

    Args:
        tasks: Each after those that it needs; what is needed and not among
            them counts as done.
        jobs: Number of tasks that run at the same time, >= 1.
        lock: Lock of the output folder, which also names the running
            commands; None if an outer call of this process holds it.
        on_start: Function that is called with a task that begins.
        on_end: Function that is called with one that has ended.
        server: Process that runs Python scripts in forks of it, as soon as
            its imports are done; None to start each command anew.

    Raises:
        RuntimeError: If a task fails; with the ends of the logs, and with
            the number of tasks that were not run.
    """
    waiting = list(tasks)
    running: list[_Run | _WarmRun] = []
    open_keys = {task.key for task in tasks}
    failures = []
    try:
        while waiting or running:
            ready = [t for t in waiting if not t.needs & open_keys]
            for task in ready[: jobs - len(running)]:
                waiting.remove(task)
                on_start(task)
                task.cwd.mkdir(parents=True, exist_ok=True)
                # Several bars on one terminal would overwrite each other.
                log_errors = jobs > 1
                if server is not None and server.can_run(task.command):
                    running.append(_WarmRun(task, log_errors, server))
                else:
                    running.append(_Run(task, log_errors))
                if lock is not None:
                    lock.set_children(one.pid for one in running)
            if not running:
                break  # all others need one that failed
            for ended in _wait_for_some(running):
                on_end(ended)
                if ended.status:
                    failures.append(ended.task)
                else:
                    open_keys.remove(ended.task.key)
    except BaseException:  # Ctrl-C reaches all, SIGTERM only this one
        for one in running:
            one.kill()
        raise
    if failures:
        text = '\n'.join(describe_failure(t.name, t.log) for t in failures)
        if waiting:
            text += f'\n{len(waiting)} stages that need it were not run'
        raise RuntimeError(text)


def _wait_for_some(running: list[_Run | _WarmRun]) -> list[Finished]:
    """Return the runs that end next, and remove them from the list."""
    while True:
        found = []
        for one in list(running):
            ended = one.poll()
            if ended is not None:
                running.remove(one)
                found.append(ended)
        if found:
            return found
        time.sleep(POLL_SECONDS)
