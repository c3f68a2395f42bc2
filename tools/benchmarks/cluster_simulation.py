"""Plan embedding and retrieval of a web collection; JSON in the end.

A cost model of rates and prices, and a simulation of its shards on machines
that are slow, preempted and added step by step. The defaults of rates are
measured ones of tools/benchmarks/README.md, except --gpu-images, which is
clip-retrieval's figure for an RTX 3080 and was not measured by us. Prices are
1, so that dollars read as machine-hours: give your own.
"""

import argparse
import json
from dataclasses import asdict

from ltvl_mm.utils.command_line import make_parser, run_command

NUMBERS = {
    'classes': (1000, 'classes of the retrieval'),
    'budget': (300, 'images wanted per class'),
    'workers': (4, 'shards that a machine decodes at a time'),
    'gpu-images': (1500.0, 'images/s that a GPU encodes'),
    'cores': (16, 'CPU cores of a machine'),
    'decode-ms': (4.4, 'CPU milliseconds to read, decode and hash an image'),
    'scan-us': (9.2, 'CPU microseconds to scan an image for 1,000 classes'),
    'rank-us': (40.0, 'CPU microseconds to rank a candidate, 1,000 classes'),
    'check-us': (0.42, 'CPU microseconds to verify an image of a store'),
    'image-kb': (30.0, 'kB of an encoded image'),
    'store-kb': (2.0, 'kB of an image in a store'),
    'network-gbit': (10.0, 'network of a machine, in Gbit/s'),
    'hour-price': (1.0, 'dollars per hour of a machine'),
    'egress-price': (1.0, 'dollars per GB that leaves the cloud'),
    'spread': (0.2, 'standard deviation of the logarithm of shard times'),
    'slow-share': (0.05, 'share of the machines that are slow'),
    'slow-factor': (3.0, 'factor of the time of a slow machine'),
    'life-hours': (4.0, 'mean hours until a machine is preempted'),
    'boot-minutes': (5.0, 'minutes until a new machine works'),
    'batch': (8, 'machines that the autoscaler adds at a time; 0 for all'),
    'seed': (0, 'seed of the simulation'),
}
# Name, key of the cost model, and format.
COSTS = (
    ('shards', 'shards', ',.0f'),
    ('embedding: hours', 'embed_hours', ',.1f'),
    ('embedding: TB read', 'embed_read_tb', ',.1f'),
    ('store: TB', 'store_tb', ',.2f'),
    ('verification: minutes', 'verify_minutes', ',.2f'),
    ('verification: GB of key hashes', 'keys_gb', ',.1f'),
    ('scan: minutes', 'scan_minutes', ',.1f'),
    ('exact finish: minutes', 'finish_minutes', ',.2f'),
    ('candidate pool: GB', 'pool_gb', ',.3f'),
    ('retrieved images: GB of egress', 'egress_gb', ',.1f'),
    ('machine-hours', 'machine_hours', ',.0f'),
    ('dollars', 'dollars', ',.0f'),
)
OUTCOMES = (
    ('hours', 'hours', ',.2f'),
    ('over the ideal', 'ratio', '.2f'),
    ('minutes after the last shard was dealt', 'tail_minutes', ',.1f'),
    ('preempted machines', 'preempted', ',.0f'),
    ('share of work lost', 'lost_share', '.2%'),
    ('machine-hours', 'machine_hours', ',.0f'),
)


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--images',
        type=float,
        nargs='+',
        default=[16e6, 400e6, 5e9],
        help='web images',
    )
    parser.add_argument(
        '--machines',
        type=int,
        nargs='+',
        default=[2, 32, 256],
        help='machines with one GPU each, for each number of images',
    )
    for name, (default, text) in NUMBERS.items():
        parser.add_argument(
            f'--{name}', type=type(default), default=default, help=text
        )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    if len(args.images) != len(args.machines):
        raise ValueError(
            f'--images has {len(args.images)} numbers and --machines '
            f'{len(args.machines)}; give one of both for each plan'
        )
    from cluster_costs import Plan, Rates, compute_costs

    rates = Rates(
        args.gpu_images,
        args.cores,
        args.decode_ms,
        args.scan_us,
        args.rank_us,
        args.check_us,
        1000 * args.image_kb,
        1000 * args.store_kb,
        args.network_gbit * 1e9 / 8,
    )
    plans = [
        Plan(images, args.classes, args.budget, machines)
        for images, machines in zip(args.images, args.machines, strict=True)
    ]
    costs = [
        compute_costs(
            plan,
            rates,
            hour_price=args.hour_price,
            egress_price=args.egress_price,
        )
        for plan in plans
    ]
    outcomes = [simulate_plan(plan, rates, args) for plan in plans]
    print(
        f'A machine embeds {rates.embedded:,.0f} images/s; its '
        f'{rates.embedding_limit} is the limit.'
    )
    head = [f'{plan.images:,.0f} images' for plan in plans]
    numbers = [f'{plan.machines} machines' for plan in plans]
    print_table(['cost model', *head], [['', *numbers]], COSTS, costs)
    print_table(['simulated embedding', *head], [], OUTCOMES, outcomes)
    print(
        json.dumps(
            {
                'rates': asdict(rates),
                'plans': [
                    {**asdict(plan), 'costs': cost, 'simulation': outcome}
                    for plan, cost, outcome in zip(
                        plans, costs, outcomes, strict=True
                    )
                ],
            }
        )
    )


def simulate_plan(
    plan: object, rates: object, args: argparse.Namespace
) -> dict[str, float]:
    """Return what a simulation of the shards of a plan gives."""
    from cluster_costs import SHARD_IMAGES
    from cluster_events import Behavior, simulate

    shards = -(-int(plan.images) // SHARD_IMAGES)
    found = simulate(
        shards,
        Behavior(
            machines=plan.machines,
            slots=args.workers,
            shard_s=SHARD_IMAGES / rates.embedded,
            spread=args.spread,
            slow_share=args.slow_share,
            slow_factor=args.slow_factor,
            life_s=3600 * args.life_hours,
            boot_s=60 * args.boot_minutes,
            batch=args.batch,
        ),
        args.seed,
    )
    return {
        **asdict(found),
        'hours': found.seconds / 3600,
        'ratio': found.seconds / found.ideal_s,
        'tail_minutes': found.tail_s / 60,
        'machine_hours': found.machine_s / 3600,
    }


def print_table(
    head: list[str],
    first: list[list[str]],
    lines: tuple[tuple[str, str, str], ...],
    columns: list[dict[str, float]],
) -> None:
    """Print a table with a line per quantity and a column per plan."""
    rows = [head, *first]
    for title, key, form in lines:
        rows.append([title, *(format(one[key], form) for one in columns)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print()
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [
            cell.rjust(width)
            for cell, width in zip(row[1:], widths[1:], strict=True)
        ]
        print('  '.join(cells))


if __name__ == '__main__':
    run_command(main)
