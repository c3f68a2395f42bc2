"""A small ResNet on the emoji world's long-tailed list alone.

Command:  python tools/train.py configs/toy/cross_entropy/cross_entropy_r18.py
Before:   python tools/dataset_converters/make_emoji_world.py data/emoji
Hardware: 1 CPU core, 1 minute.
Expect:   46 % over 96 classes (many 78, medium 54, few 13; seed 0).
"""

_base_ = [
    '../../_base_/datasets/emoji_world.py',
    '../../_base_/models/emoji_r18.py',
    '../../_base_/schedules/emoji_sgd_30e.py',
    '../../_base_/default_runtime.py',
]

custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ChannelsLastHook')]
