"""ResLT's branches and their loss.

Source: Cui et al. 2023 (arXiv 2101.10633).
"""

reslt_neck = dict(type='ltvl_mm.ResLTNeck', in_channels=2048)
reslt_loss = dict(_delete_=True, type='ltvl_mm.ResLTLoss')
