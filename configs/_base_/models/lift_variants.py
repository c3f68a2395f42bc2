"""LoRA and prompts, which LIFT compares with adapters.

Source: Shi et al. 2024 (arXiv 2309.10019), Table 6. Each replaces the backbone
of a LIFT config and wraps the tower of that config.
"""

lora = dict(
    _delete_=True,
    type='ltvl_mm.LoRABackbone',
    targets=r'visual\.transformer\.resblocks\.\d+\.attn',
)
prompts = dict(
    _delete_=True,
    type='ltvl_mm.PromptedBackbone',
    targets=r'visual\.transformer\.resblocks\.\d+',
)
