import math

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample

from ltvl_mm.models import OriginWeightedClsHead


def make_sample(label, origin, score=None):
    sample = DataSample().set_gt_label(label)
    sample.set_metainfo({'origin': origin})
    if score is not None:
        sample.set_metainfo({'retrieval_score': score})
    return sample


SAMPLES = [
    make_sample(0, 'target'),
    make_sample(1, 'retrieved', math.log(3)),  # p = 3/4
    make_sample(2, 'retrieved', -math.log(3)),  # p = 1/4
]


def measure(retrieved, samples=SAMPLES):
    torch.manual_seed(0)
    head = OriginWeightedClsHead(3, 4, retrieved=retrieved)
    feats = torch.randn(len(samples), 4)
    target = torch.cat([sample.gt_label for sample in samples])
    each = F.cross_entropy(head((feats,)), target, reduction='none')
    return head.loss((feats,), samples)['loss'], each


@pytest.mark.parametrize(
    ('retrieved', 'weights'),
    [
        (1.0, [1, 1, 1]),
        (0.5, [1, 0.5, 0.5]),
        (0, [1, 0, 0]),
        ('probability', [1, 0.75, 0.25]),
    ],
)
def test_the_loss_is_the_mean_by_weight(retrieved, weights):
    loss, each = measure(retrieved)
    weights = torch.tensor(weights)
    expected = (weights * each).sum() / weights.sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_batch_that_weighs_nothing_costs_nothing():
    loss, _ = measure(0, SAMPLES[1:])
    assert loss == 0


def test_other_weights_and_samples_are_refused():
    for wrong in (-1, 'score'):
        with pytest.raises(ValueError, match='must be a weight >= 0 or'):
            OriginWeightedClsHead(3, 4, retrieved=wrong)
    with pytest.raises(ValueError, match='say where they come from'):
        measure(1.0, [DataSample().set_gt_label(0)])
