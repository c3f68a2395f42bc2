"""CPU seconds of the start of train.py, embed_images.py and retrieve.py.

New processes in alternating order, user and system seconds, medians; JSON in
the end. train.py and mmpretrain's own train.py, which its wheel contains, run
until mmengine has found the class of the training data set. Only the end is
imitated: then the process exits, before the class is called. The configs are
mmpretrain's ResNet-18 on CIFAR-10 (plain) and configs/tackle_rx50.py.
embed_images.py and retrieve.py run as a whole on four images with the toy CLIP
and the built-in background names, beside `import torch, open_clip` alone.
"""

import argparse

from benchmark_command import add_repeats, run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    add_repeats(parser)
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'start_time_runs', one_thread=True)


if __name__ == '__main__':
    run_command(main)
