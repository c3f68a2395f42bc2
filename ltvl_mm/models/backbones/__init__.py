"""Image encoders, and wrappers of frozen ones."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'adapted_backbone': ['AdaptedBackbone'],
        'container': ['CONTAINER'],
        'expert_resnet': ['ExpertResNet'],
        'identity_backbone': ['IdentityBackbone'],
        'lora_backbone': ['LoRABackbone'],
        'prompted_backbone': ['PromptedBackbone'],
    },
)
