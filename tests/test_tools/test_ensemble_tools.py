"""Predictions of two models, mixed by the tool and by the classifier."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from toy_clip import write_toy_classifier

from ltvl_mm.registry import MODELS
from ltvl_mm.structures.predictions import (
    Predictions,
    load_predictions,
    save_predictions,
)

ROOT = Path(__file__).parents[2]
PARTS = ('student', 'clip')
CONFIGS = {
    'student': 'cross_entropy/cross_entropy_r18',
    'clip': 'clip_zero_shot/clip_zero_shot',
}


@pytest.fixture(scope='module')
def run_main(toy_home):
    """Function that runs ``main`` of a tool here, with such arguments."""

    def run(script, *args):
        spec = importlib.util.spec_from_file_location('tool', ROOT / script)
        tool = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tool)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, 'argv', [script, *map(str, args)])
            tool.main()

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(toy_home)
        patch.setenv('LOCAL_RANK', '0')
        yield run


@pytest.fixture(scope='module')
def weights(run_main, tmp_path_factory):
    """Files of a student and of a CLIP, both untrained."""
    folder = tmp_path_factory.mktemp('weights')
    student = Config.fromfile(
        ROOT / f'configs/toy/{CONFIGS["student"]}.py'
    ).model
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        state = MODELS.build(student).state_dict()
    torch.save({'state_dict': state}, folder / 'student.pth')
    write_toy_classifier(folder / 'clip.pth')
    return {part: folder / f'{part}.pth' for part in PARTS}


@pytest.fixture(scope='module')
def predictions(run_main, weights, tmp_path_factory):
    """Split -> files of both models."""
    folder = tmp_path_factory.mktemp('predictions')
    files = {}
    for split in ('val', 'test'):
        files[split] = [folder / f'{part}_{split}.npz' for part in PARTS]
        for part, file in zip(PARTS, files[split], strict=True):
            run_main(
                'tools/test.py',
                f'configs/toy/{CONFIGS[part]}.py',
                weights[part],
                *('--split', split, '--work-dir', folder, '--out', file),
            )
    return files


def test_predictions_are_of_the_split_that_was_asked_for(
    predictions, toy_root
):
    for split, files in predictions.items():
        for file in files:
            found = load_predictions(file)
            lines = (toy_root / f'{split}.txt').read_text().splitlines()
            names = [os.path.relpath(path, toy_root) for path in found.paths]
            assert sorted(
                f'{name} {label}'
                for name, label in zip(names, found.labels, strict=True)
            ) == sorted(lines)


def test_the_classifier_scores_as_the_tool_says(
    run_main, predictions, weights, toy_root, tmp_path, capsys
):
    run_main(
        'tools/analysis_tools/tune_ensemble.py',
        *('--val', *predictions['val'], '--test', *predictions['test']),
        *('--class-counts', toy_root / 'train.txt', '-o', tmp_path / 'mix'),
        # So that both parts take part in what is compared.
        *('--alphas', 0.3, 0.6, '--scales', 0.5, 2.0),
    )
    assert 'chosen on val: alpha' in capsys.readouterr().out
    found = json.loads((tmp_path / 'mix/ensemble.json').read_text())
    assert (tmp_path / 'mix/curve.png').stat().st_size > 10_000
    alpha, scale = found['chosen']['alpha'], found['chosen']['scale']
    run_main(
        'tools/test.py',
        *('configs/toy/ensemble/ensemble_r18.py', '--work-dir', tmp_path),
        *('--out', tmp_path / 'metrics.json', '--out-item', 'metrics'),
        *('--predictions', tmp_path / 'test.npz'),
        '--cfg-options',
        f'model.checkpoints.student={weights["student"]}',
        f'model.members.clip.backbone.pretrained={weights["clip"]}',
        f'model.members.clip.head.pretrained={weights["clip"]}',
        f'model.weights.student={alpha}',
        f'model.weights.clip={1 - alpha}',
        f'model.scales.clip={scale}',
    )
    ours = json.loads((tmp_path / 'metrics.json').read_text())
    told = json.loads((tmp_path / 'mix/metrics.json').read_text())
    for name, value in told.items():
        assert ours[name] == pytest.approx(value, abs=1e-6), name
    predicted = load_predictions(tmp_path / 'test.npz')
    mixed = load_predictions(tmp_path / 'mix/test.npz')
    assert mixed.paths == predicted.paths
    np.testing.assert_allclose(
        mixed.probabilities, predicted.probabilities, atol=1e-4
    )


def test_val_accuracy_stands_beside_test_and_a_worse_mixture_is_warned_about(
    run_main, tmp_path, capsys, monkeypatch
):
    said = []
    monkeypatch.setattr(
        'mmengine.logging.print_log', lambda text, *_, **__: said.append(text)
    )
    paths = tuple('abcd')
    for split in ('val', 'test'):
        for part, labels in (
            ('student', [1, 1, 0, 0]),
            ('clip', [0, 0, 1, 1]),
        ):
            save_predictions(
                tmp_path / f'{part}_{split}.npz',
                Predictions(
                    probabilities=np.eye(2, dtype=np.float32)[labels],
                    labels=np.array([0, 0, 1, 1]),
                    paths=tuple(f'{split}/{path}' for path in paths),
                ),
            )
    (tmp_path / 'train.txt').write_text('a 0\nb 1\n')
    arguments = [
        part
        for split in ('val', 'test')
        for part in (
            f'--{split}',
            tmp_path / f'student_{split}.npz',
            tmp_path / f'clip_{split}.npz',
        )
    ]
    for alpha, gain in ((0.1, '+0.0'), (0.9, '-100.0')):
        run_main(
            'tools/analysis_tools/tune_ensemble.py',
            *arguments,
            *('--class-counts', tmp_path / 'train.txt', '-o', tmp_path),
            *('--alphas', alpha, '--scales', 1.0),
        )
        printed = capsys.readouterr().out
        assert '| method | many | medium | few | all | val all |' in printed
        assert f'{gain} points over clip on 4 val images' in printed
    (warning,) = said  # of the second mixture
    assert 'the best mixture is 100.0 points below clip alone' in warning
    found = json.loads((tmp_path / 'ensemble.json').read_text())
    assert [row['all'] for row in found['chosen_on_val']] == [0, 100, 0]


def test_val_images_in_the_test_set_are_refused(
    run_main, predictions, toy_root, tmp_path
):
    with pytest.raises(SystemExit, match=r'is in val and in test'):
        run_main(
            'tools/analysis_tools/tune_ensemble.py',
            *('--val', *predictions['val'], '--test', *predictions['val']),
            *('--class-counts', toy_root / 'train.txt', '-o', tmp_path),
        )
