r"""LT-Soups, stage 2: refit the classifier of the soup, on Places-LT.

Source:   Aminbeidokhti et al. 2025 (arXiv 2511.10683) and its code
          (scripts/run_lt_soups.sh; trainer.py): the merged tower stays as it
          is, and the merged classifier trains on all images for 10 epochs,
          weight decay 1e-2, batch 128. Not in the TACKLE paper.
Differs:  as lt_soups-stage1_vit-b16_1xb128-10e_places-lt.py; the round of the
          merge is chosen on val where there is one, else it is the last.
Command:  tools/dist_train.sh \
              configs/lt_soups/lt_soups_vit-b16_1xb128-10e_places-lt.py 1 --amp
Hardware: 1 GPU of 24 GB or more.
Hours:    not measured; 10 passes of the training set forward.
Before:   the runs of lt_soups-stage1_vit-b16_1xb128-10e_places-lt.py, merged
Expect:   51.7 overall, second-hand (configs/lt_soups/README.md); ours is not
          measured.
"""

_base_ = './lt_soups-stage1_vit-b16_1xb128-10e_places-lt.py'

stage_1 = 'work_dirs/lt_soups_places/merged/round_6.pth'

model = dict(stage_1=stage_1, **_base_.lt_soups_refit)
train_dataloader = dict(dataset=dict(imbalance=None))
