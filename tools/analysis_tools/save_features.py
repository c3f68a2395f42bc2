"""Save what stands before a trained model's classifier, for one split.

``tune_classifier.py`` makes other classifiers of it in seconds.
"""

import argparse

from ltvl_mm.utils.command_line import (
    add_config_options,
    add_device,
    add_retrieved,
    choose_device,
    make_parser,
    run_command,
)


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config of the training')
    parser.add_argument('checkpoint', help='file, or folder of the training')
    parser.add_argument(
        '--split',
        choices=('train', 'val', 'test'),
        required=True,
        help='images of the config',
    )
    parser.add_argument('-o', '--out', required=True, help='.npz file')
    add_retrieved(parser)
    add_device(parser)
    add_config_options(parser)
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from mmengine.config import Config

    from ltvl_mm.apis.clip_inputs import check_clip_inputs
    from ltvl_mm.apis.recipe_choice import use_retrieved_images
    from ltvl_mm.engine.feature_extraction import extract_features
    from ltvl_mm.structures.features import save_features

    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    for option in ('retrieved', 'recipe'):
        if getattr(args, option) is not None and args.split != 'train':
            raise ValueError(
                f'--{option} changes the training set, got --split '
                f'{args.split}; leave it out'
            )
    for note in use_retrieved_images(cfg, args.retrieved, args.recipe):
        print(note)
    check_clip_inputs(cfg)
    features = extract_features(
        cfg, args.checkpoint, args.split, device=choose_device(args.device)
    )
    save_features(args.out, features)
    print(f'{args.out}: {features.features.shape} features')


if __name__ == '__main__':
    run_command(main)
