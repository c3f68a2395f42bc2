r"""Cross-entropy, every class drawn alike, on the emoji world.

Command:  python tools/train.py \
              configs/toy/class_balanced/class_balanced_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

train_dataloader = _base_.class_balanced
