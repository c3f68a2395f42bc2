"""GPaCo: ResNet-152 on Places-LT.

Source:   Cui et al. 2022 (arXiv 2209.12400) and its code
          (GPaCo/LT/sh/LT/PlacesLT_train_R152.sh: 30 epochs, batch 128, lr
          0.02, weight decay 5e-4, alpha 0.02, temperature 0.2, sim views
          twice); what trains is as in paco_r152_places.py.
Differs:  batch 512 and 4 times their lr; the checkpoint is chosen on val and
          tested on test, theirs on val alone.
Command:  tools/dist_train.sh configs/baselines/gpaco_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py, twice.
Expect:   41.7 overall (its authors); their code says of val and not of
          test. Ours is not measured.
"""

_base_ = './paco_r152_places.py'

model = dict(type='ltvl_mm.GPaCoClassifier', head=dict(loss=dict(alpha=0.02)))
