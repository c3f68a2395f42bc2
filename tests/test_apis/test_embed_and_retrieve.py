import json
from dataclasses import replace

import numpy as np
import pytest
from stress.kill_embedding import write_memory
from stress.kill_retrieval import NAMES
from toy_clip import write_toy_classifier

from ltvl_mm import embed, retrieve
from ltvl_mm.apis import prepare_retrieval
from ltvl_mm.apis.retrieval_settings import RetrievalSettings
from ltvl_mm.retrieval.task import RetrievalOptions


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    """Folder with six tars of random images, and the weights of a CLIP."""
    folder = tmp_path_factory.mktemp('apis')
    write_memory(folder, tars=6)
    return folder


@pytest.fixture(scope='module')
def weights(work):
    return dict(pretrained=str(work / 'clip.pt'))


@pytest.fixture(scope='module')
def store(work, weights):
    return embed(
        work / 'memory', work / 'store', arch='ltvl-toy', workers=0, **weights
    )


@pytest.fixture
def settings(weights):
    return dict(
        class_names=NAMES,
        exclude=None,
        budget=3,
        templates='single',
        options=RetrievalOptions(temperature=0.05),
        **weights,
    )


def test_inputs_are_one_or_several(work, store, tmp_path, weights):
    tars = sorted((work / 'memory').iterdir())
    other = embed(tars, tmp_path, arch='ltvl-toy', workers=0, **weights)
    assert other.fingerprint == store.fingerprint
    assert len(store) + sum(len(part.bad) for part in store.parts) == 48


def test_an_opened_store_serves_as_well_as_its_folder(
    store, settings, tmp_path
):
    one = retrieve(store, tmp_path / 'one', RetrievalSettings(**settings))
    retrieve(store.root, tmp_path / 'other', RetrievalSettings(**settings))
    assert one.count_classes().tolist() == [3] * len(NAMES)
    assert one.source['temperature'] == 0.05
    assert one.source['temperature_source'] == {'source': 'given'}
    report = json.loads((tmp_path / 'one' / 'report.json').read_text())
    assert report['temperature'] == 0.05
    assert report['temperature_source'] == {'source': 'given'}
    # A folder that an earlier version began, without a source, resumes.
    begun = json.loads((tmp_path / 'one' / 'settings.json').read_text())
    assert 'temperature_source' not in begun
    for name in ('manifest.parquet', 'report.json', 'queries.npz'):
        assert (tmp_path / 'one' / name).read_bytes() == (
            tmp_path / 'other' / name
        ).read_bytes()


def test_no_copy_of_excluded_images_is_retrieved(store, settings, tmp_path):
    # The store itself: all that it has is a copy of what it has.
    with pytest.raises(
        ValueError,
        match=r'no images were retrieved .* near-duplicates of excluded '
        rf'images \({len(store)} images\)',
    ):
        retrieve(
            store,
            tmp_path,
            RetrievalSettings(**settings | {'exclude': [store]}),
        )
    assert not (tmp_path / 'manifest.parquet').exists()


def test_nothing_to_exclude_has_to_be_said(store, settings, tmp_path):
    with pytest.raises(ValueError, match='exclude holds no store'):
        retrieve(
            store, tmp_path, RetrievalSettings(**settings | {'exclude': []})
        )
    del settings['exclude']
    with pytest.raises(TypeError, match='exclude'):
        retrieve(store, tmp_path, RetrievalSettings(**settings))


def test_budgets_come_as_numbers_files_and_rules(store, settings, tmp_path):
    numbers = list(range(len(NAMES)))
    (tmp_path / 'budget.json').write_text(json.dumps(numbers))
    for rule in (numbers, tmp_path / 'budget.json'):
        task = prepare_retrieval(
            store,
            tmp_path,
            RetrievalSettings(**settings | {'budget': rule}),
            dry_run=True,
        )
        assert task.budget.tolist() == numbers
    task = prepare_retrieval(
        store,
        tmp_path,
        RetrievalSettings(
            **settings | {'budget': 'balance_to:8'}, class_counts=numbers
        ),
        dry_run=True,
    )
    assert task.budget.tolist() == [max(0, 8 - n) for n in numbers]
    assert not (tmp_path / 'queries.npz').exists()


def test_a_wrong_budget_is_found_before_anything_is_written(
    store, settings, tmp_path
):
    with pytest.raises(ValueError, match='the budget must be'):
        retrieve(
            store,
            tmp_path / 'out',
            RetrievalSettings(**settings | {'budget': 'many'}),
        )
    assert not (tmp_path / 'out').exists()


def test_an_old_wording_is_accepted_if_it_means_the_same(
    store, settings, tmp_path
):
    def reword(size):
        words = f'short side {size} bicubic, center crop, CLIP mean and std'
        return replace(store, encoder=store.encoder | {'preprocessing': words})

    prepare_retrieval(reword(32), tmp_path, RetrievalSettings(**settings))
    message = r'preprocessing is .short side 48 .* embed the images again'
    with pytest.raises(ValueError, match=message):
        prepare_retrieval(reword(48), tmp_path, RetrievalSettings(**settings))


def test_a_folder_belongs_to_its_classes(store, settings, tmp_path):
    prepare_retrieval(store, tmp_path, RetrievalSettings(**settings))
    before = (tmp_path / 'queries.npz').read_bytes()
    prepare_retrieval(store, tmp_path, RetrievalSettings(**settings))
    assert (tmp_path / 'queries.npz').read_bytes() == before
    settings['class_names'] = [*NAMES[1:], 'another']
    with pytest.raises(ValueError, match='begun with another class list'):
        prepare_retrieval(store, tmp_path, RetrievalSettings(**settings))


def test_an_unfinished_store_is_refused(settings, tmp_path):
    with pytest.raises(ValueError, match='no complete embedding store'):
        retrieve(tmp_path, tmp_path / 'out', RetrievalSettings(**settings))


@pytest.mark.parametrize(
    'wrong', [dict(batch_size=0), dict(shard_size=0), dict(workers=-1)]
)
def test_sizes_are_checked_before_anything_is_read(wrong, tmp_path):
    (name,) = wrong
    with pytest.raises(ValueError, match=f'{name} must be >= '):
        embed('missing', tmp_path / 'out', **wrong)
    assert not (tmp_path / 'out').exists()


def test_the_temperature_is_the_encoders_own_by_default(
    store, settings, tmp_path
):
    del settings['options']
    task = prepare_retrieval(
        store, tmp_path, RetrievalSettings(**settings), dry_run=True
    )
    # open_clip's towers begin with a scale of 1 / 0.07.
    assert task.options.temperature == 0.07
    assert task.temperature_source == {'source': 'encoder'}


def test_the_temperature_is_fitted_to_val_images(
    store, settings, tmp_path, monkeypatch
):
    settings['options'] = RetrievalOptions(temperature='auto')
    settings['background'] = 'none'  # compare the classes alone
    with pytest.raises(ValueError, match='--val STORE LIST'):
        prepare_retrieval(
            store, tmp_path, RetrievalSettings(**settings), dry_run=True
        )
    keys = store.read_metadata(np.arange(12), ('image_path',))['image_path']
    val = tmp_path / 'val.txt'
    val.write_text(
        ''.join(f'{key} {n % len(NAMES)}\n' for n, key in enumerate(keys))
    )
    task = prepare_retrieval(
        store,
        tmp_path,
        RetrievalSettings(**settings, val=(store, val)),
        dry_run=True,
    )
    # Random towers: labels say nothing, so all classes are equally likely.
    assert task.options.temperature > 0.07
    assert task.temperature_source == {'source': 'val', 'val_images': 12}
    # By default only with background names, which make all p small, and with
    # enough images.
    module = 'ltvl_mm.apis.retrieval_temperature'
    monkeypatch.setattr(f'{module}.fit_temperature', lambda *_: 0.2)
    for background, enough, is_fitted in (
        ('none', 12, False),
        ('builtin', 13, False),
        ('builtin', 12, True),
    ):
        monkeypatch.setattr(f'{module}.ENOUGH_VAL', enough)
        settings['background'] = background
        settings['options'] = RetrievalOptions()
        task = prepare_retrieval(
            store,
            tmp_path / f'{background}{enough}',
            RetrievalSettings(**settings, val=(store, val)),
            dry_run=True,
        )
        assert task.options.temperature == (0.2 if is_fitted else 0.07)
        assert (task.temperature_source['source'] == 'val') == is_fitted
    settings['background'] = 'none'
    settings['options'] = RetrievalOptions(temperature='auto')
    val.write_text('other.jpg 0\n')
    with pytest.raises(
        ValueError, match=r'1 of the 1 images .* not in the store'
    ):
        prepare_retrieval(
            store,
            tmp_path,
            RetrievalSettings(**settings, val=(store, val)),
            dry_run=True,
        )


def test_a_wrong_val_list_is_refused_before_clip_is_loaded(
    store, settings, tmp_path, monkeypatch
):
    module = 'ltvl_mm.apis.image_retrieval'
    monkeypatch.setattr(f'{module}.FrozenCLIP', None)
    val = tmp_path / 'val.txt'
    for text, match in (
        (
            'other.jpg 0',
            r'1 of the 1 images of .*val\.txt are not in the store',
        ),
        ('other.jpg 99', r'val\.txt, line 1: label 99 lies outside'),
    ):
        val.write_text(f'{text}\n')
        with pytest.raises(ValueError, match=match):
            prepare_retrieval(
                store,
                tmp_path / 'out',
                RetrievalSettings(**settings, val=(store, val)),
                dry_run=True,
            )


def test_a_wrong_encoder_leaves_the_folder_as_it_was(
    work, store, settings, tmp_path
):
    other = write_toy_classifier(work / 'other.pth', seed=3)
    wrong = settings | {'pretrained': str(other)}
    with pytest.raises(ValueError, match='come from different encoders'):
        retrieve(store, tmp_path / 'out', RetrievalSettings(**wrong))
    assert len(
        retrieve(store, tmp_path / 'out', RetrievalSettings(**settings))
    )
