"""Test a model; mmpretrain's arguments, and gloo where there is no GPU."""

import argparse
import os
import sys
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.utils.command_line import (
    add_config_options,
    add_launcher,
    make_parser,
    run_command,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmengine.config import Config
    from mmengine.runner import Runner


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='test config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint file, or a folder that holds the best or last of a '
        "training (default: the weights of the config's pretrained=)",
    )
    parser.add_argument(
        '--split',
        choices=['test', 'val'],
        default='test',
        help='which images of the config; settings are chosen on val',
    )
    parser.add_argument(
        '--work-dir',
        help='folder of logs and metrics (default: that of the config, else '
        'work_dirs/CONFIG)',
    )
    parser.add_argument(
        '--out',
        help='file for metrics or predictions: .npz as our analysis tools '
        "read it, else mmpretrain's pickle (default: none)",
    )
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='what --out holds (default: pred)',
    )
    parser.add_argument(
        '--predictions',
        metavar='FILE.npz',
        help='second file of predictions, for our analysis tools and '
        'tools/report.py (default: none)',
    )
    add_config_options(parser)
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision'
    )
    parser.add_argument(
        '--show-dir', help='folder of pictures of predictions (default: none)'
    )
    parser.add_argument('--show', action='store_true', help='show pictures')
    parser.add_argument(
        '--interval', type=int, default=1, help='picture every n-th sample'
    )
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds per picture'
    )
    parser.add_argument(
        '--no-pin-memory',
        action='store_true',
        help='load batches into memory that is not pinned',
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help="test-time augmentation: the config's, else flipping",
    )
    add_launcher(parser)
    return parser


def parse_args() -> argparse.Namespace:
    parser = build_parser()
    args = parser.parse_args()
    if args.out is None and args.out_item is not None:
        parser.error('--out-item needs --out, the file to write')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: 'Config', args: argparse.Namespace) -> None:
    from ltvl_mm.utils.checkpoints import find_checkpoint
    from ltvl_mm.utils.launch import (
        add_progress_bar,
        prepare_launch,
        set_dataloader_defaults,
    )

    # First, since options name data sets and model as the config does.
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(args.config).stem))
    cfg.load_from = args.checkpoint and find_checkpoint(args.checkpoint)
    # A config that a resumed training left in its folder says True.
    cfg.resume = False
    if args.split == 'val':
        _test_on_val(cfg, args.config)
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir is not None:
        cfg.default_hooks.visualization = dict(
            type='VisualizationHook',
            enable=True,
            show=args.show,
            wait_time=args.wait_time,
            out_dir=args.show_dir,
            interval=args.interval,
        )
    add_progress_bar(cfg)
    set_dataloader_defaults(
        cfg, 'test_dataloader', pin_memory=not args.no_pin_memory
    )
    if args.tta:
        _add_tta(cfg)
    prepare_launch(cfg, args.launcher)


def _test_on_val(cfg: 'Config', name: str) -> None:
    if cfg.get('val_dataloader') is None:
        sys.exit(f'{name} has no val_dataloader to test on')
    cfg.test_dataloader = cfg.val_dataloader
    cfg.test_evaluator = cfg.val_evaluator


def _add_tta(cfg: 'Config') -> None:
    from mmengine.config import ConfigDict

    pipeline = cfg.test_dataloader.dataset.pipeline
    flips = [dict(type='RandomFlip', prob=prob) for prob in (1.0, 0.0)]
    cfg.setdefault(
        'tta_pipeline',
        [
            *deepcopy(pipeline[:-1]),
            dict(type='TestTimeAug', transforms=[flips, [pipeline[-1]]]),
        ],
    )
    tta = cfg.get('tta_model', dict(type='mmpretrain.AverageClsScoreTTA'))
    cfg.model = ConfigDict(**tta, module=cfg.model)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline


def build_runner(cfg: 'Config') -> 'Runner':
    """Build the Runner, which loads every weight of its model or fails.

    Loading itself waits for ``runner.test()``: hooks such as EMAHook, which
    swap weights of a checkpoint, are not ready before.
    """
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    from ltvl_mm.utils.runner_weights import load_all_weights

    if 'runner_type' in cfg:
        # Another runner may not have its model yet; it loads by itself.
        return RUNNERS.build(cfg)
    runner = Runner.from_cfg(cfg)
    runner.load_checkpoint = partial(load_all_weights, runner)
    return runner


def name_split_in_log(runner: 'Runner', split: str) -> None:
    """Let log lines name the split that is tested: ``Epoch(val)``.

    mmengine logs ``Epoch(test)`` in every test loop.
    """
    processor = runner.log_processor

    def rename(method: 'Callable') -> 'Callable':
        def get_log(*args: object, **kwargs: object) -> tuple[dict, str]:
            tag, line = method(*args, **kwargs)
            return tag, line.replace('(test)', f'({split})', 1)

        return get_log

    for name in ('get_log_after_iter', 'get_log_after_epoch'):
        setattr(processor, name, rename(getattr(processor, name)))


def main() -> None:
    args = parse_args()
    import mmengine
    from mmengine.config import Config
    from mmengine.dist import is_main_process
    from mmengine.evaluator import DumpResults

    from ltvl_mm.apis.clip_inputs import check_clip_inputs
    from ltvl_mm.datasets.config_list_check import check_config_lists
    from ltvl_mm.evaluation import PredictionWriter
    from ltvl_mm.utils.lock import locked_file
    from ltvl_mm.utils.provenance import record_command
    from ltvl_mm.utils.run_config import write_run_config
    from ltvl_mm.utils.temporaries import explain_write_errors

    cfg = Config.fromfile(args.config)
    merge_args(cfg, args)
    check_config_lists(cfg)
    check_clip_inputs(cfg)
    runner = build_runner(cfg)
    name_split_in_log(runner, args.split)
    evaluator = runner.test_evaluator
    if args.out and args.out_item != 'metrics':
        write = PredictionWriter if args.out.endswith('.npz') else DumpResults
        evaluator.metrics.append(write(args.out))
    if args.predictions:
        evaluator.metrics.append(PredictionWriter(args.predictions))
    # Tells all metrics, those that came late as well.
    evaluator.dataset_meta = evaluator.dataset_meta
    if is_main_process():
        record_command(cfg.work_dir)
        write_run_config(cfg)
    with locked_file(args.out), locked_file(args.predictions):
        metrics = runner.test()
        if args.out and args.out_item == 'metrics':
            with explain_write_errors(args.out):
                mmengine.dump(metrics, args.out)


if __name__ == '__main__':
    run_command(main)
