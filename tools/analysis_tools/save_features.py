"""Save what stands before a trained model's classifier, for one split.

``tune_classifier.py`` makes other classifiers of it in seconds.
"""

import argparse

import torch
from mmengine.config import Config, DictAction

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.engine.feature_extraction import SPLITS, extract_features
from ltvl_mm.structures.features import save_features
from ltvl_mm.utils.command_line import run_command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='of the training')
    parser.add_argument('checkpoint', help='file, or folder of the training')
    parser.add_argument('--split', choices=SPLITS, required=True)
    parser.add_argument('-o', '--out', required=True, help='.npz')
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE'
    )
    args = parser.parse_args()
    from ltvl_mm.models.clip_inputs import check_clip_inputs

    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    check_clip_inputs(cfg)
    features = extract_features(
        cfg, args.checkpoint, args.split, device=args.device
    )
    save_features(args.out, features)
    print(f'{args.out}: {features.features.shape} features')


if __name__ == '__main__':
    run_command(main)
