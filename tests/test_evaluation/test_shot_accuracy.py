import json
import os

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import METRICS
from mmpretrain.structures import DataSample
from ranks import run_ranks

# Images of the classes before retrieval: many, medium, medium, few, few.
COUNTS = [101, 100, 20, 19, 0]


def make_metric(**options):
    return METRICS.build(
        dict(
            type='ltvl_mm.ShotAccuracy',
            **dict(class_counts=COUNTS, num_classes=5) | options,
        )
    )


def make_samples(pred, target, *, shift=0.0):
    scores = torch.eye(5)[pred] + shift
    return [
        DataSample().set_gt_label(label).set_pred_score(score)
        for label, score in zip(target, scores, strict=True)
    ]


def score(samples, batch_size=3, **options):
    evaluator = Evaluator(make_metric(**options))
    for start in range(0, len(samples), batch_size):
        evaluator.process(samples[start : start + batch_size])
    return evaluator.evaluate(len(samples))


# Right in class 0: 1 of 1, 1: 1 of 2, 2: 3 of 4, 3: 1 of 5; class 4 is absent.
TARGET = [0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3]
PRED = [0, 1, 2, 2, 2, 2, 0, 3, 0, 0, 0, 0]


@pytest.mark.smoke
def test_many_medium_few_and_all_by_hand():
    metrics = score(make_samples(PRED, TARGET))
    assert metrics['shot/many'] == 100
    assert metrics['shot/medium'] == 62.5  # classes of 20 and of 100 images
    assert metrics['shot/few'] == 20
    assert metrics['shot/all'] == 50


def test_ties_are_medium_or_as_in_the_code_of_oltr():
    # The last class of 100 and the class of 20 images alone are right.
    samples = make_samples([1, 2, 0, 0, 0], [1, 2, 0, 3, 4])
    medium = score(samples)
    assert medium['shot/medium'] == 100
    assert medium['shot/few'] == 0
    outer = score(samples, ties='outer')
    assert outer['shot/many'] == 100
    assert 'shot/medium' not in outer
    assert outer['shot/few'] == pytest.approx(100 / 3)


def test_an_image_of_no_known_class_is_refused_at_once():
    unlabeled = DataSample().set_pred_score(torch.eye(5)[0])
    for samples in (make_samples([0], [-1]), [unlabeled]):
        evaluator = Evaluator(make_metric())
        with pytest.raises(ValueError, match=r"'test_evaluator=\[\]'"):
            evaluator.process(samples)


def test_a_group_without_test_images_is_absent():
    metrics = score(make_samples([0, 1], [0, 0]))
    assert metrics['shot/many'] == 50
    assert not {'shot/medium', 'shot/few'} & set(metrics)


def test_right_predictions_with_negative_scores_are_right():
    """mmpretrain's Accuracy counts them as wrong."""
    assert score(make_samples(PRED, TARGET, shift=-9)) == score(
        make_samples(PRED, TARGET)
    )


def test_a_model_that_gives_labels_only_is_scored_as_well():
    samples = [
        DataSample().set_gt_label(target).set_pred_label(pred)
        for pred, target in zip(PRED, TARGET, strict=True)
    ]
    assert score(samples) == score(make_samples(PRED, TARGET))


def test_each_class_is_listed_on_demand():
    metrics = score(make_samples(PRED, TARGET), per_class=True)
    assert metrics['shot/per_class'] == [100, 50, 75, 20, None]
    json.dumps(metrics)  # as tools/test.py does
    assert 'shot/per_class' not in score(make_samples(PRED, TARGET))


def test_counts_come_from_numbers_json_or_the_training_list(tmp_path):
    (tmp_path / 'counts.json').write_text(json.dumps(COUNTS))
    lines = [
        f'a picture {number}.jpg {label}\n'
        for label, count in enumerate(COUNTS)
        for number in range(count)
    ]
    (tmp_path / 'train.txt').write_text(''.join(lines))
    for source in ('counts.json', 'train.txt'):
        metric = make_metric(class_counts=str(tmp_path / source))
        assert metric.groups.tolist() == make_metric().groups.tolist()


def test_counts_that_do_not_fit_the_classes_are_an_error(tmp_path):
    with pytest.raises(ValueError, match=r'must be 5 whole .* shape \(3,\)'):
        make_metric(class_counts=[1, 2, 3])
    (tmp_path / 'train.txt').write_text('a.jpg 0\nb.jpg 5\n')
    message = r'train\.txt, line 2: label 5 lies outside \[0, 5\)'
    with pytest.raises(ValueError, match=message):
        make_metric(class_counts=str(tmp_path / 'train.txt'))
    with pytest.raises(ValueError, match=r'no\.json does not exist'):
        make_metric(class_counts=str(tmp_path / 'no.json'))


def score_as_rank(rank, folder):
    """Score every second sample, the first again at the end if need be.

    This is what mmengine's DefaultSampler deals: it fills up the last rank.
    """
    os.chdir(folder)  # mmengine collects through a folder in the current one
    samples = make_samples(PRED[:11], TARGET[:11])
    share = [*samples, samples[0]][rank::2]
    evaluator = Evaluator(make_metric())
    for start in range(0, 6, 4):
        evaluator.process(share[start : start + 4])
    return json.dumps(evaluator.evaluate(11))


def test_every_sample_counts_once_over_two_processes(tmp_path):
    # Forked: a process that starts anew imports mmpretrain for seconds.
    shared, _ = run_ranks(
        tmp_path, score_as_rank, tmp_path, start_method='fork'
    )
    assert json.loads(shared) == score(make_samples(PRED[:11], TARGET[:11]))
