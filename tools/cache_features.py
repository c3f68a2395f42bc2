"""Cache the features of a frozen backbone; resumes when killed.

Phase B of BALLAD trains the adapter alone, so what comes before it can be
computed once: OUT/train gets V views of each training image, OUT/val and
OUT/test one view. A *_cached.py config then trains on them.
"""

import argparse
from pathlib import Path

from ltvl_mm.utils.command_line import (
    add_config_options,
    add_device,
    choose_device,
    make_parser,
    run_command,
)


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config of the uncached phase B')
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the cache'
    )
    parser.add_argument(
        '--views',
        type=int,
        default=10,
        help='augmented passes of the training set; as many as epochs make '
        'it see as many different images as uncached',
    )
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=['train', 'val', 'test'],
        help='splits to cache (default: all that the config has)',
    )
    add_device(parser)
    add_config_options(parser)
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from ltvl_mm.apis.clip_inputs import check_clip_inputs
    from ltvl_mm.engine.feature_caching import cache_features

    cfg = Config.fromfile(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    check_clip_inputs(cfg)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    splits = args.splits or [
        split
        for split in ('train', 'val', 'test')
        if cfg.get(f'{split}_dataloader') is not None
    ]
    for split in splits:
        cache = cache_features(
            cfg,
            split,
            Path(args.out, split),
            views=args.views if split == 'train' else 1,
            device=choose_device(args.device),
        )
        rows, dim = cache.views[0].shape
        print(
            f'{cache.root}: {len(cache.views)} views of {rows} images, '
            f'{dim} wide; fingerprint {cache.source.fingerprint[:12]}'
        )


if __name__ == '__main__':
    run_command(main)
