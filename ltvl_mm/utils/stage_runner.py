"""Resumable stages: commands that are run again only if inputs change."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ltvl_mm.utils.io import atomic_write, hash_content, hash_file
from ltvl_mm.utils.lock import FolderLock
from ltvl_mm.utils.temporaries import remove_temporaries

QUIET = {
    # Library warnings are in the log; the terminal shows the bar.
    'PYTHONWARNINGS': 'ignore',
    # Threads that spin while they wait take the core from each other when
    # anything else runs: a step of the toy CLIP took 7.8 s beside one other
    # training on 2 cores, and 0.4 s with this.
    'OMP_WAIT_POLICY': 'PASSIVE',
}
# Larger files (weights) are told apart by size and time.
_HASHED_BYTES = 64_000_000


@dataclass(frozen=True)
class ResumableStage:
    """A command with all that its result depends on.

    Args:
        name: Unique name; logs and marks are called after it.
        command: Program and arguments, with absolute paths.
        inputs: Files whose content the result depends on.
        settings: Other inputs in words, such as the file names of a folder.
        needs: Names of earlier stages; if one of these is redone with other
            inputs, so is this one.
        outputs: Files that exist when the stage is done.
        owns: Files and folders that the command writes. They are removed
            before it begins anew with other inputs; otherwise it resumes.
        reset: Text instead of all inputs: ``owns`` is removed only if this
            text changes, for commands that update their own output.
        show: Function that returns what to print when the stage is done.
    """

    name: str
    command: tuple[str, ...]
    inputs: tuple[Path, ...] = ()
    settings: str = ''
    needs: tuple[str, ...] = ()
    outputs: tuple[Path, ...] = ()
    owns: tuple[Path, ...] = ()
    reset: str | None = None
    show: Callable[[], str] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class StageFolder:
    """Folders and environment in which stages run.

    Args:
        root: Output folder; logs and marks are in its ``logs/``.
        prefixes: Absolute folders that may move between runs, such as
            ``root``: their names are not part of what a stage depends on.
        environment: Variables that the commands get besides the present.
    """

    root: Path
    prefixes: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def locate(self, stage: ResumableStage, suffix: str) -> Path:
        """Return the log (``.log``) or a mark of a stage."""
        name = stage.name.replace(' ', '_')
        return self.root / 'logs' / f'{name}{suffix}'


def compute_keys(
    stages: Sequence[ResumableStage], folder: StageFolder
) -> dict[str, str]:
    """Return stage name -> digest of all that its result depends on.

    Inputs that do not exist yet count as such: an earlier stage writes them,
    and is named in ``needs``.

    Raises:
        ValueError: If a name occurs twice, or ``needs`` names no earlier
            stage.
    """
    keys: dict[str, str] = {}
    for stage in stages:
        unknown = [name for name in stage.needs if name not in keys]
        if unknown or stage.name in keys:
            raise ValueError(
                f'the stage {stage.name!r} needs {unknown}, which are not '
                f'earlier stages, or its name occurs twice'
            )
        content = [
            [_forget(word, folder) for word in stage.command[1:]],
            {
                _forget(str(file), folder): _digest(file)
                for file in stage.inputs
            },
            _forget(stage.settings, folder),
            [keys[name] for name in stage.needs],
        ]
        keys[stage.name] = hash_content(content)
    return keys


def is_finished(stage: ResumableStage, folder: StageFolder, key: str) -> bool:
    """Return whether an earlier run finished a stage with equal inputs."""
    mark = folder.locate(stage, '.done')
    if not mark.is_file() or mark.read_text().split()[:1] != [key]:
        return False
    return all(path.exists() for path in stage.outputs)


def run_stages(
    stages: Sequence[ResumableStage],
    folder: StageFolder,
    *,
    lock: FolderLock | None,
    say: Callable[[str], object],
    total: Sequence[ResumableStage] | None = None,
) -> None:
    """Run the stages that no earlier run has finished, in their order.

    Args:
        stages: Each after those that it needs.
        folder: Their folder.
        lock: Lock of the folder, which also names the running command; None
            if an outer call of this process holds it.
        say: Function that prints a line.
        total: All stages, if ``stages`` are some of them; None for these.

    Raises:
        RuntimeError: If a command fails; with the end of its log.
    """
    # Once, before anything is written: a mark says what a stage was begun
    # with, also if the user edits a file while it runs.
    total = stages if total is None else total
    keys, names = compute_keys(total, folder), [one.name for one in total]
    for stage in stages:
        number = names.index(stage.name) + 1
        title = f'[{number}/{len(names)}] {stage.name}'
        key = keys[stage.name]
        if is_finished(stage, folder, key):
            say(f'{title}: done before')
        else:
            say(f'{title}\n    {show_command(stage.command)}')
            _begin(stage, folder, key, say)
            begin = time.monotonic()
            run_logged(
                stage.name,
                stage.command,
                folder.locate(stage, '.log'),
                environment=folder.environment,
                lock=lock,
            )
            seconds = time.monotonic() - begin
            with atomic_write(folder.locate(stage, '.done'), 'w') as file:
                file.write(f'{key} {seconds:.1f}')
            say(f'    {seconds:.0f} s')
        if stage.show is not None:
            say(stage.show())


def run_logged(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str],
    lock: FolderLock | None,
    cwd: Path | None = None,
) -> None:
    """Run a command; its output goes to a log, its errors to the terminal.

    Args:
        name: For the message if it fails.
        command: Program and arguments.
        log: File that the output is appended to.
        environment: Variables besides the present ones.
        lock: Lock of the folder, which the command keeps while it runs; None
            if an outer call of this process holds it.
        cwd: Working directory; None for the present one.

    Raises:
        RuntimeError: If it fails; with the end of its log.
    """
    with start_logged(command, log, environment, cwd=cwd) as process:
        if lock is not None:
            lock.set_children([process.pid])
        try:
            status = process.wait()
        except BaseException:  # Ctrl-C reaches both, SIGTERM only this one
            process.kill()
            raise
    if status:
        raise RuntimeError(describe_failure(name, log))


def start_logged(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    log_errors: bool = False,
) -> subprocess.Popen:
    """Start a command whose output is appended to a log.

    Args:
        command: Program and arguments.
        log: File that the output is appended to.
        environment: Variables besides the present ones.
        cwd: Working directory; None for the present one.
        log_errors: True to log errors and progress bars as well, which
            otherwise go to the terminal.
    """
    prepare_log(log)
    with open(log, 'a', encoding='utf-8') as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=QUIET | os.environ | dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT if log_errors else None,
        )


def prepare_log(log: Path) -> None:
    """Make the folder of a log, without temporaries of killed commands."""
    log.parent.mkdir(parents=True, exist_ok=True)
    remove_temporaries(log.parent)


def describe_failure(name: str, log: Path) -> str:
    """Return the end of the log of a command that failed."""
    tail = log.read_text(encoding='utf-8', errors='replace').splitlines()[-20:]
    return '\n'.join([*tail, f'"{name}" failed; log: {log}'])


def show_command(command: Sequence[str]) -> str:
    """Return a command to type: ``python``, and paths as short as possible."""
    words = list(command)
    if Path(words[0]).name.startswith('python'):
        words[0] = 'python'
    here = f'{os.getcwd()}{os.sep}'
    return shlex.join(word.replace(here, '') for word in words)


def _begin(
    stage: ResumableStage,
    folder: StageFolder,
    key: str,
    say: Callable[[str], object],
) -> None:
    """Remove what a run with other inputs left, and mark the stage begun."""
    begun, reset = folder.locate(stage, '.begun'), stage.reset or key
    before = begun.read_text() if begun.is_file() else None
    if before not in (None, reset):
        for path in stage.owns:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        say('    its inputs have changed: begun anew')
    # Before the new one begins: a kill now must not leave an old mark.
    folder.locate(stage, '.done').unlink(missing_ok=True)
    with atomic_write(begun, 'w') as file:
        file.write(reset)


def _forget(text: str, folder: StageFolder) -> str:
    """Return a text without the names of folders that may move."""
    for number, prefix in enumerate(folder.prefixes):
        text = text.replace(str(prefix), f'<{number}>')
    return text


def _digest(file: Path) -> str | list | None:
    if not file.is_file():
        return None
    stat = file.stat()
    if stat.st_size > _HASHED_BYTES:
        return [stat.st_size, stat.st_mtime_ns]
    return hash_file(file)
