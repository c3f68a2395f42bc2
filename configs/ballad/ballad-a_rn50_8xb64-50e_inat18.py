r"""BALLAD, phase A: fine-tune CLIP ResNet-50 on iNaturalist 2018.

Source:   "Unleashing the Potential of Vision-Language Models for Long-Tailed
          Visual Recognition", sections 2.1 and 3.3; the authors' code
          (config/ImageNet_LT/clip_A_rn50.yaml),
          _base_/models/ballad_official_a.py.
Differs:  the authors' code has no config for iNaturalist 2018: its settings
          for ImageNet-LT are used, and the prompt "a photo of a {species}.".
          Float32 weights (theirs: float16, updated in place); cosine without
          their early first step. The last checkpoint is tested: there is no
          val list.
Command:  tools/dist_train.sh \
              configs/ballad/ballad-a_rn50_8xb64-50e_inat18.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 6 on 8 x A100, estimated, not measured.
Expect:   the paper gives no number for phase A; after phase B 74.2 (Table 3).
"""

_base_ = [
    '../_base_/models/ballad_official_a.py',
    '../_base_/datasets/clip.py',
    '../_base_/default_runtime.py',
    '../_base_/datasets/inat18.py',
]

data_preprocessor = dict(num_classes=_base_.num_classes, **_base_.clip_norm)
model = dict(
    head=dict(
        class_names=_base_.class_names,
        chunk_size=512,  # prompts whose activations are held at a time
    )
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
test_dataloader = _base_.clip_test
