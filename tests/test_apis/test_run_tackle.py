"""The stages of a run, with tools that only write empty files."""

from itertools import pairwise
from pathlib import Path

import pytest
from fake_run import STAGES, make_fake_run, write_inputs
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ltvl_mm.apis.tackle_run import run as run_module
from ltvl_mm.registry import DATASETS, MODELS


@pytest.fixture(scope='module')
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory)


@pytest.fixture
def run(inputs, tmp_path, monkeypatch):
    return make_fake_run(inputs, tmp_path, monkeypatch)


@pytest.fixture
def prepared_once(run, monkeypatch):
    """Check the inputs in the first run only: it takes a second."""
    prepare, found = run_module.prepare_run, []

    def prepare_run(settings):
        if not found:
            found.append(prepare(settings))
        return found[0]

    monkeypatch.setattr(run_module, 'prepare_run', prepare_run)


def test_all_stages_run_once_and_end_with_a_verdict(run, tmp_path):
    lines = []
    found, calls = run(lines=lines)
    assert calls == STAGES
    assert found['verdict'] == ['One.', 'Two.', 'Three.']
    text = '\n'.join(lines)
    # CLIP is measured before anything is embedded.
    assert text.index('describe_zero_shot') < text.index('[2/15]')
    assert text.index('describe_retrieval') < text.index('train student')
    assert '1 class has no test image, because there are too few: owl' in text
    assert 'analysis_tools/check_retrieval.py' in text
    assert run()[1] == []


@pytest.mark.usefixtures('prepared_once')
def test_killed_in_any_stage_it_resumes_there(run, tmp_path):
    with pytest.raises(RuntimeError, match='failed; log:'):
        run(die_at=1)
    for killed, following in pairwise(STAGES):
        # The killed stage is finished, and the next one dies.
        with pytest.raises(RuntimeError, match='failed; log:'):
            run(die_at=2)
        calls = (tmp_path / 'calls').read_text().split()
        assert calls == [killed, following]
    assert run()[1] == STAGES[-1:]
    assert run()[1] == []


def test_edited_names_redo_what_depends_on_them(run, tmp_path):
    run()
    names = tmp_path / 'out/lists/class_names.txt'
    assert names.read_text() == 'big cat\ndog\nowl\n'
    names.write_text('lynx\ndog\nowl\n')
    (tmp_path / 'out/retrieved/old.jpg').touch()
    _, calls = run()
    assert names.read_text() == 'lynx\ndog\nowl\n'
    # Neither embeddings nor the student on photos alone.
    assert calls.count('embed_images.py') == 0
    assert calls.count('train.py') == 1
    assert calls.count('retrieve.py') == 1
    assert not (tmp_path / 'out/retrieved/old.jpg').exists()
    names.write_text('lynx\ndog\n')
    with pytest.raises(ValueError, match='2 names for 3 classes'):
        run()


def test_both_students_train_for_equal_iterations(run, tmp_path):
    run()
    configs = tmp_path / 'out/configs'
    student = Config.fromfile(configs / 'student.py')
    tackle = Config.fromfile(configs / 'tackle.py')
    for one in (student, tackle):
        sampler = one.train_dataloader.sampler
        assert sampler.type == 'ltvl_mm.FixedEpochSampler'
        steps = sampler.epoch_size // one.train_dataloader.batch_size
        assert steps * one.train_cfg.max_epochs == 10
    assert tackle.train_dataloader.dataset.type == 'ltvl_mm.TACKLEDataset'
    assert tackle.optim_wrapper == student.optim_wrapper
    # SGD's rate of 0.4 is for 128 images.
    assert student.optim_wrapper.optimizer.lr == 0.025
    assert student.model.head.num_classes == 3


def test_configs_are_built_as_they_are_written(run, tmp_path):
    run(methods=('student', 'ballad'), web=())
    for name in ('student', 'zero_shot', 'ballad_a'):
        cfg = Config.fromfile(tmp_path / f'out/configs/{name}.py')
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            MODELS.build(cfg.model)
            dataset = DATASETS.build(cfg.test_dataloader.dataset)
        assert dataset.metainfo['classes'] == ('big cat', 'dog', 'owl')
        assert dataset[0]['inputs'].shape[0] == 3
    phase_b = Config.fromfile(tmp_path / 'out/configs/ballad_b.py')
    assert phase_b.model.neck.dim == 128
    assert phase_b.model.backbone.pretrained == str(
        tmp_path / 'out/runs/ballad_a'
    )


def test_a_poor_retrieval_stops_before_training(run, tmp_path, monkeypatch):
    poor = {'reason': 'CLIP knows nothing', 'remedies': ['Rename.']}
    read = run_module.read_json
    monkeypatch.setattr(
        run_module,
        'read_json',
        lambda file: (
            {'warnings': [poor]}
            if Path(file).name == 'quality.json'
            else read(file)
        ),
    )
    with pytest.raises(ValueError, match='before training, because CLIP kno'):
        run(stop_on_warning=True)
    assert not (tmp_path / 'out/runs/student').exists()
