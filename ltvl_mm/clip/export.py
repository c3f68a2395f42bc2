"""Weights of a trained classifier in the names of open_clip."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ltvl_mm.clip.families import explain_no_export, has_text_prefix
from ltvl_mm.clip.towers import build_clip, find_arch
from ltvl_mm.utils.checkpoints import read_weights, write_state
from ltvl_mm.utils.config_walk import name_type


def export_clip(
    arch: str,
    checkpoint: str | Path,
    out: str | Path,
    *,
    adapter: dict | None = None,
    fold: bool = True,
    half: bool = False,
) -> nn.Module:
    """Write the towers of a checkpoint of ours as an open_clip state dict.

    ``open_clip.create_model(arch, pretrained=out)`` then builds them.

    An adapter of phase B is folded into the projection of the image tower
    where that is exact: if it is linear, without activation, bias and
    normalization, and the tower ends with a matrix (ViTs with ``proj``,
    ResNets with attention pooling: there the output layer). Otherwise it
    raises, and :func:`export_adapter` writes it as a file of its own.

    Args:
        arch: The open_clip architecture that was trained.
        checkpoint: A classifier of ``CLIPBackbone`` and
            ``CLIPContrastiveHead``, such as phase A or B of BALLAD leaves.
        out: The file to write; ``.safetensors``, else as ``torch.save``.
        adapter: The ``neck`` of its config, if the checkpoint has one.
        fold: Fold the adapter in; False leaves it out. Default True.
        half: Store the weights in float16, half the size.

    Returns:
        The model that was written, in evaluation mode.

    Raises:
        ValueError: If the checkpoint does not fit, has an adapter that cannot
            be folded in, or is of a CoCa.
    """
    config = find_arch(arch)
    reason = explain_no_export(arch, config)
    if reason is not None:
        raise ValueError(f'{checkpoint} cannot be exported: {reason}')
    # Other models of open_clip hold the text tower without a prefix.
    prefix = '' if has_text_prefix(config) else 'text.'
    model = build_clip(arch, str(checkpoint))
    weights = read_adapter(checkpoint) if fold else {}
    if weights and adapter is None:
        raise ValueError(
            f'{checkpoint} has an adapter (neck.{next(iter(weights))}), and '
            f'nothing says how it is blended; give config.json of its '
            f"training (--config), or phase A's checkpoint"
        )
    if weights:
        fold_adapter(model.visual, weights, adapter)
    if half:
        # Rounded in the model as well, so that it is what the file holds.
        model.half().float()
    state = {
        name.removeprefix(prefix): tensor
        for name, tensor in model.state_dict().items()
    }
    if half:
        state = {
            name: tensor.half() if tensor.is_floating_point() else tensor
            for name, tensor in state.items()
        }
    write_state(out, state)
    return model.eval()


def read_adapter(checkpoint: str | Path) -> dict[str, torch.Tensor]:
    """Return the weights of a checkpoint's neck; empty if it has none."""
    return {
        name.removeprefix('neck.'): tensor
        for name, tensor in read_weights(checkpoint).items()
        if name.startswith('neck.')
    }


def explain_unfoldable(adapter: dict) -> str | None:
    """Return why an adapter is not a matrix, or None if it is one.

    Args:
        adapter: Config of a ``BalancedLinearAdapter``.
    """
    if name_type(adapter) != 'BalancedLinearAdapter':
        return f'it is a {adapter.get("type")}'
    # The defaults of BalancedLinearAdapter.
    if adapter.get('activation', 'relu') is not None:
        return 'it has an activation'
    if adapter.get('bias', True):
        return 'it has a bias'
    if adapter.get('normalize') == 'before':
        return 'it takes normalized features'
    return None


@torch.no_grad()
def fold_adapter(
    visual: nn.Module, weights: dict[str, torch.Tensor], adapter: dict
) -> None:
    """Multiply the last matrix of an image tower by a linear adapter.

    f* = ratio W f + (1 - ratio) f = M f for M = ratio W + (1 - ratio) I.
    A normalization behind the adapter changes no cosine.

    Args:
        visual: Image tower of open_clip; changed in place.
        weights: Weights of the adapter: ``linear.weight``, (D, D).
        adapter: Its config.

    Raises:
        ValueError: If the adapter is not a matrix, or the tower does not end
            with one.
    """
    reason = explain_unfoldable(adapter)
    if reason is not None:
        raise ValueError(
            f'the adapter cannot be folded into the image tower: {reason}; '
            f'write it beside the towers (--adapter FILE)'
        )
    matrix = weights['linear.weight'].double()
    ratio = adapter.get('ratio', 0.2)
    blend = ratio * matrix + (1 - ratio) * torch.eye(len(matrix)).double()
    projection = getattr(visual, 'proj', None)
    pool: Any = getattr(visual, 'attnpool', None)
    if isinstance(projection, torch.Tensor):  # features @ proj
        projection.copy_(projection.double() @ blend.T)
    elif getattr(pool, 'c_proj', None) is not None:  # c_proj(features)
        pool.c_proj.weight.copy_(blend @ pool.c_proj.weight.double())
        pool.c_proj.bias.copy_(blend @ pool.c_proj.bias.double())
    else:
        raise ValueError(
            f'{type(visual).__name__} does not end with a matrix that the '
            f'adapter could be folded into; write it beside the towers '
            f'(--adapter FILE)'
        )


def export_adapter(
    checkpoint: str | Path, adapter: dict, out: str | Path
) -> None:
    """Write a phase-B adapter as a state dict of its own.

    The file holds ``weight`` (D, D), ``bias`` (D,) if there is one, and
    ``ratio``; f* = ratio act(weight f + bias) + (1 - ratio) f.

    Args:
        checkpoint: Checkpoint of phase B.
        adapter: The ``neck`` of its config.
        out: The file to write; ``.safetensors``, else as ``torch.save``.
    """
    state = {
        name.removeprefix('linear.'): tensor
        for name, tensor in read_adapter(checkpoint).items()
    }
    state['ratio'] = torch.tensor(float(adapter.get('ratio', 0.2)))
    write_state(out, state)
