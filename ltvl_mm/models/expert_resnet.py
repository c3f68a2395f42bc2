"""A ResNet whose last stages are there several times."""

import copy

import torch
from mmengine.model import BaseModule, ModuleList, Sequential
from mmengine.model.weight_init import constant_init
from mmpretrain.models.backbones.resnet import BasicBlock, Bottleneck

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ExpertResNet(BaseModule):
    """Shared first stages, and E experts with last stages of their own.

    Source: RIDE, Wang et al. 2021 (arXiv 2010.01809), section 3, and TADE,
    which takes the same network; width as in RIDE's code.

    Args:
        backbone: Config of a ResNet or ResNeXt of the host.
        num_experts: E, >= 1.
        shared_stages: Stages before the experts part, >= 1.
        width_ratio: Width of the experts' stages against the backbone's;
            3/4 keeps the cost of three experts near that of one backbone.
        init_cfg: Of mmengine; None initialises as the backbone does.

    Raises:
        ValueError: If a number lies outside its range, or the backbone is
            none of these.
    """

    def __init__(
        self,
        backbone: dict,
        *,
        num_experts: int = 3,
        shared_stages: int = 2,
        width_ratio: float = 0.75,
        init_cfg: dict | None = None,
    ) -> None:
        whole = MODELS.build(backbone)
        if not hasattr(whole, 'make_res_layer'):
            raise ValueError(
                f'ExpertResNet parts a ResNet, got {type(whole).__name__}'
            )
        if num_experts < 1:
            raise ValueError(f'num_experts must be >= 1, got {num_experts}')
        if not 1 <= shared_stages < whole.num_stages:
            raise ValueError(
                f'shared_stages must lie in [1, {whole.num_stages}), got '
                f'{shared_stages}'
            )
        if not 0 < width_ratio <= 1:
            raise ValueError(
                f'width_ratio must lie in (0, 1], got {width_ratio}'
            )
        super().__init__(init_cfg or whole.init_cfg)
        self.zero_init_residual = whole.zero_init_residual
        self.trunk = MODELS.build(
            {
                **backbone,
                'num_stages': shared_stages,
                'strides': whole.strides[:shared_stages],
                'dilations': whole.dilations[:shared_stages],
                'out_indices': (shared_stages - 1,),
            }
        )
        self.experts = ModuleList(
            [
                _make_stages(whole, shared_stages, width_ratio)
                for _ in range(num_experts)
            ]
        )

    def init_weights(self) -> None:
        """Initialise all stages as the host does those of a ResNet."""
        super().init_weights()
        if not self.zero_init_residual:
            return
        for module in self.experts.modules():
            if isinstance(module, Bottleneck):
                constant_init(module.norm3, 0)
            elif isinstance(module, BasicBlock):
                constant_init(module.norm2, 0)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Map (N, 3, H, W) to E maps of (N, C, H', W')."""
        (shared,) = self.trunk(x)
        return tuple(expert(shared) for expert in self.experts)


def _make_stages(whole: BaseModule, first: int, ratio: float) -> Sequential:
    """Return the stages from ``first`` on, narrowed."""
    whole = copy.copy(whole)  # its numbers are changed, not its layers
    width = whole.base_channels * whole.expansion
    incoming = width * 2 ** (first - 1)
    stages = []
    for number in range(first, whole.num_stages):
        outgoing = int(width * 2**number * ratio)
        _narrow_groups(whole, outgoing // whole.expansion)
        stages.append(
            whole.make_res_layer(
                block=whole.block,
                num_blocks=whole.stage_blocks[number],
                in_channels=incoming,
                out_channels=outgoing,
                expansion=whole.expansion,
                stride=whole.strides[number],
                dilation=whole.dilations[number],
                style=whole.style,
                avg_down=whole.avg_down,
                with_cp=whole.with_cp,
                conv_cfg=whole.conv_cfg,
                norm_cfg=whole.norm_cfg,
            )
        )
        incoming = outgoing
    return Sequential(*stages)


def _narrow_groups(whole: BaseModule, channels: int) -> None:
    """Have the next stage's groups as much narrower as its channels.

    The host multiplies the width of a group by channels / base_channels, and
    refuses a ratio that is no whole number.
    """
    if hasattr(whole, 'width_per_group'):
        whole.width_per_group = (
            whole.width_per_group * channels // whole.base_channels
        )
        whole.base_channels = channels
