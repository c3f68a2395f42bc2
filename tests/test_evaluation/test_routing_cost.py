"""What images cost, by how frequent their class is."""

import json

import pytest
from mmengine.evaluator import Evaluator
from mmengine.registry import METRICS
from mmpretrain.structures import DataSample

# Images of the classes: many, medium, few.
COUNTS = [101, 20, 19]


def make_samples(rows):
    samples = []
    for label, used, cost in rows:
        sample = DataSample().set_gt_label(label)
        sample.set_field(used, 'experts_used')
        sample.set_field(cost, 'multiply_adds')
        samples.append(sample)
    return samples


def score(samples, **options):
    metric = METRICS.build(
        dict(
            type='ltvl_mm.RoutingCost',
            **dict(class_counts=COUNTS, num_classes=3) | options,
        )
    )
    evaluator = Evaluator(metric)
    for start in range(0, len(samples), 2):
        evaluator.process(samples[start : start + 2])
    return evaluator.evaluate(len(samples))


def test_means_by_hand():
    rows = [(0, 1, 10), (0, 2, 20), (0, 1, 10), (2, 3, 30)]
    metrics = score(make_samples(rows))
    assert metrics == {
        'routing/experts_used/many': pytest.approx(4 / 3),
        'routing/experts_used/few': 3,
        'routing/experts_used/all': 7 / 4,
        'routing/multiply_adds/many': pytest.approx(40 / 3),
        'routing/multiply_adds/few': 30,
        'routing/multiply_adds/all': 70 / 4,
    }
    json.dumps(metrics)  # as tools/test.py does


def test_large_costs_are_counted_exactly():
    rows = [(0, 3, 6_088_597_636)] * 3
    assert score(make_samples(rows))['routing/multiply_adds/all'] == 6088597636


def test_a_model_that_routes_nothing_is_refused():
    with pytest.raises(ValueError, match='a sample has no experts_used'):
        score([DataSample().set_gt_label(0)])


def test_counts_must_fit_the_classes():
    with pytest.raises(ValueError, match='must be 2 whole numbers'):
        score([], num_classes=2)
