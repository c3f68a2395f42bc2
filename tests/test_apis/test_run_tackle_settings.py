"""Settings of a run: checked, passed on and costed."""

import pytest
from fake_run import make_fake_run, write_inputs

from ltvl_mm.apis.tackle_run.stage_builder import find_tools


@pytest.fixture(scope='module')
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory)


@pytest.fixture
def run(inputs, tmp_path, monkeypatch):
    return make_fake_run(inputs, tmp_path, monkeypatch)


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


@pytest.mark.parametrize(
    ('settings', 'expected', 'absent'),
    [
        ({}, ('--val',), ('--temperature', '--min-precision')),
        ({'temperature': 0.02}, ('--temperature=0.02',), ('--val',)),
        ({'temperature': 'auto'}, ('--val', '--temperature=auto'), ()),
        (
            {'budget': 'auto', 'min_precision': 0.9},
            ('--budget=auto', '--val', '--min-precision=0.9'),
            ('--temperature',),
        ),
    ],
)
def test_a_retrieval_that_is_fitted_to_val_gets_its_images(
    run, settings, expected, absent
):
    plan = run(dry_run=True, **settings)[0]['plan']
    lines = [line for line in plan.splitlines() if 'retrieve.py' in line]
    (line,) = [line for line in lines if '--class-counts' in line]
    for text in expected:
        assert text in line
    for text in absent:
        assert text not in line
    if '--val' in expected:
        after = line.split('--val ')[1].split()
        assert after[0].endswith('stores/held_out')
        assert after[1].endswith('lists/val.txt')


def test_the_ensemble_has_a_baseline_without_retrieved_images(run):
    plan = run(dry_run=True)[0]['plan']
    assert '| tune ensemble without retrieved images |' in plan
    lines = []
    run(lines=lines, methods=('tackle', 'zero_shot'))
    assert 'no student was trained without retrieved images' in '\n'.join(
        lines
    )


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
        (dict(min_precision=0.9), "bounds the images of budget 'auto'"),
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
