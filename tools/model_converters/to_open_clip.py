"""Write a trained classifier's towers as a state dict of open_clip.

The file is read back with open_clip.create_model and must give the same
features; otherwise it is deleted.

The adapter of a phase B is folded into the image tower where that is exact, as
for the adapters of BALLAD's code. Others, with bias or activation, are written
beside it: --adapter FILE.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.utils.command_line import make_parser, run_command

if TYPE_CHECKING:
    import torch


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'checkpoint',
        help='checkpoint of phase A or B, or folder of a training',
    )
    parser.add_argument('out', help='file of the state dict, e.g. clip.pt')
    parser.add_argument(
        '--arch', required=True, help="the config's, e.g. RN50-quickgelu"
    )
    parser.add_argument(
        '--config',
        type=Path,
        help='config.json of the training, read for its adapter (default: '
        'the one beside the checkpoint)',
    )
    parser.add_argument(
        '--adapter',
        metavar='FILE',
        help='write the adapter to FILE (.safetensors or .pt: weight, bias, '
        'ratio) and the towers without it (default: fold it in)',
    )
    parser.add_argument(
        '--half', action='store_true', help='store float16, half the size'
    )
    return parser


def check_export(arch: str, file: str, ours: 'torch.nn.Module') -> None:
    """Raise AssertionError unless open_clip finds the features of ours."""
    import open_clip
    import torch

    from ltvl_mm.clip.towers import build_tokenizer

    theirs = open_clip.create_model(arch, pretrained=file).eval()
    size = theirs.visual.image_size
    shape = (2, 3, *size) if isinstance(size, tuple) else (2, 3, size, size)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    texts = build_tokenizer(arch)(['a photo of a cat.', 'two owls'])
    torch.testing.assert_close(
        theirs.encode_image(images), ours.encode_image(images)
    )
    torch.testing.assert_close(
        theirs.encode_text(texts), ours.encode_text(texts)
    )
    torch.testing.assert_close(theirs.logit_scale, ours.logit_scale)
    if ours.logit_bias is not None:  # SigLIP
        torch.testing.assert_close(theirs.logit_bias, ours.logit_bias)


def find_adapter(checkpoint: str | Path, config: Path | None) -> dict | None:
    """Return the neck of the training's config, or None without a config."""
    from ltvl_mm.utils.run_config import (
        CONFIG_FILE,
        read_config_text,
        read_config_values,
    )

    if config is None:
        config = Path(checkpoint).parent / CONFIG_FILE
        if not config.is_file():
            return None
    text = read_config_text(config, config.parent)
    model = read_config_values(config, text).get('model') or {}
    return model.get('neck')


def main() -> None:
    args = build_parser().parse_args()
    import torch

    from ltvl_mm.clip.export import (
        export_adapter,
        export_clip,
        read_adapter,
    )
    from ltvl_mm.utils.checkpoints import find_checkpoint

    checkpoint = find_checkpoint(args.checkpoint)
    adapter = find_adapter(checkpoint, args.config)
    if args.adapter and not (adapter and read_adapter(checkpoint)):
        raise ValueError(
            f'--adapter: {checkpoint} and the config of its training hold no '
            f'adapter'
        )
    ours = export_clip(
        args.arch,
        checkpoint,
        args.out,
        adapter=adapter,
        fold=args.adapter is None,
        half=args.half,
    )
    try:
        with torch.inference_mode():
            check_export(args.arch, args.out, ours)
    except BaseException:
        Path(args.out).unlink()
        raise
    if args.adapter:
        export_adapter(checkpoint, adapter, args.adapter)
        print(f'adapter: {args.adapter}')
    print(f"open_clip.create_model('{args.arch}', pretrained='{args.out}')")


if __name__ == '__main__':
    run_command(main)
