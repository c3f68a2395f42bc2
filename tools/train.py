"""Train a model; mmpretrain's arguments, and gloo where there is no GPU."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.utils.command_line import (
    add_config_options,
    add_launcher,
    add_retrieved,
    make_parser,
    run_command,
)

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='train config file')
    parser.add_argument(
        '--work-dir',
        help='folder of logs and checkpoints (default: that of the config, '
        'else work_dirs/CONFIG)',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from a checkpoint, or from the last one of a training '
        'folder (default: none; without CHECKPOINT the last one of the work '
        'folder)',
    )
    add_retrieved(parser)
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision'
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='skip validation'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate linearly to the images of a step: '
        'ranks x batch_size x accumulative_counts',
    )
    parser.add_argument(
        '--no-pin-memory',
        action='store_true',
        help='load batches into memory that is not pinned',
    )
    parser.add_argument(
        '--no-persistent-workers',
        action='store_true',
        help='start the loading processes again for each epoch',
    )
    add_config_options(parser)
    add_launcher(parser)
    return parser


def parse_args() -> argparse.Namespace:
    args = build_parser().parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: 'Config', args: argparse.Namespace) -> None:
    from ltvl_mm.utils.checkpoints import find_checkpoint
    from ltvl_mm.utils.launch import (
        add_progress_bar,
        prepare_launch,
        set_dataloader_defaults,
    )

    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(args.config).stem))
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None
        if args.resume != 'auto':
            cfg.load_from = find_checkpoint(args.resume, prefer_best=False)
    add_progress_bar(cfg)
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise ValueError(
                f'{args.config} has no auto_scale_lr = '
                f'dict(base_batch_size=...) to scale by'
            )
        cfg.auto_scale_lr.enable = True
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        set_dataloader_defaults(
            cfg,
            name,
            pin_memory=not args.no_pin_memory,
            persistent_workers=not args.no_persistent_workers,
        )
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if cfg.get('auto_scale_lr', {}).get('enable', False):
        # mmengine scales to what the ranks load at once, and forgets that a
        # step may be taken on several such batches.
        steps = cfg.optim_wrapper.get('accumulative_counts', 1)
        cfg.auto_scale_lr.base_batch_size /= steps
    prepare_launch(cfg, args.launcher)


def leave_stage_1(cfg: 'Config', runner: 'Runner') -> None:
    """Do not ask a resumed run for what its own checkpoint holds."""
    from mmengine.model import is_model_wrapper
    from mmengine.runner import find_latest_checkpoint

    model = runner.model
    if is_model_wrapper(model):
        model = model.module
    if not cfg.get('resume') or not hasattr(model, 'leave_stage_1'):
        return
    checkpoint = cfg.get('load_from') or find_latest_checkpoint(cfg.work_dir)
    if checkpoint is not None:
        model.leave_stage_1(checkpoint)


def main() -> None:
    args = parse_args()
    from mmengine.config import Config
    from mmengine.logging import print_log
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    from ltvl_mm.apis.clip_inputs import check_clip_inputs
    from ltvl_mm.apis.frozen_features import warn_of_frozen_features
    from ltvl_mm.apis.recipe_choice import use_retrieved_images
    from ltvl_mm.datasets.config_list_check import check_config_lists
    from ltvl_mm.engine.hooks import PlainCheckpointHook, RunRecordHook
    from ltvl_mm.models.losses.mixed_labels import check_mixed_labels
    from ltvl_mm.models.losses.weighted_losses import check_weighted_losses
    from ltvl_mm.utils.lock import locked_folder

    cfg = Config.fromfile(args.config)
    merge_args(cfg, args)
    notes = use_retrieved_images(cfg, args.retrieved, args.recipe)
    check_config_lists(cfg)
    check_clip_inputs(cfg)
    check_mixed_labels(cfg)
    check_weighted_losses(cfg)
    build = RUNNERS.build if 'runner_type' in cfg else Runner.from_cfg
    runner = build(cfg)
    warn_of_frozen_features(cfg)  # now that the run has a log file
    for note in notes:
        runner.logger.info(note)
    # So that torch.load(weights_only=True) reads what this training saves.
    runner.register_hook(PlainCheckpointHook())
    runner.register_hook(RunRecordHook(cfg))
    leave_stage_1(cfg, runner)
    # A resumed training waits for one that was killed and is still ending.
    wait = print_log if cfg.get('resume') else None
    with locked_folder(cfg.work_dir, wait=wait):
        runner.train()


if __name__ == '__main__':
    run_command(main)
