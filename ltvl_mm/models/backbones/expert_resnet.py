"""A ResNet whose last stages are there several times."""

import copy

import torch
from mmengine.model import BaseModule, ModuleList, Sequential
from mmengine.model.weight_init import (
    PretrainedInit,
    constant_init,
    initialize,
)
from mmpretrain.models.backbones.resnet import BasicBlock, Bottleneck
from torch.nn.modules.batchnorm import _BatchNorm

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ExpertResNet(BaseModule):
    """Shared first stages, and E experts with last stages of their own.

    Source: RIDE, Wang et al. 2021 (arXiv 2010.01809), section 3, and TADE,
    which takes the same network; width as in RIDE's code.

    With a pretrained backbone, all experts of full width begin as its last
    stages.

    Args:
        backbone: Config of a ResNet or ResNeXt of mmpretrain. What it says of
            frozen stages and of norms in eval mode is meant for experts, too.
        num_experts: E, >= 1.
        shared_stages: Stages before the experts part, >= 1.
        width_ratio: Width of the experts' stages against the backbone's;
            3/4 keeps the cost of three experts near that of one backbone.
        init_cfg: mmengine's initialization config; None initializes as the
            backbone does. With a pretrained one it says how narrowed experts
            begin.

    Raises:
        ValueError: If a number lies outside its range, the backbone is none
            of these, or nothing says how narrowed experts begin.
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
        pretrained = init_cfg is None and _is_pretrained(whole.init_cfg)
        if pretrained and width_ratio < 1:
            raise ValueError(
                f'the weights of a pretrained backbone do not fit experts of '
                f'width_ratio={width_ratio}; expected 1, or an init_cfg for '
                f'them'
            )
        # What is pretrained, trunk and experts load on their own.
        super().__init__(None if pretrained else init_cfg or whole.init_cfg)
        self.zero_init_residual = whole.zero_init_residual
        self.norm_eval = whole.norm_eval
        self._frozen = max(0, whole.frozen_stages - shared_stages)
        self._pretrained = dict(backbone) if pretrained else None
        self.trunk = MODELS.build(
            {
                **backbone,
                'num_stages': shared_stages,
                'strides': whole.strides[:shared_stages],
                'dilations': whole.dilations[:shared_stages],
                'out_indices': (shared_stages - 1,),
                'frozen_stages': min(whole.frozen_stages, shared_stages),
            }
        )
        self.experts = ModuleList(
            [
                _make_stages(whole, shared_stages, width_ratio)
                for _ in range(num_experts)
            ]
        )
        self._freeze()

    def init_weights(self) -> None:
        """Initialize all stages as mmpretrain does those of a ResNet."""
        super().init_weights()
        if self._pretrained is not None:
            self._load_pretrained()
            return
        if not self.zero_init_residual or _is_pretrained(self.init_cfg):
            return
        for module in self.experts.modules():
            if isinstance(module, Bottleneck):
                constant_init(module.norm3, 0)
            elif isinstance(module, BasicBlock):
                constant_init(module.norm2, 0)

    def train(self, mode: bool = True) -> 'ExpertResNet':
        """Switch the mode of what is not frozen."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.experts.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Map (N, 3, H, W) to E maps of (N, C, H', W')."""
        (shared,) = self.trunk(x)
        return tuple(expert(shared) for expert in self.experts)

    def _load_pretrained(self) -> None:
        """Have all experts begin as the backbone's own last stages."""
        whole = MODELS.build(self._pretrained)
        initialize(whole, whole.init_cfg)
        for expert in self.experts:
            names = whole.res_layers[-len(expert) :]
            for stage, name in zip(expert, names, strict=True):
                stage.load_state_dict(getattr(whole, name).state_dict())

    def _freeze(self) -> None:
        for expert in self.experts:
            for stage in list(expert)[: self._frozen]:
                stage.eval()
                stage.requires_grad_(False)


def _is_pretrained(init_cfg: dict | list[dict] | None) -> bool:
    cfgs = init_cfg if isinstance(init_cfg, list) else [init_cfg or {}]
    return any(
        cfg.get('type') in ('Pretrained', PretrainedInit) for cfg in cfgs
    )


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

    mmpretrain multiplies the width of a group by channels / base_channels, and
    refuses a ratio that is not an integer.
    """
    if hasattr(whole, 'width_per_group'):
        whole.width_per_group = (
            whole.width_per_group * channels // whole.base_channels
        )
        whole.base_channels = channels
