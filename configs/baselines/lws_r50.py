"""LWS: the lengths of the classifier of ResNet-50 anew, on ImageNet-LT.

Source:   Kang et al. 2020 (arXiv 1910.09217) and its code
          (config/ImageNet_LT/cls_lws.yaml: 5 epochs of class-aware batches of
          512, lr 0.2, weight decay 5e-4; only the scales are trained).
Differs:  first stage of 180 epochs (r50.py) instead of 90; Nesterov momentum;
          cosine without their early first step; the checkpoint is chosen on
          val.
Command:  tools/dist_train.sh configs/baselines/lws_r50.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as a tenth of r50.py.
Expect:   47.7 overall (Table 1 of the TACKLE paper).
Before:   tools/dist_train.sh configs/r50.py 8 --amp
"""

_base_ = './lws_rx50.py'

stage_1 = 'work_dirs/r50'  # its best checkpoint, or a file

model = dict(
    stage_1=stage_1, backbone=dict(_delete_=True, type='ResNet', depth=50)
)
