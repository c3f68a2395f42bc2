"""Measurements of start_time.py."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from embedding_runs import draw_jpeg
from help_time import ROOT, measure_children

from ltvl_mm.utils.rng import make_generator

IMAGES = 4
# Arguments: a script and its own ones.
UNTIL_DATASET = """
import os, runpy, sys
from mmengine.registry import Registry

get = Registry.get

def get_or_exit(self, key):
    found = get(self, key)
    if self.name == 'dataset' and found is not None:
        os._exit(0)
    return found

Registry.get = get_or_exit
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name='__main__')
sys.exit('no data set was built')
"""


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            'repeats': args.repeats,
            'train': measure_train(Path(folder), args.repeats),
            'tools': measure_tools(Path(folder), args.repeats),
        }


def measure_train(work: Path, repeats: int) -> dict[str, dict]:
    """Return seconds of both train.py, and their differences, per config."""
    stock = find_mmpretrain() / '.mim'
    configs = {
        'plain': stock / 'configs/resnet/resnet18_8xb16_cifar10.py',
        'tackle_rx50': ROOT / 'configs/tackle_rx50.py',
    }
    found = {}
    for name, config in configs.items():
        times = alternate(
            {
                side: ['-c', UNTIL_DATASET, script, config, '--work-dir', work]
                for side, script in (
                    ('stock', stock / 'tools/train.py'),
                    ('ours', ROOT / 'tools/train.py'),
                )
            },
            repeats,
        )
        more = [
            ours - other
            for ours, other in zip(times['ours'], times['stock'], strict=True)
        ]
        found[name] = {
            **summarize(times),
            'ours_minus_stock': round(median(more), 2),
            'ours_minus_stock_all': [round(one, 2) for one in more],
        }
    return found


def find_mmpretrain() -> Path:
    """Return the folder of the installed package, which is not imported."""
    spec = find_spec('mmpretrain')
    if spec is None or spec.origin is None:
        raise ValueError(
            'mmpretrain is not installed; run python -m ltvl_mm.check_env'
        )
    return Path(spec.origin).parent


def measure_tools(work: Path, repeats: int) -> dict[str, float]:
    """Return seconds of embedding and retrieval, and of importing torch."""
    images, names, store = work / 'images', work / 'names.txt', work / 'store'
    images.mkdir()
    rng = make_generator(0)
    for number in range(IMAGES):
        (images / f'{number}.jpg').write_bytes(draw_jpeg(rng, 64, 64))
    names.write_text('cat\ndog\n', encoding='utf-8')
    weights = ROOT / 'ltvl_mm/clip/weights/ltvl-toy.safetensors'
    clip = ['--pretrained', weights]
    tools = ROOT / 'tools'
    embed = [tools / 'embed_images.py', images, '--arch', 'ltvl-toy', *clip]
    embed += ['--workers', '0', '-o']
    retrieve = [tools / 'retrieve.py', store, '--class-names', names, *clip]
    retrieve += ['--budget', '2', '--allow-test-copies']
    measure([*embed, store])
    return summarize(
        alternate(
            {
                'torch_open_clip': ['-c', 'import torch, open_clip'],
                'embed': [*embed, '{new}'],
                'retrieve': [*retrieve, '-o', '{new}'],
                'retrieve_without_background': [
                    *(*retrieve, '--background', 'none', '-o', '{new}')
                ],
            },
            repeats,
        )
    )


def alternate(
    commands: Mapping[str, list], repeats: int
) -> dict[str, list[float]]:
    """Return the CPU seconds of each run of commands in alternating order.

    Args:
        commands: Name -> arguments of Python; ``{new}`` is a new folder.
        repeats: Runs of each command.
    """
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            with tempfile.TemporaryDirectory() as folder:
                new = f'{folder}/new'
                times[name].append(
                    measure(
                        [new if one == '{new}' else one for one in command]
                    )
                )
    return times


def measure(command: list) -> float:
    """Run Python in a new process; return its user and system seconds."""
    before = measure_children()
    ended = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True
    )
    if ended.returncode:
        raise RuntimeError(
            f'{command} has ended with status {ended.returncode}: '
            f'{ended.stderr[-2000:]}'
        )
    return measure_children() - before


def summarize(times: Mapping[str, list[float]]) -> dict[str, float]:
    """Return medians."""
    return {name: round(median(runs), 2) for name, runs in times.items()}
