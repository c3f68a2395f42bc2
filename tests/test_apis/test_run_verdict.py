import numpy as np
import pytest
from small_inputs import write_manifest

from ltvl_mm.apis.tackle_run.run_verdict import (
    describe_scores,
    describe_zero_shot,
    judge_runs,
)
from ltvl_mm.structures.predictions import save_predictions, sort_predictions
from ltvl_mm.utils.io import write_json

NAMES = ('cat', 'dog', 'owl')
COUNTS = np.array([150, 50, 5])
LABELS = np.repeat([0, 1, 2], 40)


@pytest.fixture
def write(tmp_path):
    """Function that writes predictions of which some are correct."""

    def run(name, correct, file='test.npz'):
        right = np.arange(40) < np.array(correct)[:, None]  # (3, 40)
        pred = np.where(right.ravel(), LABELS, (LABELS + 1) % 3)
        folder = tmp_path / name
        folder.mkdir()
        save_predictions(
            folder / file,
            sort_predictions(
                np.eye(3)[pred], LABELS, [f'{n:03d}.jpg' for n in range(120)]
            ),
        )
        return folder

    return run


def make_retrieval(tmp_path, warnings):
    folder = tmp_path / 'retrieved'
    write_manifest(folder, NAMES, [1, 2, 2])
    write_json(
        folder / 'quality.json',
        {
            'precision': {'all': 80.0},
            'warnings': warnings,
            'classes': [{'name': name} for name in NAMES],
        },
    )
    wanted = [{'wanted': number} for number in (0, 0, 45)]  # balance_to:50
    write_json(folder / 'report.json', {'classes': wanted})
    return folder


def test_the_verdict_says_what_changed_for_whom_and_what_to_do(
    write, tmp_path
):
    runs = write('student', [36, 20, 4]), write('tackle', [30, 20, 28])
    sentences = judge_runs(
        *runs, make_retrieval(tmp_path, []), COUNTS, ('r18', 'r18 + web')
    )
    # (30 + 20 + 28) / 120 is 65 %, (36 + 20 + 4) / 120 is 50 %.
    assert sentences[0].startswith(
        '3 retrieved images help: r18 + web classifies 65.0 % of the test '
        'images correctly, 15.0 points more than r18'
    )
    assert 'Few-shot classes gain, +60.0 points' in sentences[1]
    assert 'many-shot classes lose, -15.0 points' in sentences[1]
    assert sentences[2].startswith('Next: many-shot classes lose, so ')
    assert '(--budget balance_to:25)' in sentences[2]


def test_a_poor_retrieval_is_the_next_step(write, tmp_path):
    runs = write('student', [36, 20, 4]), write('tackle', [30, 14, 4])
    poor = dict(kind='zero_shot', reason='CLIP guesses', remedies=['Rename.'])
    sentences = judge_runs(
        *runs, make_retrieval(tmp_path, [poor]), COUNTS, ('a', 'b')
    )
    assert 'hurt' in sentences[0]
    assert 'because CLIP guesses. Rename.' in sentences[2]


def test_scores_of_models_and_of_their_ensemble(write, tmp_path):
    student, mixed = write('student', [40, 20, 0]), tmp_path / 'ensemble'
    write_json(mixed / 'metrics.json', {'shot/many': 90.0, 'shot/all': 70.0})
    table = describe_scores(
        [(student, 'r18'), (mixed, 'both'), (tmp_path / 'none', 'x')], COUNTS
    )
    assert table.splitlines()[2:] == [
        '| r18 | 100.0 | 50.0 | 0.0 | 50.0 |',
        '| both | 90.0 | – | – | 70.0 |',
    ]


@pytest.mark.parametrize(
    ('correct', 'warns'), [([30, 30, 30], False), ([30, 30, 0], True)]
)
def test_clip_on_val_and_a_warning_if_it_guesses(write, correct, warns):
    folder = write('zero_shot', correct, 'val.npz')
    text = describe_zero_shot(folder / 'val.npz', COUNTS, NAMES)
    assert '| CLIP on val | 75.0 |' in text
    assert ('WARNING: CLIP recognizes 0.0 %' in text) == warns
    assert ("'owl'" in text) == warns
