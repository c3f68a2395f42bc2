"""BALLAD, phase A: fine-tune CLIP ResNet-50 on iNaturalist 2018.

Source:   "Unleashing the Potential of Vision-Language Models for Long-Tailed
          Visual Recognition", sections 2.1 and 3.3; the authors' code
          (config/ImageNet_LT/clip_A_rn50.yaml), _base_/ballad_official_a.py.
Differs:  the authors' code has no config for iNaturalist 2018: its settings
          for ImageNet-LT are used, and the prompt "a photo of a {species}.".
          Float32 weights (theirs: float16, updated in place); cosine without
          their early first step. The last checkpoint is tested: there is no
          val list.
Command:  tools/dist_train.sh configs/ballad_inat_rn50_a.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 6 on 8 x A100, estimated, not measured.
Expect:   the paper gives no number for phase A; after phase B 74.2 (Table 3).
"""

_base_ = [
    './_base_/datasets/inat18_clip.py',
    './_base_/ballad_official_a.py',
    './_base_/default_runtime.py',
]

arch = 'RN50-quickgelu'
pretrained = 'openai'  # open_clip's tag, or a file
class_names = _base_.class_names

model = dict(
    backbone=dict(arch=arch, pretrained=pretrained),
    head=dict(
        arch=arch,
        pretrained=pretrained,
        class_names=class_names,
        chunk_size=512,  # prompts whose activations are held at a time
    ),
)
