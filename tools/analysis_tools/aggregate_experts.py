"""TADE's test-time aggregation: weigh experts on test images without labels.

Two random views of each test image, made by the transforms of training,
should get the same answer; the shares with which they do are taken.
"""

import argparse
from pathlib import Path

import torch
from mmengine.config import Config, DictAction

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.engine.feature_extraction import extract_expert_logits
from ltvl_mm.evaluation.accuracy_table import format_accuracies
from ltvl_mm.evaluation.expert_weights import learn_expert_weights, mix_experts
from ltvl_mm.evaluation.post_hoc import score_methods
from ltvl_mm.structures.class_counts import (
    find_shot_accuracy,
    group_classes,
    load_class_counts,
)
from ltvl_mm.utils.command_line import run_command
from ltvl_mm.utils.io import write_json


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='with ExpertClsHead')
    parser.add_argument('checkpoint', help='file, or folder of the training')
    parser.add_argument('-o', '--out', required=True, help='folder')
    parser.add_argument(
        '--epochs',
        type=int,
        default=5,
        help='passes over the test images (default: 5)',
    )
    parser.add_argument(
        '--rate',
        type=float,
        help='learning rate of the weights; default: aggregation_rate of the '
        'config, or 0.1',
    )
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    metric = find_shot_accuracy(cfg.get('test_evaluator'))
    groups = group_classes(
        load_class_counts(metric.class_counts, metric.num_classes)
    )
    views, _ = extract_expert_logits(
        cfg, args.checkpoint, 'test', views=2, device=args.device
    )
    (logits,), labels = extract_expert_logits(
        cfg, args.checkpoint, 'test', device=args.device
    )
    rate = args.rate or cfg.get('aggregation_rate', 0.1)
    shares = learn_expert_weights(
        views, epochs=args.epochs, rate=rate, seed=cfg.randomness.seed
    )
    preds = {
        f'expert {number + 1}': logits[:, number].argmax(1)
        for number in range(logits.shape[1])
    }
    preds['mean'] = logits.mean(1).argmax(1)
    preds['aggregated'] = mix_experts(logits, shares).argmax(1)
    scores = score_methods(preds, labels, groups)
    write_json(
        Path(args.out) / 'experts.json',
        {'shares': shares.tolist(), 'rate': rate, 'test': scores},
    )
    print(format_accuracies(scores))
    said = ', '.join(f'{share:.2f}' for share in shares)
    print(f'shares of the experts at rate {rate:g}: {said}')
    print(f'written to {args.out}/experts.json')


if __name__ == '__main__':
    run_command(main)
