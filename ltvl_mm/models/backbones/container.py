"""CONTAINER as an mmpretrain backbone."""

from collections.abc import Mapping, Sequence

import torch
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.models.utils import LayerNorm2d
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ltvl_mm.models.backbones.container_blocks import (
    ContainerBlock,
    MixedContainerBlock,
)
from ltvl_mm.registry import MODELS

ARCHS = {
    'light': dict(
        dims=(64, 128, 320, 512),
        depths=(3, 4, 8, 3),
        mlp_ratios=(8, 8, 4, 4),
        patch_sizes=(4, 2, 2, 2),
        num_heads=16,
    )
}


@MODELS.register_module()
class CONTAINER(BaseBackbone):
    """Convolution in the first stages, convolution and attention in the last.

    Source: Gao et al., Container: Context Aggregation Network, NeurIPS 2021
    (arXiv 2106.01401), CONTAINER-Light: 20,120,643 parameters; 20,633,643
    with a linear layer to 1000 classes.

    Args:
        arch: ``'light'``, or a dict of what differs between stages: ``dims``,
            ``depths``, ``mlp_ratios``, ``patch_sizes`` (side and stride of
            the convolution that opens a stage) and ``num_heads`` of the last
            stage.
        drop_rate: Dropout after the first patches, and in each MLP.
        drop_path_rate: Stochastic depth rate of the last block; it grows
            linearly from 0 at the first one.
        out_indices: Stages whose outputs are returned, from 0. The last
            stage's output is normalized.
        frozen_stages: Number of stages, from the first, that do not train.
        norm_eval: Keep BatchNorm's statistics in training.
        init_cfg: mmengine's initialization config. None leaves convolutions as
            PyTorch initializes them, as the authors' code does.

    Raises:
        ValueError: If an argument is none of these.
    """

    def __init__(
        self,
        arch: str | Mapping = 'light',
        *,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        out_indices: Sequence[int] = (-1,),
        frozen_stages: int = 0,
        norm_eval: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        settings = _find_arch(arch)
        count = len(settings['dims'])
        self.out_indices = _find_indices(out_indices, count)
        if not 0 <= frozen_stages <= count:
            raise ValueError(
                f'frozen_stages must be 0 to {count}, got {frozen_stages}'
            )
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.stages = _build_stages(settings, drop_rate, drop_path_rate)
        self.norm = nn.BatchNorm2d(settings['dims'][-1])
        self.stride = 1
        for size in settings['patch_sizes']:
            self.stride *= size
        for stage in self.stages[:frozen_stages]:
            stage.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> 'CONTAINER':
        """Set the mode of all modules that are not frozen."""
        super().train(mode)
        for stage in self.stages[: self.frozen_stages]:
            stage.eval()
        if self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Map (B, 3, H, W) to a (B, C, h, w) for each of ``out_indices``.

        Raises:
            ValueError: If H or W is not a multiple of the product of the
                strides.
        """
        height, width = images.shape[-2:]
        if height % self.stride or width % self.stride:
            raise ValueError(
                f'CONTAINER takes images whose sides are multiples of '
                f'{self.stride}, got {height} x {width}'
            )
        outputs = []
        for index, stage in enumerate(self.stages):
            images = stage(images)
            if index in self.out_indices:
                last = index == len(self.stages) - 1
                outputs.append(self.norm(images) if last else images)
        return tuple(outputs)


def _find_arch(arch: str | Mapping) -> Mapping:
    settings: Mapping | None = (
        ARCHS.get(arch) if isinstance(arch, str) else arch
    )
    if settings is None:
        raise ValueError(
            f'arch must be one of {sorted(ARCHS)} or a dict, got {arch!r}'
        )
    if set(settings) != set(ARCHS['light']):
        raise ValueError(
            f'arch needs {sorted(ARCHS["light"])}, got {sorted(settings)}'
        )
    lengths = {
        name: len(settings[name])
        for name in ('dims', 'depths', 'mlp_ratios', 'patch_sizes')
    }
    if len(set(lengths.values())) > 1:
        raise ValueError(f'arch has other stages for other parts: {lengths}')
    return settings


def _find_indices(indices: Sequence[int], count: int) -> set[int]:
    wrong = [index for index in indices if not -count <= index < count]
    if wrong or not indices:
        raise ValueError(
            f'out_indices must be among the {count} stages, got {indices}'
        )
    return {index % count for index in indices}


def _build_stages(
    settings: Mapping, drop_rate: float, drop_path_rate: float
) -> nn.ModuleList:
    depths = settings['depths']
    rates = iter(torch.linspace(0, drop_path_rate, sum(depths)).tolist())
    stages, channels = nn.ModuleList(), 3
    for index, dim in enumerate(settings['dims']):
        size = settings['patch_sizes'][index]
        steps = [nn.Conv2d(channels, dim, size, size), LayerNorm2d(dim)]
        if index == 0:
            steps.append(nn.Dropout(drop_rate))
        for _ in range(depths[index]):
            block: type[nn.Module] = ContainerBlock
            extra = {}
            if index == len(depths) - 1:
                block = MixedContainerBlock
                extra = dict(num_heads=settings['num_heads'])
            steps.append(
                block(
                    dim,
                    settings['mlp_ratios'][index],
                    drop_rate=drop_rate,
                    drop_path_rate=next(rates),
                    **extra,
                )
            )
        stages.append(nn.Sequential(*steps))
        channels = dim
    return stages
