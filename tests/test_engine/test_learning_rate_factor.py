"""The rate of a last stage is a factor times the scheduled one."""

import math

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from ltvl_mm.engine.hooks import LearningRateFactorHook

EPOCHS, ITERS, BEGIN, FACTOR = 10, 3, 7, 0.1


class Numbers(Dataset):
    def __len__(self):
        return ITERS

    def __getitem__(self, index):
        return {'inputs': torch.tensor([float(index)])}


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(1, 1), nn.Linear(1, 1)

    def forward(self, inputs, mode='loss'):
        return {'loss': self.second(self.first(inputs)).mean()}


class RateHook(Hook):
    """Collect what optimizer steps use and what the log shows."""

    def __init__(self):
        self.used, self.logged = [], []

    def before_train(self, runner):
        optimizer = runner.optim_wrapper.optimizer
        optimizer.register_step_pre_hook(
            lambda optimizer, *_: self.used.append(
                [group['lr'] for group in optimizer.param_groups]
            )
        )

    def after_train_iter(self, runner, *_, **__):
        scalars = runner.message_hub.log_scalars
        self.logged.append(scalars['train/lr'].current())


def build(folder, schedulers, *hooks, resume=None, **more):
    torch.manual_seed(0)
    return Runner(
        model=Line(),
        work_dir=str(folder),
        train_dataloader=dict(
            dataset=Numbers(),
            batch_size=1,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=EPOCHS),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=1.0, momentum=0.9),
            # Two parameter groups at least, with different rates.
            paramwise_cfg=dict(custom_keys={'second': dict(lr_mult=0.5)}),
            **more,
        ),
        param_scheduler=schedulers,
        custom_hooks=list(hooks),
        resume=resume is not None,
        load_from=resume and str(resume),
        experiment_name=f'rates of {folder.name}',
    )


def measure(folder, schedulers, *hooks, **more):
    """Return the (iterations, groups) rates used, and the logged ones."""
    rates = RateHook()
    runner = build(folder, schedulers, *hooks, rates, **more)
    runner.train()
    return torch.tensor(rates.used).double(), rates.logged, runner


def make_hook():
    return dict(
        type='ltvl_mm.LearningRateFactorHook', factor=FACTOR, begin=BEGIN
    )


COSINE = dict(type='CosineAnnealingLR', T_max=EPOCHS, eta_min_ratio=0.1)
WARMUP = dict(
    type='LinearLR',
    start_factor=0.01,
    by_epoch=False,
    begin=0,
    end=5,
)
SCHEDULES = {
    'constant': None,
    'cosine': [COSINE],
    'cosine to 0': [dict(type='CosineAnnealingLR', T_max=EPOCHS)],
    'cosine by iteration': [dict(COSINE, convert_to_iter_based=True)],
    'iterations': [
        dict(
            type='CosineAnnealingLR',
            T_max=EPOCHS * ITERS,
            eta_min=0.02,
            by_epoch=False,
        )
    ],
    'warm-up': [WARMUP, dict(COSINE, T_max=8, begin=2, end=EPOCHS)],
    'steps': [dict(type='MultiStepLR', milestones=[4, 8], gamma=0.2)],
    'polynomial': [dict(type='PolyLR', eta_min=0.1, end=EPOCHS)],
    'one cycle': [
        dict(
            type='OneCycleLR',
            eta_max=2.0,
            total_steps=EPOCHS * ITERS,
            by_epoch=False,
        )
    ],
    'warm-up into the stage': [
        dict(type='LinearLR', start_factor=0.1, end=9),
        dict(type='ExponentialLR', gamma=0.9, begin=3),
    ],
}


@pytest.mark.parametrize('name', SCHEDULES)
def test_each_rate_of_the_stage_is_a_factor_times_the_plain_one(
    name, tmp_path
):
    plain, _, _ = measure(tmp_path / 'plain', SCHEDULES[name])
    found, logged, runner = measure(
        tmp_path / 'stage', SCHEDULES[name], make_hook()
    )
    factors = torch.ones(EPOCHS * ITERS, 1).double()
    factors[BEGIN * ITERS :] = FACTOR
    assert found.shape[1] >= 2
    assert torch.allclose(found, plain * factors, rtol=1e-6, atol=0)
    assert logged == pytest.approx(found[:, 0].tolist(), rel=1e-6)
    # Between iterations the optimizer has the scheduled rate.
    assert runner.optim_wrapper.get_lr()['lr'][0] >= found[-1, 0].item()


def test_rates_of_a_constant_and_a_cosine_schedule(tmp_path):
    found, _, _ = measure(tmp_path / 'constant', None, make_hook())
    assert found[::ITERS, 0].tolist() == pytest.approx(
        [1] * BEGIN + [0.1] * (EPOCHS - BEGIN)
    )
    found, _, _ = measure(tmp_path / 'cosine', [COSINE], make_hook())
    expected = [
        0.1 + 0.9 * (1 + math.cos(math.pi * epoch / EPOCHS)) / 2
        for epoch in range(EPOCHS)
    ]
    expected[BEGIN:] = [0.02855, 0.01859, 0.01220]
    assert found[::ITERS, 0].tolist() == pytest.approx(expected, rel=1e-3)


def test_a_resumed_stage_has_the_same_rates_and_weights(tmp_path):
    whole, _, runner = measure(tmp_path / 'whole', [COSINE], make_hook())
    for epoch in (6, 9):  # before the stage, and inside of it
        rest, _, resumed = measure(
            tmp_path / str(epoch),
            [COSINE],
            make_hook(),
            resume=tmp_path / f'whole/epoch_{epoch}.pth',
        )
        assert torch.equal(rest, whole[epoch * ITERS :])
        for name, weight in runner.model.state_dict().items():
            assert torch.equal(resumed.model.state_dict()[name], weight)


def test_gradients_may_be_accumulated(tmp_path):
    more = dict(accumulative_counts=2)
    plain, _, _ = measure(tmp_path / 'plain', [COSINE], **more)
    found, _, _ = measure(tmp_path / 'stage', [COSINE], make_hook(), **more)
    assert found[-1].tolist() == pytest.approx((plain[-1] * 0.1).tolist())


def test_a_stage_that_another_scheduler_lowered_is_not_resumed(tmp_path):
    before = [
        COSINE,
        dict(type='ConstantLR', factor=FACTOR, begin=BEGIN, end=EPOCHS),
    ]
    measure(tmp_path / 'before', before)

    def resume(epoch):
        file = tmp_path / f'before/epoch_{epoch}.pth'
        return measure(tmp_path / 'new', [COSINE], make_hook(), resume=file)[0]

    with pytest.raises(ValueError, match=r'multiplied by 0\.1, as --recipe'):
        resume(BEGIN + 1)
    rest = resume(BEGIN - 1)
    plain, _, _ = measure(tmp_path / 'plain', [COSINE])
    assert rest[-1, 0].item() == pytest.approx(0.1 * plain[-1, 0].item())


@pytest.mark.parametrize('factor', [0, -1, math.inf, math.nan])
def test_other_factors_and_epochs_are_refused(factor):
    with pytest.raises(ValueError, match='must be a finite number > 0, got'):
        LearningRateFactorHook(factor=factor, begin=1)
    with pytest.raises(ValueError, match='begin must be an epoch >= 0, got'):
        LearningRateFactorHook(factor=0.1, begin=-1)
