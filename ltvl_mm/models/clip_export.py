"""Weights of a trained classifier in the names of open_clip."""

from pathlib import Path

from torch import nn

from ltvl_mm.models.clip import build_clip, find_arch
from ltvl_mm.models.clip_families import explain_no_export, has_text_prefix
from ltvl_mm.utils.checkpoints import read_weights, write_state


def export_clip(
    arch: str, checkpoint: str | Path, out: str | Path
) -> nn.Module:
    """Write the towers of a checkpoint of ours as an open_clip state dict.

    ``open_clip.create_model(arch, pretrained=out)`` then builds them.

    Args:
        arch: The open_clip architecture that was trained.
        checkpoint: A classifier of ``CLIPBackbone`` and
            ``CLIPContrastiveHead``, such as phase A of BALLAD leaves.
        out: The file to write; ``.safetensors``, else as ``torch.save``.

    Returns:
        The model that was written, in evaluation mode.

    Raises:
        ValueError: If the checkpoint does not fit, has an adapter, for
            which open_clip's model has no place, or is of a CoCa.
    """
    config = find_arch(arch)
    reason = explain_no_export(arch, config)
    if reason is not None:
        raise ValueError(f'{checkpoint} cannot be exported: {reason}')
    # Other models of open_clip hold the text tower without a prefix.
    prefix = '' if has_text_prefix(config) else 'text.'
    model = build_clip(arch, str(checkpoint))
    state = read_weights(checkpoint)
    adapter = [name for name in state if name.startswith('neck.')]
    if adapter:
        raise ValueError(
            f'{checkpoint} has an adapter ({adapter[0]}), for which '
            f"open_clip's model has no place; convert phase A's checkpoint"
        )
    write_state(
        out,
        {
            name.removeprefix(prefix): tensor
            for name, tensor in model.state_dict().items()
        },
    )
    return model.eval()
