"""The registered parts that need open_clip.

Students train on machines without it: there, building one of these parts
raises an error that names the package.
"""

from mmengine.utils import is_installed

from ltvl_mm.registry import MODELS

__all__ = ['CLIPBackbone', 'CLIPContrastiveHead', 'TextInitClsHead']

if is_installed('open_clip'):
    from ltvl_mm.models.backbones.clip_backbone import CLIPBackbone
    from ltvl_mm.models.heads.clip_contrastive_head import CLIPContrastiveHead
    from ltvl_mm.models.heads.text_init_cls_head import TextInitClsHead
else:

    def _raise_missing_open_clip(*_: object, **__: object) -> None:
        raise ImportError(
            'this part needs open_clip: pip install open_clip_torch'
        )

    for _name in __all__:
        MODELS.register_module(name=_name, module=_raise_missing_open_clip)
    globals().update(dict.fromkeys(__all__, _raise_missing_open_clip))
