"""Long studies as stages: commands that a user could type, each run once."""

import sys
import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.utils.io import atomic_write, hash_content
from ltvl_mm.utils.lock import FolderLock, locked_folder
from ltvl_mm.utils.package_files import find_root
from ltvl_mm.utils.task_pool import Finished, Task, run_tasks
from ltvl_mm.utils.warm_process import WarmProcess

ROOT = find_root()


@dataclass(frozen=True)
class Stage:
    """A command that a study runs once.

    Args:
        name: Unique name that says what for.
        command: Program and arguments.
        needs: Names of the earlier stages whose results it reads; None for
            all before it.
        cwd: Working directory; None for the clone.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] | None = None
    cwd: Path | None = None


def python_stage(
    name: str,
    script: str,
    *args: object,
    needs: Sequence[str] | None = None,
) -> Stage:
    """Return the stage that runs a Python script of the clone.

    Args:
        name: Name of the stage.
        script: Path of the script in the clone.
        args: Arguments of the script.
        needs: Names of the stages that it needs; see :class:`Stage`.
    """
    command = (sys.executable, script, *map(str, args))
    return Stage(name, command, None if needs is None else tuple(needs))


def run_study(
    work: Path,
    seeds: Sequence[int],
    list_stages: Callable[[Path, int], Sequence[Stage]],
    *,
    say: Callable[[str], object],
    jobs: int = 1,
    last: Sequence[Stage] = (),
    report: Callable[[], object] = lambda: None,
    preload: Sequence[str] = (),
) -> None:
    """Run the stages of each seed that no earlier run has finished.

    A stage that fails ends the study when the stages that do not need it are
    done.

    Args:
        work: Folder of the study. Seed s works in ``seed<s>/``; logs, and
            marks of what is done, go to its ``logs/``.
        seeds: Seeds of the study.
        list_stages: Function of the folder of a seed and the seed; returns
            its stages, each after those that it needs.
        say: Function that prints a line.
        jobs: Number of stages that run at the same time, of all seeds; with
            several, each computes with one thread.
        last: Stages about all seeds; run each time, in ``work``.
        report: Function that is called after each stage, e.g. to bring a
            table of results up to date.
        preload: Modules that many stages import, such as ``'torch'``: a
            process imports them once, and Python scripts run in forks of it.

    Raises:
        RuntimeError: If a stage fails; with the end of its log.
    """
    start = time.monotonic()
    # A killed run leaves its stages running alone: the lock names them all,
    # and the next run waits.
    with locked_folder(work, wait=say) as lock:
        study = _Study(work, seeds, list_stages, jobs, say, report)
        tasks = study.plan()
        with (
            WarmProcess(preload, study.threads)
            if preload and tasks
            else nullcontext()
        ) as server:
            study.run(tasks, lock, server)
            for stage in last:
                task = study.make_task(stage, work, stage.name)
                study.run([task], lock, server)
    say(f'all stages done in {time.monotonic() - start:.0f} s\n')


class _Study:
    """Stages of all seeds, and what is said about them."""

    def __init__(
        self,
        work: Path,
        seeds: Sequence[int],
        list_stages: Callable[[Path, int], Sequence[Stage]],
        jobs: int,
        say: Callable[[str], object],
        report: Callable[[], object],
    ) -> None:
        self.work = work
        self.seeds = seeds
        self.list_stages = list_stages
        self.jobs = jobs
        self.say = say
        self.report = report
        self.titles: dict[Hashable, str] = {}
        self.threads = {'OMP_NUM_THREADS': '1'} if jobs > 1 else {}

    def plan(self) -> list[Task]:
        """Return the tasks of all seeds that are not done; name the others."""
        tasks = []
        for seed in self.seeds:
            folder = self.work / f'seed{seed}'
            stages = self.list_stages(folder, seed)
            _check_needs(stages)
            for number, stage in enumerate(stages, 1):
                title = f'[seed {seed}, {number}/{len(stages)}] {stage.name}'
                if is_done(stage, folder):
                    self.say(f'{title}: done before')
                    continue
                before = [one.name for one in stages[: number - 1]]
                needs = before if stage.needs is None else stage.needs
                tasks.append(self.make_task(stage, folder, title, needs))
        return tasks

    def make_task(
        self,
        stage: Stage,
        folder: Path,
        title: str,
        needs: Sequence[str] = (),
    ) -> Task:
        """Return a stage as a task.

        Args:
            stage: The stage.
            folder: Folder of its logs.
            title: Line to print at the start.
            needs: Names of stages in the same folder.
        """
        key = (folder, stage.name)
        self.titles[key] = title
        return Task(
            key,
            stage.name,
            stage.command,
            _find_log(stage.name, folder),
            frozenset((folder, name) for name in needs),
            stage.cwd or ROOT,
            self.threads,
        )

    def run(
        self,
        tasks: Sequence[Task],
        lock: FolderLock | None,
        server: WarmProcess | None,
    ) -> None:
        """Run tasks, and mark those that are done."""
        run_tasks(
            tasks,
            jobs=self.jobs,
            lock=lock,
            on_start=self._say_start,
            on_end=self._mark,
            server=server,
        )

    def _say_start(self, task: Task) -> None:
        words = ' '.join(task.command[1:]).replace(f'{ROOT}/', '')
        self.say(f'{self.titles[task.key]}\n    {words}')

    def _mark(self, ended: Finished) -> None:
        task, seconds = ended.task, ended.seconds
        if ended.status:
            self.say(f'{self.titles[task.key]}: FAILED, see {task.log}')
            return
        with atomic_write(task.log.with_suffix('.done'), 'w') as file:
            file.write(
                f'{hash_content(task.command)} {seconds:.1f} '
                f'{ended.cpu_seconds:.1f}'
            )
        end = f'{self.titles[task.key]}: ' if self.jobs > 1 else '    '
        self.say(f'{end}{seconds:.0f} s, {ended.cpu_seconds:.0f} CPU s')
        self.report()


def _check_needs(stages: Sequence[Stage]) -> None:
    known: set[str] = set()
    for stage in stages:
        unknown = sorted({*(stage.needs or ())} - known)
        if unknown or stage.name in known:
            raise ValueError(
                f'the stage {stage.name!r} needs {unknown}, which are not '
                f'earlier stages, or its name occurs twice'
            )
        known.add(stage.name)


def is_done(stage: Stage, folder: Path) -> bool:
    """Return whether an earlier run finished this very command."""
    return _read_mark(stage, folder)[:1] == [hash_content(stage.command)]


def read_seconds(stage: Stage, folder: Path) -> float | None:
    """Return how long a finished stage took, since its last resume."""
    mark = _read_mark(stage, folder)
    return float(mark[1]) if len(mark) > 1 else None


def read_cpu_seconds(stage: Stage, folder: Path) -> float | None:
    """Return the processor time of a finished stage, since its last resume."""
    mark = _read_mark(stage, folder)
    return float(mark[2]) if len(mark) > 2 else None


def _find_log(name: str, folder: Path) -> Path:
    return folder / 'logs' / f'{name.replace(" ", "_")}.log'


def _read_mark(stage: Stage, folder: Path) -> list[str]:
    """Return hash, seconds and processor seconds of what finished."""
    mark = _find_log(stage.name, folder).with_suffix('.done')
    return mark.read_text().split() if mark.exists() else []
