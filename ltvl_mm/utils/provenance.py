"""Record the command, code and library versions that made a folder."""

import json
import os
import platform
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.regular_files import read_regular
from ltvl_mm.utils.remote_paths import as_path, is_remote
from ltvl_mm.utils.temporaries import explain_write_errors

FILE = 'commands.jsonl'
_FIELDS = frozenset(
    'command folder environment time commit versions device'.split()
)
# Packages of either OpenMMLab family; the package comes with the clone.
_PACKAGES = (
    'ltvl-mm',
    'torch',
    'onedl-mmengine',
    'onedl-mmpretrain',
    'mmengine',
    'mmpretrain',
    'open_clip_torch',
    'timm',
    'numpy',
    'pillow',
)
_MAX_BYTES = 50_000_000
_ROOT = Path(__file__).resolve().parents[2]


def record_command(folder: str | Path) -> None:
    """Append what runs now to ``<folder>/commands.jsonl``, a line per run."""
    folder = as_path(folder)
    line = json.dumps(describe_command(), ensure_ascii=False) + '\n'
    if is_remote(folder):  # objects cannot be appended to
        record = folder / FILE
        before = record.read_bytes() if record.exists() else b''
        with atomic_write(record) as output:
            output.write(before + line.encode())
        return
    with explain_write_errors(folder / FILE):
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / FILE, 'a', encoding='utf-8') as file:
            file.write(line)


def describe_command() -> dict:
    """Return command, place, time, code, libraries and device; JSON-like."""
    import torch  # not before a tool has parsed its arguments

    return {
        'command': shlex.join(['python', *sys.argv]),
        'folder': os.getcwd(),
        'environment': {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith('LTVL_')  # configs are pointed by these
        },
        'time': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'commit': read_commit(),
        'versions': {'python': platform.python_version(), **_read_versions()},
        'device': torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else f'{os.cpu_count()} CPU cores ({platform.machine()})',
    }


def read_commit() -> str:
    """Return the clone's commit, ``+`` if it has changes; '' outside one."""
    commit = _ask_git('rev-parse', '--short=12', 'HEAD')
    changed = commit and _ask_git('status', '--porcelain', '-uno')
    return f'{commit}+' if changed else commit


def read_commands(folder: str | Path) -> tuple[list[dict], int]:
    """Return the commands of a folder, and how many lines are broken."""
    text = read_regular(as_path(folder) / FILE, max_bytes=_MAX_BYTES)
    found, broken = [], 0
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        # A line that a kill cut off, or another file's content.
        except (ValueError, RecursionError):
            entry = None
        if _is_command(entry):
            found.append(entry)
        else:
            broken += 1
    return found, broken


def _is_command(entry: object) -> bool:
    if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
        return False
    tables = [entry['environment'], entry['versions']]
    if not all(isinstance(table, dict) for table in tables):
        return False
    texts = [entry[name] for name in _FIELDS - {'environment', 'versions'}]
    texts += [value for table in tables for value in table.values()]
    return all(isinstance(text, str) for text in texts)


def _ask_git(*words: str) -> str:
    try:
        done = subprocess.run(
            ['git', *words], cwd=_ROOT, capture_output=True, text=True
        )
    except FileNotFoundError:
        return ''
    return done.stdout.strip()


def _read_versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
