"""Classification heads."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'cosine_cls_head': ['CosineClsHead'],
        'expert_cls_head': ['ExpertClsHead'],
        'lws_cls_head': ['LWSClsHead'],
        'memory_cls_head': ['MemoryClsHead'],
        'reslt_head': ['ResLTHead'],
    },
)
