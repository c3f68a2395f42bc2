"""TACKLE: ResNeXt-50 32x4d on ImageNet-LT and retrieved web images.

Source:   "Unleashing the Potential of Vision-Language Models for Long-Tailed
          Visual Recognition", section 2.3 and Table 1.
Differs:  n_k, temperature, schedule and augmentation are not public; those
          here are ours, the augmentation is that of Kang et al. 2020 (arXiv
          1910.09217).
Command:  tools/dist_train.sh configs/tackle_rx50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more.
Hours:    about 2 on 8 x A100: 20.9 million images seen, estimated from 400
          images/s per GPU, not measured.
Expect:   60.6 overall (Table 1).
Before:   embed the web images and the val and test lists with
          tools/embed_images.py, then retrieve with tools/retrieve.py; see
          "Your own data" in the README.
"""

_base_ = './cross_entropy/cross_entropy_rx50_8xb64-180e_imagenet-lt.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **_base_.retrieved,
        dataset=_base_.train_dataloader.dataset,
    )
)
