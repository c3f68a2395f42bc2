"""GPaCo: ResNet-152 on Places-LT.

Source:   Cui et al. 2022 (arXiv 2209.12400): its temperature, weights, queue,
          views and rate (times 4, for 512 images a step instead of 128);
          epochs are those of r152_places.py, so that methods compare.
Command:  tools/dist_train.sh configs/baselines/gpaco_r152_places.py 8 --amp
Hardware: 8 GPUs of 24 GB or more; hours as r152_places.py, twice.
Expect:   41.7 overall (its authors), after 30 epochs of all but the last
          block frozen, their code says of val and not of test; ours trains
          every layer and is not measured.
"""

_base_ = './paco_r152_places.py'

model = dict(type='ltvl_mm.GPaCoClassifier', head=dict(loss=dict(alpha=0.02)))
