"""Tools that work on what a trained student said, in seconds."""

import json
from dataclasses import replace

import pytest
import torch
from small_inputs import ROOT

from ltvl_mm.structures.features import load_features, save_features
from ltvl_mm.structures.predictions import load_predictions

STUDENT = 'configs/toy/cross_entropy/cross_entropy_r18.py'
# With mmpretrain's data set for a list.
LEAF = """
_base_ = '{config}'

test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=_base_.data_root,
        ann_file='test.txt',
        pipeline=_base_.test_pipeline,
    )
)
"""

SEVERAL = """
_base_ = '{config}'

test_evaluator = [dict(type='Accuracy'), _base_.test_evaluator]
"""


@pytest.fixture(scope='module')
def trained(run_here, tmp_path_factory):
    """Folder of a student of one short epoch."""
    folder = tmp_path_factory.mktemp('post_hoc')
    run_here(
        *('python', 'tools/train.py', STUDENT, '--work-dir', folder),
        *('--cfg-options', 'train_cfg.max_epochs=1'),
        *('train_dataloader.batch_size=16', 'train_cfg.val_interval=1'),
        'train_dataloader.sampler.epoch_size=64',
    )
    return folder


def test_classifiers_are_made_of_saved_features(
    run_here, trained, toy_root, tmp_path
):
    for split in ('train', 'val', 'test'):
        run_here(
            *('python', 'tools/analysis_tools/save_features.py', STUDENT),
            *(trained, '--split', split, '-o', tmp_path / f'{split}.npz'),
        )
    test = load_features(tmp_path / 'test.npz')
    assert test.features.shape == (96, 128)
    command = (
        *('python', 'tools/analysis_tools/tune_classifier.py'),
        *('--train', tmp_path / 'train.npz', '--test', tmp_path / 'test.npz'),
        *('--checkpoint', trained, '-o', tmp_path / 'out'),
        f'--class-counts={toy_root}/train.txt',
    )
    log = run_here(*command)
    assert 'chosen by class-balanced log-loss of train: tau ' in log
    log = run_here(*command, '--val', tmp_path / 'val.npz')
    assert 'chosen by accuracy of val: tau ' in log
    assert '| NCM |' in log
    found = json.loads((tmp_path / 'out/classifiers.json').read_text())
    assert [row['method'] for row in found['test']] == [
        'as trained',
        'tau-normalized',
        'NCM',
    ]
    # What tools/test.py measures of the same checkpoint.
    run_here(
        *('python', 'tools/test.py', STUDENT, trained, '--work-dir', tmp_path),
        *('--out', tmp_path / 'metrics.json', '--out-item', 'metrics'),
    )
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert found['test'][0]['all'] == pytest.approx(metrics['shot/all'])
    for split in ('train', 'test'):  # as if the model were ResLT
        features = load_features(tmp_path / f'{split}.npz')
        save_features(tmp_path / f'{split}.npz', replace(features, tau=0.5))
    log = run_here(*command, '--taus', '0.25')
    assert 'add --cfg-options model.head.gamma=0.25' in log
    save_features(tmp_path / 'train.npz', replace(test, classifier=''))
    log = run_here(*command, status=1)
    assert 'train.npz names no linear layer that gives the logits' in log
    save_features(tmp_path / 'train.npz', replace(test, classifier='head.x'))
    log = run_here(*command, status=1)
    assert 'different classifiers: ' in log


def test_logits_are_adjusted_from_saved_predictions(
    run_here, trained, toy_root, tmp_path
):
    for split in ('val', 'test'):
        run_here(
            *('python', 'tools/test.py', STUDENT, trained, '--split', split),
            *('--work-dir', tmp_path, '--out', tmp_path / f'{split}.npz'),
        )
    command = (
        *('python', 'tools/analysis_tools/adjust_logits.py'),
        f'--class-counts={toy_root}/train.txt',
        *('-o', tmp_path / 'out', '--val', tmp_path / 'val.npz', '--test'),
    )
    log = run_here(*command, tmp_path / 'test.npz')
    assert 'chosen on val: tau ' in log
    found = json.loads((tmp_path / 'out/adjustment.json').read_text())
    taus = {row['tau']: row['all'] for row in found['val']}
    assert taus[found['chosen']['tau']] == max(taus.values())
    log = run_here(*command, tmp_path / 'val.npz', status=1)
    assert 'is in val and in test' in log
    log = run_here(
        *(*command, tmp_path / 'test.npz', '--counts', 'probability'), status=1
    )
    assert 'there is no --manifest' in log


def test_an_open_set_is_measured_from_saved_predictions(
    run_here, trained, toy_root, tmp_path
):
    test = ('python', 'tools/test.py', STUDENT, trained, '--work-dir')
    known, unknown = tmp_path / 'known.npz', tmp_path / 'unknown.npz'
    run_here(*test, tmp_path, '--out', known)
    options = ('--cfg-options', 'test_dataloader.dataset.split=open')
    # The metric knows no such images, and says what to do.
    log = run_here(*test, tmp_path, '--out', unknown, *options, status=1)
    assert "'test_evaluator=[]'" in log
    run_here(
        *(*test, tmp_path, '--out', unknown, *options, 'test_evaluator=[]')
    )
    command = (
        *('python', 'tools/analysis_tools/measure_open_set.py'),
        f'--class-counts={toy_root}/train.txt',
        *('-o', tmp_path / 'out', '--known', known, '--unknown'),
    )
    log = run_here(*command, unknown)
    assert '| closed set |' in log
    found = json.loads((tmp_path / 'out/open_set.json').read_text())
    assert found['open_set']['threshold'] == 0.1
    first, *_, last = found['by_threshold']
    assert (first['unknown_rejected'], last['f_measure']) == (0, 0)
    assert first['precision'] == pytest.approx(found['test'][0]['all'])
    log = run_here(*command, known, status=1)
    assert 'expected -1, of no class' in log


def test_a_list_without_labels_is_of_no_known_class(
    run_here, trained, toy_root, tmp_path
):
    lines = (toy_root / 'open.txt').read_text().splitlines()
    paths = [line.removesuffix(' -1') for line in lines]
    (tmp_path / 'paths.txt').write_text('\n'.join(paths))
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(LEAF.format(config=ROOT / STUDENT))
    run_here(
        *('python', 'tools/test.py', leaf, trained, '--work-dir', tmp_path),
        *('--out', tmp_path / 'unknown.npz', '--cfg-options'),
        f'test_dataloader.dataset.ann_file={tmp_path}/paths.txt',
        *('test_dataloader.dataset.with_label=False', 'test_evaluator=[]'),
    )
    found = load_predictions(tmp_path / 'unknown.npz', unknown=True)
    assert len(found) == len(paths)


def test_what_does_not_fit_is_one_sentence(run_here, trained, tmp_path):
    save = ('python', 'tools/analysis_tools/save_features.py')
    log = run_here(
        *(*save, STUDENT, tmp_path / 'no.pth', '--split', 'val'),
        *('-o', tmp_path / 'val.npz'),
        status=1,
    )
    assert 'no.pth does not exist; train it first' in log
    torch.save({'state_dict': {}}, tmp_path / 'other.pth')
    log = run_here(
        *(*save, STUDENT, tmp_path / 'other.pth', '--split', 'val'),
        *('-o', tmp_path / 'val.npz'),
        status=1,
    )
    assert 'other.pth holds no weights: its state dict is empty' in log
    assert not (tmp_path / 'val.npz').exists()


def test_experts_are_weighed_on_unlabeled_views(run_here, tmp_path):
    config = 'configs/toy/tade/tade_r18.py'
    run_here(
        *('python', 'tools/train.py', config, '--work-dir', tmp_path),
        *('--cfg-options', 'train_cfg.max_epochs=1'),
        *('train_dataloader.batch_size=16', 'train_cfg.val_interval=1'),
        'train_dataloader.sampler.epoch_size=32',
    )
    tool = ('python', 'tools/analysis_tools/aggregate_experts.py')
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(SEVERAL.format(config=ROOT / config))
    run_here(*tool, leaf, tmp_path, '-o', tmp_path / 'out')
    found = json.loads((tmp_path / 'out/experts.json').read_text())
    assert sum(found['shares']) == pytest.approx(1, abs=1e-5)
    assert (found['rate'], found['epochs']) == (0.1, 5)
    methods = [row['method'] for row in found['test']]
    assert methods[3:] == ['mean', 'aggregated']
    # The mean is how tools/test.py answers.
    run_here(
        *('python', 'tools/test.py', config, tmp_path, '--work-dir', tmp_path),
        *('--out', tmp_path / 'metrics.json', '--out-item', 'metrics'),
    )
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert found['test'][3]['all'] == pytest.approx(metrics['shot/all'])
    log = run_here(
        *(*tool, STUDENT, tmp_path, '-o', tmp_path / 'no'), status=1
    )
    assert 'the config has no aggregation; set it, for example to' in log
    leaf.write_text(
        f"_base_ = '{ROOT / STUDENT}'\n"
        'aggregation = dict(rate=0.1)\n'
        'aggregation_views = _base_.train_pipeline\n'
    )
    log = run_here(*tool, leaf, tmp_path, '-o', tmp_path / 'no', status=1)
    assert 'does not fit the config' in log
