"""Parts between a backbone and a head."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'balanced_linear_adapter': ['BalancedLinearAdapter'],
        'modulated_attention': ['ModulatedAttentionNeck'],
        'reslt_neck': ['ResLTNeck'],
    },
)
