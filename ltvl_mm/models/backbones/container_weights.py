"""Weights of CONTAINER-Light as its authors name them."""

from collections.abc import Mapping

import torch

from ltvl_mm.models.backbones.container import CONTAINER

# Ours -> theirs, within a block. What they call attn is the 5 x 5 kernel,
# or conv in blocks that have attention, too.
BLOCK = {
    'position': 'pos_embed',
    'norm1': 'norm1',
    'project_in': 'conv1',
    'static': 'attn',
    'project_out': 'conv2',
    'norm2': 'norm2',
    'mlp.0': 'mlp.fc1',
    'mlp.3': 'mlp.fc2',
}
MIXED_BLOCK = BLOCK | {'static': 'conv', 'gate': 'sa_weight'}


def rename_container_weights(
    theirs: Mapping[str, torch.Tensor],
) -> dict[str, torch.Tensor]:
    """Return the state of an ImageClassifier: backbone, and head if there.

    Source: names of ``models.py`` of github.com/allenai/container.

    Raises:
        ValueError: If names or shapes are not those of CONTAINER-Light.
    """
    expected = {
        f'backbone.{name}': value
        for name, value in CONTAINER('light').state_dict().items()
    }
    names = {
        _name_theirs(name.removeprefix('backbone.')): name for name in expected
    }
    ours = {
        names[name]: value for name, value in theirs.items() if name in names
    }
    for part in ('weight', 'bias'):
        if f'head.{part}' in theirs:
            ours[f'head.fc.{part}'] = theirs[f'head.{part}']
    lacking = [name for name in names if name not in theirs]
    left = [
        name
        for name in theirs
        if name not in names and name not in ('head.weight', 'head.bias')
    ]
    if lacking or left:
        raise ValueError(
            f'these are not the weights of CONTAINER-Light: {len(lacking)} '
            f'are lacking {lacking[:3]}, {len(left)} are unknown {left[:3]}'
        )
    for name, value in expected.items():
        if ours[name].shape != value.shape:
            raise ValueError(
                f'{name} should have the shape {tuple(value.shape)}, got '
                f'{tuple(ours[name].shape)}'
            )
    return ours


def _name_theirs(name: str) -> str:
    """stages.0.2.static.weight -> blocks1.0.attn.weight, and so on."""
    if not name.startswith('stages.'):
        return name
    _, *indices, rest = name.split('.', 3)
    stage, step = map(int, indices)
    if step < 2:
        return f'patch_embed{stage + 1}.{("proj", "norm")[step]}.{rest}'
    # The first stage has a dropout after its patches.
    block = step - (3 if stage == 0 else 2)
    parts = MIXED_BLOCK if stage == 3 else BLOCK
    if rest == 'gate':
        return f'blocks{stage + 1}.{block}.{parts["gate"]}'
    part, kind = rest.rsplit('.', 1)
    return f'blocks{stage + 1}.{block}.{parts[part]}.{kind}'
