import pytest

from ltvl_mm.apis.tackle_run.schedule import make_schedule
from ltvl_mm.apis.tackle_run.student_config import (
    find_student,
    scale_optimizer,
)

SIZES = dict(num_classes=7, image_size=64, batch_size=64)


def test_schedules_suit_the_number_of_images():
    small, large = make_schedule(2_640), make_schedule(115_846)
    assert (small.epochs, small.batch_size, small.steps) == (200, 64, 41)
    assert (large.epochs, large.batch_size) == (90, 256)
    assert make_schedule(2_640, fine_tuning=True).epochs == 40
    assert make_schedule(2_640, epochs=3).iterations == 123


@pytest.mark.parametrize('iterations', [1, 7, 41, 100, 1000])
def test_iterations_are_met_or_rounded_up_to_equal_epochs(iterations):
    found = make_schedule(2_640, iterations=iterations)
    assert iterations <= found.iterations < iterations + found.epochs
    assert found.epoch_size == found.steps * 64
    assert 0 <= found.warmup < found.iterations


@pytest.mark.parametrize(
    ('settings', 'match'),
    [
        (dict(epochs=0), 'epochs must be at least 1'),
        (dict(epochs=1, iterations=1), 'not both'),
        (dict(gpus=3), '3 GPUs cannot share'),
    ],
)
def test_schedules_that_make_no_sense_are_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        make_schedule(100, **settings)


def test_learning_rates_follow_the_batch_size():
    sgd = dict(optimizer=dict(type='SGD', lr=0.1))
    adam = dict(optimizer=dict(type='AdamW', lr=0.004))

    def rate(config, base, **how):
        found = scale_optimizer(config, 64, base, **how)
        return found['optimizer']['lr']

    assert rate(sgd, 256, fine_tuning=False) == 0.025
    assert rate(adam, 4096, fine_tuning=False) == 0.0005
    assert rate(sgd, 256, fine_tuning=True) == 0.0025
    assert rate({}, 8, fine_tuning=False) == 0.025
    assert sgd['optimizer']['lr'] == 0.1


def test_students_of_mmpretrain_by_short_name():
    student = find_student('resnet50', **SIZES)
    assert student.model['backbone']['depth'] == 50
    assert student.model['head']['num_classes'] == 7
    assert student.model['head']['topk'] == (1,)
    assert student.data_preprocessor['num_classes'] == 7
    assert student.weights is None
    assert 'init_cfg' not in student.model['backbone']
    vit = find_student('deit-small', **SIZES, pretrained=True)
    assert vit.model['backbone']['img_size'] == 64
    assert vit.model['backbone']['init_cfg']['checkpoint'] == vit.weights
    assert vit.weights.startswith('https://')
    assert find_student('convnext-tiny', **SIZES).optim_wrapper['optimizer'][
        'lr'
    ] == pytest.approx(0.0005)


@pytest.mark.parametrize(
    ('name', 'pretrained', 'match'),
    [
        ('resnt50', False, 'did you mean'),
        ('none.py', False, 'there is no config none.py'),
        ('resnet18', 'none.pth', 'there is no checkpoint none.pth'),
    ],
)
def test_unknown_students_are_named(name, pretrained, match):
    with pytest.raises(ValueError, match=match):
        find_student(name, **SIZES, pretrained=pretrained)
