"""Memory of a retrieval over that of its bare matrix product."""

import argparse
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path


def measure_memory(args: argparse.Namespace) -> dict[str, float]:
    """Return MB over the bare product, at 1000 and at 8142 classes."""
    extra = {}
    for classes in (1000, 8142):
        peak = {}
        for name in ('floor', 'ours'):
            command = [
                sys.executable,
                Path(__file__).with_name('retrieval.py'),
                '--n',
                '2e5',
            ]
            command += ['--k', str(classes), '--nk', '20']
            command += ['--work-dir', args.work_dir, '--measure-memory', name]
            output = subprocess.run(
                command, check=True, capture_output=True, text=True
            ).stdout
            peak[name] = float(output.splitlines()[-1])
        extra[str(classes)] = peak['ours'] - peak['floor']
    return extra


def print_peak(run: Callable[[], object]) -> None:
    """Print the peak of memory that no file backs during a run, in MB."""
    peak, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.005):
            status = Path('/proc/self/status').read_text(encoding='utf-8')
            fields = dict(line.split(':', 1) for line in status.splitlines())
            peak = max(peak, int(fields['RssAnon'].split()[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    run()
    ended.set()
    watcher.join()
    print(peak / 1024)
