"""GPaCo: ResNet-152 on Places-LT.

Source:   Cui et al. 2022 (arXiv 2209.12400) and its code
          (GPaCo/LT/paco_fp16_places.py): temperature, weights, queue, views,
          lr, epochs and what trains, which are as in paco_r152_places.py.
Differs:  batch 512 and 4 times their lr; tested on test, theirs on val.
Command:  tools/dist_train.sh configs/baselines/gpaco_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py, twice.
Expect:   41.7 overall (its authors); their code says of val and not of
          test. Ours is not measured.
"""

_base_ = './paco_r152_places.py'

model = dict(type='ltvl_mm.GPaCoClassifier', head=dict(loss=dict(alpha=0.02)))
