"""RIDE's and TADE's three experts on the emoji world."""

expert_backbone = dict(
    _delete_=True,
    type='ltvl_mm.ExpertResNet',
    num_experts=3,
    shared_stages=1,
)
expert_head = dict(
    _delete_=True,
    type='ltvl_mm.ExpertClsHead',
    num_classes=96,
    in_channels=96,
    num_experts=3,
)
