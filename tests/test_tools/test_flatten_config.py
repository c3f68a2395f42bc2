"""A new-style config inherits one of ours."""

import runpy
import sys

import pytest
from leaves import find_leaf
from mmengine.config import Config
from small_inputs import ROOT

from ltvl_mm.datasets import TACKLEDataset

RX50 = find_leaf('cross_entropy_rx50')
CONFIG = """
from mmengine.config import read_base

with read_base():
    from .rx50_flat import *  # noqa: F403

from ltvl_mm.datasets import TACKLEDataset

train_dataloader['dataset'] = dict(
    type=TACKLEDataset,
    manifest='manifest.parquet',
    dataset=train_dataloader['dataset'],
)
"""


def flatten(monkeypatch, *words):
    tool = str(ROOT / 'tools/flatten_config.py')
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, words)])
    runpy.run_path(tool, run_name='__main__')


def test_a_new_style_config_inherits_a_flat_one(tmp_path, monkeypatch):
    flatten(
        monkeypatch,
        *(RX50, tmp_path / 'rx50_flat.py'),
        *('--cfg-options', 'randomness.seed=7'),
    )
    flat = Config.fromfile(tmp_path / 'rx50_flat.py')
    plain = Config.fromfile(RX50)
    assert flat.randomness.seed == 7
    assert flat.model == plain.model
    (tmp_path / 'mine.py').write_text(CONFIG)
    cfg = Config.fromfile(tmp_path / 'mine.py')
    dataset = cfg.train_dataloader.dataset
    assert dataset.type is TACKLEDataset
    assert dataset.dataset == plain.train_dataloader.dataset
    assert cfg.model == plain.model


def test_names_that_no_config_can_import_are_refused(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match='cannot be imported by a config'):
        flatten(monkeypatch, RX50, tmp_path / 'rx50-flat.py')
