"""Distillation: its loss, and a teacher outside the student's parameters."""

import math

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from ltvl_mm.models.classifiers.distilled_classifier import (
    compute_distillation,
)

RESNET = dict(type='ResNet', depth=18, base_channels=4, stem_channels=4)
POOL = dict(type='GlobalAveragePooling')
STUDENT = dict(
    backbone=RESNET,
    neck=POOL,
    head=dict(type='LinearClsHead', num_classes=3, in_channels=32),
)


def name_experts(count):
    """Config of a classifier with so many experts."""
    return dict(
        type='ImageClassifier',
        backbone=dict(
            type='ltvl_mm.ExpertResNet', backbone=RESNET, num_experts=count
        ),
        neck=POOL,
        head=dict(
            type='ltvl_mm.ExpertClsHead',
            num_classes=3,
            in_channels=24,
            num_experts=count,
            loss=dict(type='ltvl_mm.RIDELoss', num_classes=3),
        ),
    )


@pytest.fixture(autouse=True)
def host_scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture
def teach(tmp_path):
    """Build a student of a teacher with three experts."""
    torch.manual_seed(0)
    cfg = name_experts(3)
    teacher = MODELS.build(dict(cfg))
    path = tmp_path / 'teacher.pth'
    torch.save({'state_dict': teacher.state_dict()}, path)

    def build(student=STUDENT, *, loaded=True, **options):
        model = MODELS.build(
            {
                **student,
                'type': 'ltvl_mm.DistilledClassifier',
                'teacher': cfg,
                'teacher_checkpoint': str(path),
                **options,
            }
        )
        if loaded:
            model.init_weights()
        return model

    return build


def draw_batch(labels=(0, 2)):
    samples = [DataSample().set_gt_label(label) for label in labels]
    return torch.randn(len(labels), 3, 32, 32), samples


def test_the_loss_by_hand():
    # At T = 2: the student says 1/2, 1/2, the teacher 1/4, 3/4.
    taught = torch.tensor([[0.0, 2 * math.log(3)]])
    value = compute_distillation(torch.zeros(1, 2), taught, temperature=2.0)
    expected = 4 * (0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5))
    assert value.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('seed', range(4))
def test_the_loss_is_its_formula(seed):
    generator = torch.Generator().manual_seed(seed)
    count, classes, temperature = 1 + seed, 2 + seed, 0.5 + seed
    logits, taught = torch.randn(2, count, classes, generator=generator)
    total = 0.0
    for z, t in zip(logits.tolist(), taught.tolist(), strict=True):
        student = [math.exp(x / temperature) for x in z]
        teacher = [math.exp(x / temperature) for x in t]
        for p, q in zip(teacher, student, strict=True):
            p, q = p / sum(teacher), q / sum(student)
            total += temperature**2 * p * math.log(p / q)
    value = compute_distillation(logits, taught, temperature=temperature)
    assert value.item() == pytest.approx(total / count, rel=1e-4, abs=1e-6)


def test_a_teacher_that_is_sure_makes_no_nan():
    logits = torch.zeros(1, 3, dtype=torch.float16)
    taught = torch.tensor([[0.0, 300.0, 0.0]], dtype=torch.float16)
    value = compute_distillation(logits, taught, temperature=1.5)
    assert value.item() == pytest.approx(1.5**2 * math.log(3), rel=1e-5)


def test_other_classes_are_refused():
    with pytest.raises(ValueError, match=r'shape \(1, 1\) cannot teach'):
        compute_distillation(
            torch.zeros(1, 3), torch.zeros(1, 1), temperature=1.0
        )


@pytest.mark.parametrize('student', [STUDENT, name_experts(2)])
def test_the_teacher_s_part_comes_to_the_head_s(teach, student):
    model = teach(student, temperature=1.5, distillation_weight=0.5)
    if 'Expert' in student['head']['type']:
        model.head.loss_module.set_class_counts(torch.tensor([5, 2, 1]))
    images, samples = draw_batch()
    (teacher,) = model._teacher
    losses = model.eval()(images, samples, mode='loss')
    assert set(losses) == {'loss', 'loss_distillation'}
    expected = compute_distillation(
        model(images), teacher(images), temperature=1.5
    )
    assert torch.allclose(losses['loss_distillation'], 0.5 * expected)
    plain = model.head.loss(model.extract_feat(images), samples)['loss']
    assert torch.equal(losses['loss'], plain)


def test_only_the_student_is_trained_kept_and_counted(teach):
    model = teach().train()
    plain = MODELS.build(dict(STUDENT, type='ImageClassifier'))
    assert model.state_dict().keys() == plain.state_dict().keys()
    plain.load_state_dict(model.state_dict())
    (teacher,) = model._teacher
    before = {name: v.clone() for name, v in teacher.state_dict().items()}
    optim = build_optim_wrapper(
        model, dict(optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1))
    )
    held = {id(p) for g in optim.param_groups for p in g['params']}
    assert held == {id(p) for p in model.parameters()}
    losses = model(*draw_batch(), mode='loss')
    optim.update_params(sum(losses.values()))
    assert not any(module.training for module in teacher.modules())
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(p.grad is None for p in teacher.parameters())
    assert not torch.equal(
        model.head.fc.weight, plain.head.fc.weight
    )  # the step was taken


def test_the_teacher_moves_the_student_s_gradient(teach):
    model = teach(distillation_weight=1.0).eval()
    images, samples = draw_batch()
    model(images, samples, mode='loss')['loss_distillation'].backward()
    for name, weight in model.named_parameters():
        assert torch.isfinite(weight.grad).all(), name
    assert model.backbone.conv1.weight.grad.any()


def test_bfloat16(teach):
    model = teach()
    with torch.autocast('cpu', torch.bfloat16):
        losses = model(*draw_batch(), mode='loss')
    sum(losses.values()).backward()
    for name, weight in model.named_parameters():
        assert torch.isfinite(weight.grad).all(), name


def test_a_tested_student_needs_no_teacher(teach):
    model = teach(loaded=False, teacher_checkpoint='nowhere.pth').eval()
    images, samples = draw_batch()
    (first, _) = model(images, samples, mode='predict')
    assert first.pred_score.shape == (3,)
    with pytest.raises(ValueError, match='the teacher is not loaded'):
        model(images, samples, mode='loss')


def test_teachers_that_do_not_fit(teach, tmp_path):
    with pytest.raises(ValueError, match='temperature must be > 0, got 0'):
        teach(temperature=0)
    with pytest.raises(ValueError, match=r'no\.pth does not exist'):
        teach(teacher_checkpoint=str(tmp_path / 'no.pth'))
    with pytest.raises(ValueError, match='is not a checkpoint of the teacher'):
        teach(teacher=dict(STUDENT, type='ImageClassifier'))
