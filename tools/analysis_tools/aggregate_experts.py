"""TADE's test-time aggregation: weigh experts on test images without labels.

Two random views of each test image should get the same answer; the shares
with which they do are taken. The config says how views are made
(aggregation_views, a pipeline) and how shares are learned (aggregation, with
rate and, if wanted, weight_decay and entropy_weight).
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.utils.command_line import (
    add_config_options,
    add_device,
    choose_device,
    make_parser,
    run_command,
)

if TYPE_CHECKING:
    from mmengine.config import Config


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config with ExpertClsHead')
    parser.add_argument('checkpoint', help='file, or folder of the training')
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the results'
    )
    parser.add_argument(
        '--epochs',
        type=int,
        default=5,
        help='passes over the test images, each with new views',
    )
    parser.add_argument(
        '--rate',
        type=float,
        help='learning rate of the shares (default: that of the config)',
    )
    add_device(parser)
    add_config_options(parser)
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from mmengine.config import Config

    from ltvl_mm.engine.feature_extraction import (
        extract_expert_logits,
        extract_expert_views,
    )
    from ltvl_mm.evaluation.accuracy_table import format_accuracies
    from ltvl_mm.evaluation.expert_weights import (
        learn_expert_weights,
        mix_experts,
    )
    from ltvl_mm.evaluation.post_hoc import score_methods
    from ltvl_mm.structures.class_counts import (
        find_shot_accuracy,
        group_classes,
        load_class_counts,
    )
    from ltvl_mm.utils.io import write_json

    device = choose_device(args.device)
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    metric = find_shot_accuracy(cfg.get('test_evaluator'))
    groups = group_classes(
        load_class_counts(metric.class_counts, metric.num_classes)
    )
    settings = _find_settings(cfg)
    if args.rate is not None:
        settings['rate'] = args.rate
    logits, labels = extract_expert_logits(
        cfg, args.checkpoint, 'test', device=device
    )
    views = extract_expert_views(
        cfg,
        args.checkpoint,
        'test',
        cfg.aggregation_views,
        epochs=args.epochs,
        device=device,
    )
    shares = learn_expert_weights(views, seed=cfg.randomness.seed, **settings)
    preds = {
        f'expert {number + 1}': logits[:, number].argmax(1)
        for number in range(logits.shape[1])
    }
    preds['mean'] = logits.mean(1).argmax(1)
    preds['aggregated'] = mix_experts(logits, shares).argmax(1)
    scores = score_methods(preds, labels, groups)
    write_json(
        Path(args.out) / 'experts.json',
        {
            'shares': shares.tolist(),
            'epochs': args.epochs,
            **settings,
            'test': scores,
        },
    )
    print(format_accuracies(scores))
    said = ', '.join(f'{share:.2f}' for share in shares)
    print(f'shares of the experts at rate {settings["rate"]:g}: {said}')
    print(f'written to {args.out}/experts.json')


def _find_settings(cfg: 'Config') -> dict:
    """Return how the config says that shares are learned."""
    for name, example in (
        ('aggregation', 'dict(rate=0.1)'),
        ('aggregation_views', 'the pipeline of training'),
    ):
        if name not in cfg:
            raise ValueError(
                f'the config has no {name}; set it, for example to {example}'
            )
    return dict(cfg.aggregation)


if __name__ == '__main__':
    run_command(main)
