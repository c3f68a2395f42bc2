"""The stages of a run, with tools that only write empty files."""

from itertools import pairwise
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image
from stress.kill_embedding import write_memory

import ltvl_mm
from ltvl_mm.apis.tackle_run import run as run_module
from ltvl_mm.apis.tackle_run.stage_builder import find_tools
from ltvl_mm.registry import DATASETS, MODELS

# Writes what a tool leaves, and dies in the call that DIE_AT says.
FAKE = """
import os, sys
out = os.environ['CALLS']
with open(out, 'a') as file:
    file.write(os.path.basename(sys.argv[0]) + '\\n')
number = len(open(out).readlines())
def touch(*parts):
    path = os.path.join(*parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, 'a').close()
words = [part for word in sys.argv[1:] for part in word.split('=', 1)]
def value(name):
    return words[words.index(name) + 1] if name in words else None
tool = os.path.basename(sys.argv[0])
folder = value('-o') or value('--work-dir')
if tool == 'train.py':
    os.makedirs(folder, exist_ok=True)
if number == int(os.environ.get('DIE_AT', 0)):
    os._exit(9)
if tool == 'train.py':
    touch(folder, 'last_checkpoint')
if tool == 'test.py':
    touch(value('--out'))
    if value('--predictions'):
        touch(value('--predictions'))
if tool == 'embed_images.py':
    touch(folder, 'store.json')
if tool == 'retrieve.py':
    touch(folder, 'manifest.parquet')
if tool == 'check_retrieval.py':
    touch(sys.argv[1], 'quality.json')
if tool == 'tune_ensemble.py':
    touch(folder, 'ensemble.json')
if tool == 'report.py':
    touch(folder)
"""
STUDENT = """
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet', depth=18, num_stages=1, out_indices=(0,),
        strides=(1,), dilations=(1,), base_channels=8, stem_channels=8,
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead', num_classes=1000, in_channels=8,
        loss=dict(type='CrossEntropyLoss'), topk=(1, 5),
    ),
)
data_preprocessor = dict(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.4, momentum=0.9))
train_dataloader = dict(batch_size=128)
"""
STAGES = [
    'test.py',
    'embed_images.py',
    'embed_images.py',
    'retrieve.py',
    'check_retrieval.py',
    'test.py',
    'train.py',
    'test.py',
    'train.py',
    'test.py',
    'test.py',
    'tune_ensemble.py',
    'test.py',
    'tune_ensemble.py',
    'report.py',
]


@pytest.fixture(scope='module')
def inputs(tmp_path_factory):
    """Folder of photos, web images, a CLIP, a student and fake tools."""
    folder = tmp_path_factory.mktemp('inputs')
    write_memory(folder, tars=2)
    number = 0
    for name, count in (('big_cat', 12), ('dog', 6), ('owl', 1)):
        for image in range(count):
            file = folder / 'photos' / name / f'{image}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new('RGB', (40, 30), (number, 9, 9)).save(file)
            number += 9
    (folder / 'student.py').write_text(STUDENT)
    for name in {*STAGES}:
        inner = 'analysis_tools' if name[:4] in ('chec', 'tune') else ''
        tool = folder / 'tools' / inner / name
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text(FAKE)
    return folder


@pytest.fixture
def run(inputs, tmp_path, monkeypatch):
    """Function that runs with fake tools; returns the tools called."""
    calls = tmp_path / 'calls'
    monkeypatch.setenv('CALLS', str(calls))
    monkeypatch.setattr(
        'ltvl_mm.apis.tackle_run.run_preparation.find_tools',
        lambda: inputs / 'tools',
    )
    for name in ('describe_zero_shot', 'describe_retrieval'):
        monkeypatch.setattr(run_module, name, lambda *args, name=name: name)
    monkeypatch.setattr(run_module, 'describe_scores', lambda *args: 'scores')
    sentences = lambda *args: ('One.', 'Two.', 'Three.')  # noqa: E731
    monkeypatch.setattr(run_module, 'judge_runs', sentences)

    def call(*, lines=None, die_at=0, **settings):
        monkeypatch.setenv('DIE_AT', str(die_at))
        calls.write_text('')
        settings = {
            'web': inputs / 'memory',
            'clip': f'ltvl-toy:{inputs / "clip.pt"}',
            'templates': 'single',
            'student': str(inputs / 'student.py'),
            'iterations': 10,
            'batch_size': 8,
        } | settings
        found = ltvl_mm.run_tackle(
            inputs / 'photos',
            out=tmp_path / 'out',
            say=(lines if lines is not None else []).append,
            **settings,
        )
        return found, calls.read_text().split()

    return call


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


def test_a_dry_run_writes_nothing_and_says_what_it_would_cost(run, tmp_path):
    found, calls = run(dry_run=True)
    assert calls == []
    assert not (tmp_path / 'out').exists()
    for text in (
        '3 classes',
        '| retrieve |',
        'disk      about',
        'downloads none',
        'python',
        'train.py',
    ):
        assert text in found['plan']


def test_the_recipe_reaches_the_training_with_retrieved_images_only(run):
    for settings in ({}, {'recipe': 'filtered:0.3'}):
        plan = run(dry_run=True, **settings)[0]['plan']
        trainings = [line for line in plan.splitlines() if 'train.py' in line]
        recipe = settings.get('recipe', 'auto')
        with_recipe = [f'--recipe={recipe}' in line for line in trainings]
        assert with_recipe == [False, True]


def test_the_ensemble_has_a_baseline_without_retrieved_images(run):
    plan = run(dry_run=True)[0]['plan']
    assert '| tune ensemble without retrieved images |' in plan
    lines = []
    run(lines=lines, methods=('tackle', 'zero_shot'))
    assert 'no student was trained without retrieved images' in '\n'.join(
        lines
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


def test_names_that_clip_cannot_read_are_refused(run, inputs, tmp_path):
    names = tmp_path / 'names.txt'
    names.write_text(f'{"very " * 30}big cat\ndog\nowl\n')
    with pytest.raises(ValueError, match='is too long: its prompt'):
        run(class_names=names)
    assert not (tmp_path / 'out').exists()


def test_several_gpus_train_with_the_launcher(run):
    found, _ = run(dry_run=True, gpus=2)
    assert 'dist_train.sh' in found['plan']
    assert 'torch.distributed.run --nproc-per-node=2' in found['plan']


@pytest.mark.parametrize(
    ('settings', 'match'),
    [
        (dict(web=()), 'tackle needs web images'),
        (dict(methods=('tackel',)), 'methods must be some of'),
        (dict(clip='ViT-B-32'), 'ARCH:TAG_OR_FILE'),
        (dict(clip='ltvl-toy:none.pt'), 'there is no checkpoint none.pt'),
        (dict(clip='ViT-B-32:opnai'), 'nor a tag of ViT-B-32'),
        (dict(student='resnet5'), 'not a model of mmpretrain; did you mean'),
        (dict(budget='balance_to:1'), 'asks for no web image'),
        (dict(web='nowhere'), 'nowhere'),
        (dict(templates='none'), 'templates must be'),
        (dict(epochs=3), 'epochs or iterations, not both'),
        (dict(batch_size=5, gpus=2), 'evenly'),
        (dict(device='tpu'), 'cpu or cuda'),
        (dict(recipe='best'), 'recipe must be auto, or one or several'),
        (dict(recipe='soft_labels'), 'needs soft labels, which a run does'),
    ],
)
def test_what_is_missing_is_named_before_anything_is_written(
    run, tmp_path, settings, match
):
    with pytest.raises(ValueError, match=match):
        run(**settings)
    assert not (tmp_path / 'out').exists()


def test_the_tools_of_the_clone_are_found():
    assert (find_tools() / 'run_tackle.py').is_file()
