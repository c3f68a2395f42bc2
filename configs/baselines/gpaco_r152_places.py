"""GPaCo: ResNet-152 on Places-LT.

Source:   Cui et al. 2022 (arXiv 2209.12400) and its code: its temperature,
          weights, queue, views, rate, epochs and what trains, which are as in
          paco_r152_places.py.
Command:  tools/dist_train.sh configs/baselines/gpaco_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py, twice.
Expect:   41.7 overall (its authors); their code says of val and not of
          test. Ours is not measured.
"""

_base_ = './paco_r152_places.py'

model = dict(type='ltvl_mm.GPaCoClassifier', head=dict(loss=dict(alpha=0.02)))
