"""Write a trained classifier's towers as a state dict of open_clip.

The file is read back with open_clip.create_model and must give the same
features; otherwise it is deleted.
"""

import argparse
from pathlib import Path

import open_clip
import torch

from ltvl_mm.models.clip import build_tokenizer
from ltvl_mm.models.clip_export import export_clip
from ltvl_mm.utils.command_line import run_command


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('checkpoint', help='of phase A, or of any training')
    parser.add_argument('out', help='the state dict, e.g. clip.pt')
    parser.add_argument(
        '--arch', required=True, help="the config's, e.g. RN50-quickgelu"
    )
    return parser.parse_args()


@torch.inference_mode()
def check_export(arch: str, file: str, ours: torch.nn.Module) -> None:
    """Raise AssertionError unless open_clip finds the features of ours."""
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


def main() -> None:
    args = parse_args()
    ours = export_clip(args.arch, args.checkpoint, args.out)
    try:
        check_export(args.arch, args.out, ours)
    except BaseException:
        Path(args.out).unlink()
        raise
    print(f"open_clip.create_model('{args.arch}', pretrained='{args.out}')")


if __name__ == '__main__':
    run_command(main)
