_base_ = './default_runtime.py'

custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(type='ltvl_mm.ProgressBarHook'),
]
