"""A text-initialized classifier on frozen features, and its warning."""

import inspect

import pytest
from mmengine.config import Config

from ltvl_mm.apis import frozen_features
from ltvl_mm.apis.frozen_features import warn_of_frozen_features
from ltvl_mm.models import TextInitClsHead

HEAD = dict(type='ltvl_mm.TextInitClsHead')
CACHED = dict(type='ltvl_mm.IdentityBackbone', dim=4)
FROZEN = dict(type='ltvl_mm.CLIPBackbone', frozen=True)


@pytest.fixture
def warnings(monkeypatch):
    """Texts that are logged."""
    found = []
    monkeypatch.setattr(
        frozen_features,
        'print_log',
        lambda text, *args, level: found.append((text, level)),
    )
    return found


def make_config(backbone, *, rate=0.002, begun=None, head=HEAD, **options):
    model = dict(backbone=backbone, head=dict(head, **options))
    if begun:
        model['begun'] = begun
    return Config(
        dict(
            model=model,
            train_dataloader=dict(batch_size=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=rate)),
        )
    )


@pytest.mark.parametrize('backbone', [CACHED, FROZEN])
@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (dict(), 'with scale=25;'),
        (dict(scale=30.0), 'with scale=30;'),
        (dict(scale=100.0, rate=0.02), 'with a learning rate of 0.02;'),
        (dict(rate=0.01), 'with scale=25 and a learning rate of 0.01;'),
    ],
)
def test_warns_of_small_scale_or_large_rate(
    backbone, options, words, warnings
):
    warn_of_frozen_features(make_config(backbone, **options))
    ((text, level),) = warnings
    assert words in text
    assert 'Use scale=100 and a learning rate of at most 0.002' in text
    assert level == 30


@pytest.mark.parametrize(
    'cfg',
    [
        make_config(CACHED, scale=100.0),
        make_config(dict(type='ltvl_mm.AdaptedBackbone'), rate=0.02),
        make_config(dict(type='ltvl_mm.CLIPBackbone'), rate=0.02),
        make_config(CACHED, head=dict(type='LinearClsHead')),
        make_config(CACHED, begun=dict(head='head')),
        Config(dict(model=None, train_dataloader=None)),
        Config(dict()),
    ],
)
def test_is_silent_otherwise(cfg, warnings):
    warn_of_frozen_features(cfg)
    assert warnings == []


def test_assumes_the_default_scale_of_the_head():
    default = inspect.signature(TextInitClsHead).parameters['scale'].default
    assert frozen_features._DEFAULT_SCALE == default
