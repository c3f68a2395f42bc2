"""Weights of a trained classifier in the names of open_clip."""

from pathlib import Path

import torch
from torch import nn

from ltvl_mm.models.clip import build_clip
from ltvl_mm.utils.io import atomic_write


def export_clip(
    arch: str, checkpoint: str | Path, out: str | Path
) -> nn.Module:
    """Write the towers of a checkpoint of ours as an open_clip state dict.

    ``open_clip.create_model(arch, pretrained=out)`` then builds them.

    Args:
        arch: The open_clip architecture that was trained.
        checkpoint: A classifier of ``CLIPBackbone`` and
            ``CLIPContrastiveHead``, such as phase A of BALLAD leaves.
        out: The file to write.

    Returns:
        The model that was written, in evaluation mode.

    Raises:
        ValueError: If the checkpoint does not fit, or has an adapter, for
            which open_clip's model has no place.
    """
    model = build_clip(arch, str(checkpoint))
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    adapter = [n for n in state.get('state_dict', ()) if n.startswith('neck.')]
    if adapter:
        raise ValueError(
            f'{checkpoint} has an adapter ({adapter[0]}), for which '
            f"open_clip's model has no place; convert phase A's checkpoint"
        )
    with atomic_write(out) as file:
        torch.save(
            {
                # Models of open_clip hold the text tower without a prefix.
                name.removeprefix('text.'): tensor
                for name, tensor in model.state_dict().items()
            },
            file,
        )
    return model.eval()
