"""Encoders, adapters and heads."""

from mmengine.utils import is_installed

from ltvl_mm.models.adapted_backbone import AdaptedBackbone
from ltvl_mm.models.average_logit_tta import AverageLogitTTA
from ltvl_mm.models.balanced_linear_adapter import BalancedLinearAdapter
from ltvl_mm.models.container import CONTAINER
from ltvl_mm.models.cosine_cls_head import CosineClsHead
from ltvl_mm.models.decoupled_classifier import DecoupledClassifier
from ltvl_mm.models.distilled_classifier import DistilledClassifier
from ltvl_mm.models.ensemble_classifier import EnsembleClassifier
from ltvl_mm.models.expert_cls_head import ExpertClsHead
from ltvl_mm.models.expert_losses import DiverseExpertLoss, RIDELoss
from ltvl_mm.models.expert_resnet import ExpertResNet
from ltvl_mm.models.gpaco_classifier import GPaCoClassifier
from ltvl_mm.models.identity_backbone import IdentityBackbone
from ltvl_mm.models.lade_loss import LADELoss
from ltvl_mm.models.ldam_loss import LDAMLoss
from ltvl_mm.models.logit_adjusted_loss import LogitAdjustedLoss
from ltvl_mm.models.lora_backbone import LoRABackbone
from ltvl_mm.models.lws_cls_head import LWSClsHead
from ltvl_mm.models.memory_cls_head import MemoryClsHead
from ltvl_mm.models.modulated_attention import ModulatedAttentionNeck
from ltvl_mm.models.origin_weighted_cls_head import OriginWeightedClsHead
from ltvl_mm.models.paco_classifier import PaCoClassifier
from ltvl_mm.models.paco_loss import PaCoLoss
from ltvl_mm.models.prompted_backbone import PromptedBackbone
from ltvl_mm.models.reslt import ResLTHead, ResLTLoss, ResLTNeck
from ltvl_mm.models.routed_classifier import RoutedClassifier
from ltvl_mm.registry import MODELS

__all__ = [
    'CONTAINER',
    'AdaptedBackbone',
    'AverageLogitTTA',
    'BalancedLinearAdapter',
    'CosineClsHead',
    'DecoupledClassifier',
    'DistilledClassifier',
    'DiverseExpertLoss',
    'EnsembleClassifier',
    'ExpertClsHead',
    'ExpertResNet',
    'GPaCoClassifier',
    'IdentityBackbone',
    'LADELoss',
    'LDAMLoss',
    'LWSClsHead',
    'LoRABackbone',
    'LogitAdjustedLoss',
    'MemoryClsHead',
    'ModulatedAttentionNeck',
    'OriginWeightedClsHead',
    'PaCoClassifier',
    'PaCoLoss',
    'PromptedBackbone',
    'RIDELoss',
    'ResLTHead',
    'ResLTLoss',
    'ResLTNeck',
    'RoutedClassifier',
]

if is_installed('open_clip'):
    from ltvl_mm.models.clip_backbone import CLIPBackbone
    from ltvl_mm.models.clip_contrastive_head import CLIPContrastiveHead
    from ltvl_mm.models.text_init_cls_head import TextInitClsHead

    __all__ += ['CLIPBackbone', 'CLIPContrastiveHead', 'TextInitClsHead']
else:  # Students train on machines without it; what needs it says so.

    def _refuse(*_: object, **__: object) -> None:
        raise ImportError(
            'this part needs open_clip: pip install open_clip_torch'
        )

    for _name in ('CLIPBackbone', 'CLIPContrastiveHead', 'TextInitClsHead'):
        MODELS.register_module(name=_name, module=_refuse)
