"""Time BALLAD here against the loop of its authors' code; JSON in the end.

Phase A: one step with cross-entropy over all classes, random weights, against
a plain re-creation that tokenizes and encodes every prompt at length 77 each
step. Phase B: a whole run on the toy world, from cached features against
images. Ratios are medians of alternating runs, larger is better:
text_side_speedup, step_speedup, phase_b_speedup (the caching itself not
counted; phase_b_speedup_with_caching counts it), and peak_memory_ratio, what
a step of phase A needs above weights.
"""

import argparse
import json
from pathlib import Path

from sizes import Size, add_sizes, choose_sizes

from ltvl_mm.utils.command_line import add_device, make_parser, run_command

SIZES = {
    'classes': Size(
        1000,
        64,
        'first names of ImageNet and the longest; 1000 takes a CPU hours',
    ),
    'batch-size': Size(64, 8, 'images of a step'),
    'repeats': Size(10, 3, 'runs of each measurement'),
}


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    add_device(parser)
    parser.add_argument(
        '--arch', default='RN50-quickgelu', help='open_clip architecture'
    )
    add_sizes(parser, SIZES)
    parser.add_argument(
        '--piece',
        type=int,
        metavar='CLASSES',
        help='classes that the plain loop encodes; the time of its text side '
        'is extrapolated linearly to all (default: all)',
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/ballad_step',
        help='folder of the embedded world and its phase A; made once',
    )
    parser.add_argument(
        '--phase', choices=['a', 'b'], help='phase to time (default: both)'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    import torch
    from mmengine.registry import init_default_scope
    from phase_a_step import measure_phase_a
    from phase_b_run import measure_phase_b

    args = choose_sizes(args, SIZES)
    init_default_scope('mmpretrain')
    results = {'device': args.device, 'threads': torch.get_num_threads()}
    if args.phase != 'b':
        results |= measure_phase_a(
            args.arch,
            classes=args.classes,
            batch_size=args.batch_size,
            repeats=args.repeats,
            device=args.device,
            piece=args.piece,
        )
    if args.phase != 'a':
        results |= measure_phase_b(Path(args.work_dir).resolve())
    print(json.dumps(results))


if __name__ == '__main__':
    run_command(main)
