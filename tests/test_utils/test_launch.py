import pytest
import torch
from mmengine.config import Config

from ltvl_mm.utils.launch import prepare_launch, set_dataloader_defaults


@pytest.fixture
def started(monkeypatch):
    """Backends that were started, on a machine without a GPU."""
    backends = []
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(
        torch.distributed, 'init_process_group', backends.append
    )
    return backends


def test_one_process_needs_nothing_but_the_name(started):
    cfg = Config(dict())
    prepare_launch(cfg, 'none')
    assert cfg.to_dict() == {'launcher': 'none'}
    assert started == []


@pytest.mark.parametrize('unused', [True, False])
def test_processes_without_gpus_talk_through_gloo(started, unused):
    cfg = Config(dict(find_unused_parameters=unused))
    prepare_launch(cfg, 'pytorch')
    assert started == ['gloo']
    assert cfg.launcher == 'pytorch'
    assert cfg.model_wrapper_cfg == dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        find_unused_parameters=unused,
    )


def test_with_gpus_the_host_does_it_all(started, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = Config(dict())
    prepare_launch(cfg, 'pytorch')
    assert cfg.to_dict() == {'launcher': 'pytorch'}
    assert started == []


def make_cfg(**loader):
    return Config(dict(train_dataloader=loader))


def test_a_loader_gets_the_defaults_of_the_host(started):
    cfg = make_cfg(num_workers=2)
    set_dataloader_defaults(cfg, 'train_dataloader', pin_memory=True)
    assert cfg.train_dataloader.to_dict() == {
        'num_workers': 2,
        'pin_memory': False,  # there is no GPU to pin it for
        'collate_fn': {'type': 'default_collate'},
        'persistent_workers': True,
    }


def test_workers_that_there_are_not_cannot_be_kept(started):
    cfg = make_cfg(num_workers=0)
    set_dataloader_defaults(cfg, 'train_dataloader', pin_memory=True)
    assert cfg.train_dataloader.persistent_workers is False


def test_a_config_overrules_defaults_and_a_flag_overrules_both(started):
    own = dict(
        num_workers=1,
        pin_memory=True,
        persistent_workers=False,
        collate_fn=dict(type='pseudo_collate'),
    )
    cfg = make_cfg(**own)
    set_dataloader_defaults(cfg, 'train_dataloader', pin_memory=True)
    assert cfg.train_dataloader.to_dict() == own
    cfg = make_cfg(num_workers=1, pin_memory=True, persistent_workers=True)
    set_dataloader_defaults(
        cfg, 'train_dataloader', pin_memory=False, persistent_workers=False
    )
    assert cfg.train_dataloader.pin_memory is False
    assert cfg.train_dataloader.persistent_workers is False


def test_a_loader_that_is_not_there_stays_so():
    cfg = Config(dict(val_dataloader=None))
    for name in ('val_dataloader', 'test_dataloader'):
        set_dataloader_defaults(cfg, name, pin_memory=True)
    assert cfg.to_dict() == {'val_dataloader': None}
