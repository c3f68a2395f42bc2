"""Time exact retrieval against its own matrix product; JSON in the end.

Alternating in one process on one thread, CPU seconds, medians:
exact_over_gemm: the whole of ours over a bare chunked float32 product, at
--n images, and exact_over_gemm_1e6 at a million; float32_over_gemm: the same
without the product in bfloat16, where there is one; marginal_over_gemm: an
image more when thresholds are those of 2e7 images; dense_over_ours: softmax
of everything and topk; exact_match: classes whose images and order equal
those of float64; extra_memory_mb: peak over that of the bare product;
faiss_recall: of the right images among the 10 n_k of highest cosine, for
plain queries and for contrastive ones (the mean of the 10 nearest classes
and of all taken off). seconds_wall: of product and of ours at a million, one
process per core, and exact_over_gemm_wall.
"""

import argparse

from benchmark_command import add_repeats, run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('--n', type=float, default=4e6, help='images')
    parser.add_argument('--k', type=int, default=1000, help='classes')
    parser.add_argument('--nk', type=int, default=100, help='images per class')
    add_repeats(parser)
    parser.add_argument(
        '--work-dir',
        default='work_dirs/retrieval_benchmark',
        help='folder of the store, 1 kB an image; made once',
    )
    parser.add_argument(
        '--measure-memory', choices=['floor', 'ours'], help=argparse.SUPPRESS
    )
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'retrieval_runs', one_thread=True)


if __name__ == '__main__':
    run_command(main)
