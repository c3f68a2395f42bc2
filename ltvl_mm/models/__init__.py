"""Encoders, adapters and heads."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'adapted_backbone': ['AdaptedBackbone'],
        'average_logit_tta': ['AverageLogitTTA'],
        'balanced_linear_adapter': ['BalancedLinearAdapter'],
        'clip_parts': [
            'CLIPBackbone',
            'CLIPContrastiveHead',
            'TextInitClsHead',
        ],
        'container': ['CONTAINER'],
        'cosine_cls_head': ['CosineClsHead'],
        'decoupled_classifier': ['DecoupledClassifier'],
        'distilled_classifier': ['DistilledClassifier'],
        'ensemble_classifier': ['EnsembleClassifier'],
        'expert_cls_head': ['ExpertClsHead'],
        'expert_losses': ['DiverseExpertLoss', 'RIDELoss'],
        'expert_resnet': ['ExpertResNet'],
        'gpaco_classifier': ['GPaCoClassifier'],
        'identity_backbone': ['IdentityBackbone'],
        'lade_loss': ['LADELoss'],
        'ldam_loss': ['LDAMLoss'],
        'logit_adjusted_loss': ['LogitAdjustedLoss'],
        'lora_backbone': ['LoRABackbone'],
        'lws_cls_head': ['LWSClsHead'],
        'memory_cls_head': ['MemoryClsHead'],
        'modulated_attention': ['ModulatedAttentionNeck'],
        'paco_classifier': ['PaCoClassifier'],
        'paco_loss': ['PaCoLoss'],
        'prompted_backbone': ['PromptedBackbone'],
        'reslt': ['ResLTHead', 'ResLTLoss', 'ResLTNeck'],
        'routed_classifier': ['RoutedClassifier'],
    },
)
