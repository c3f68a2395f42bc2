"""Time BALLAD here against the loop of its authors' code; JSON in the end.

Phase A: one step with cross-entropy over all classes, random weights, against
a plain re-creation that tokenises and encodes every prompt at length 77 each
step. Phase B: a whole run on the toy world, from cached features against
images. Ratios are medians of alternating runs, larger is better:
text_side_speedup, step_speedup, phase_b_speedup (the caching itself not
counted; phase_b_speedup_with_caching counts it), and peak_memory_ratio, what
a step of phase A needs above weights.
"""

import argparse
import json
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from phase_a_step import measure_phase_a
from phase_b_run import measure_phase_b

from ltvl_mm.utils.command_line import run_command


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    gpu = torch.cuda.is_available()
    parser.add_argument('--device', default='cuda' if gpu else 'cpu')
    parser.add_argument('--arch', default='RN50-quickgelu')
    parser.add_argument(
        '--classes',
        type=int,
        default=1000 if gpu else 64,
        help='first names of ImageNet and the longest; 1000 takes a CPU hours',
    )
    parser.add_argument('--batch-size', type=int, default=64 if gpu else 8)
    parser.add_argument('--repeats', type=int, default=10 if gpu else 3)
    parser.add_argument(
        '--work-dir',
        default='work_dirs/ballad_step',
        help='of the toy world and its phase A; made once',
    )
    parser.add_argument('--phase', choices=['a', 'b'], help='default: both')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    init_default_scope('mmpretrain')
    results = {'device': args.device, 'threads': torch.get_num_threads()}
    if args.phase != 'b':
        results |= measure_phase_a(
            args.arch,
            classes=args.classes,
            batch_size=args.batch_size,
            repeats=args.repeats,
            device=args.device,
        )
    if args.phase != 'a':
        results |= measure_phase_b(Path(args.work_dir).resolve())
    print(json.dumps(results))


if __name__ == '__main__':
    run_command(main)
