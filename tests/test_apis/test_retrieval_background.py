"""Background classes, own text features and automatic budgets."""

from dataclasses import replace

import numpy as np
import pytest
from stress.kill_embedding import write_memory
from stress.kill_retrieval import NAMES

from ltvl_mm import embed, retrieve
from ltvl_mm.apis import prepare_retrieval
from ltvl_mm.apis.retrieval_settings import RetrievalSettings
from ltvl_mm.retrieval.task import RetrievalOptions
from ltvl_mm.structures.class_queries import load_queries, save_queries


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


def test_background_is_built_in_for_few_classes(store, settings, tmp_path):
    manifest = retrieve(store, tmp_path, RetrievalSettings(**settings))
    recorded = manifest.source['background']
    assert recorded['source'] == 'builtin'
    assert len(recorded['names']) + len(recorded['left_out']) > 1000
    assert manifest.class_names == tuple(NAMES)
    again = prepare_retrieval(store, tmp_path, RetrievalSettings(**settings))
    assert again.background.describe() == recorded
    with pytest.raises(ValueError, match='begun with other background'):
        prepare_retrieval(
            store, tmp_path, RetrievalSettings(**settings, background='none')
        )


def test_background_may_be_none_a_file_or_text_features(
    store, settings, tmp_path, monkeypatch
):
    # Random towers: any two names may be near-synonyms.
    monkeypatch.setattr(
        'ltvl_mm.apis.background_cleaning.find_synonyms', lambda *_, **__: {}
    )

    def prepare(background, **how):
        return prepare_retrieval(
            store,
            tmp_path / 'out',
            RetrievalSettings(**settings, background=background),
            **how,
        ).background

    assert prepare('none') is None
    (tmp_path / 'names.txt').write_text(f'anvil\n{NAMES[0]}\nzither\n')
    found = prepare(str(tmp_path / 'names.txt'), dry_run=True)
    assert found.queries.class_names == ('anvil', 'zither')
    assert NAMES[0] in found.left_out
    (tmp_path / 'same.txt').write_text(f'{NAMES[0]}\n')
    with pytest.raises(ValueError, match='all 1 background classes'):
        prepare(str(tmp_path / 'same.txt'), dry_run=True)
    other = prepare_retrieval(
        store,
        tmp_path / 'other',
        RetrievalSettings(
            **settings | {'class_names': ['anvil', 'zither']},
            background='none',
        ),
    )
    features = str(tmp_path / 'other/queries.npz')
    names = prepare(features, dry_run=True).queries.class_names
    assert names == other.queries.class_names


def test_a_background_name_counts_once(store, settings, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        'ltvl_mm.apis.background_cleaning.print_log',
        lambda text, *_, **__: said.append(text),
    )
    manifests = []
    for name, text in (('once', 'tree'), ('often', 'tree\nTREE\n tree')):
        file = tmp_path / f'{name}.txt'
        file.write_text(f'{text}\nstone\n')
        manifests.append(
            retrieve(
                store,
                tmp_path / name,
                RetrievalSettings(**settings, background=str(file)),
            )
        )
    once, often = manifests
    assert np.array_equal(once.score, often.score)
    assert often.source['background']['names'] == ['tree', 'stone']
    (message,) = said
    assert '2 background names of often.txt repeat' in message


def test_few_background_names_are_judged_by_the_mean_of_others(
    store, settings, tmp_path, monkeypatch
):
    means = []

    def find(*_, mean):
        means.append(mean)
        return {}

    monkeypatch.setattr('ltvl_mm.apis.background_cleaning.find_synonyms', find)
    (tmp_path / 'few.txt').write_text('anvil\nzither\n')
    for background in (str(tmp_path / 'few.txt'), 'builtin'):
        prepare_retrieval(
            store,
            tmp_path / 'out',
            RetrievalSettings(**settings, background=background),
            dry_run=True,
        )
    assert means[0].shape == (128,)
    assert means[1] is None


def test_wrong_files_are_found_before_clip_is_loaded(
    store, settings, tmp_path, monkeypatch
):
    def fail(*_, **__):
        raise AssertionError('CLIP was built')

    monkeypatch.setattr('ltvl_mm.apis.image_retrieval.FrozenCLIP', fail)
    for background in ('missing.txt', 'missing.npz'):
        match = f'--background must be builtin, none, .* {background!r}: '
        with pytest.raises(ValueError, match=match):
            prepare_retrieval(
                store,
                tmp_path / 'out',
                RetrievalSettings(**settings, background=background),
                dry_run=True,
            )


def test_text_features_of_another_width_are_named(
    store, settings, tmp_path, weights
):
    retrieve(
        store,
        tmp_path / 'names',
        RetrievalSettings(**settings, background='none'),
    )
    queries = load_queries(tmp_path / 'names/queries.npz')
    narrow = replace(
        queries,
        embeddings=np.eye(7, dtype=np.float32)[np.arange(len(NAMES)) % 7],
    )
    save_queries(tmp_path / 'narrow.npz', narrow)
    given = {key: settings[key] for key in ('exclude', 'budget', 'options')}
    match = r'class queries of .*narrow\.npz have embeddings of width 7, and '
    with pytest.raises(ValueError, match=match + 'the store .* of width 128'):
        prepare_retrieval(
            store,
            tmp_path / 'out',
            RetrievalSettings(**given, queries=tmp_path / 'narrow.npz'),
            dry_run=True,
        )
    match = r'background classes of .*narrow\.npz have embeddings of width 7'
    with pytest.raises(ValueError, match=match):
        prepare_retrieval(
            store,
            tmp_path / 'out',
            RetrievalSettings(
                **settings, background=str(tmp_path / 'narrow.npz')
            ),
            dry_run=True,
        )


def test_templates_per_class_resume_but_have_no_background_names(
    store, settings, tmp_path
):
    settings['templates'] = [[f'a {name}', name] for name in NAMES]
    first, again = (
        prepare_retrieval(
            store, tmp_path, RetrievalSettings(**settings, background='none')
        )
        for _ in range(2)
    )
    assert again.queries.fingerprint == first.queries.fingerprint
    with pytest.raises(ValueError, match='templates are lists of sentences'):
        prepare_retrieval(
            store,
            tmp_path,
            RetrievalSettings(**settings, background='builtin'),
        )
    settings['templates'][0] = ['another']
    with pytest.raises(ValueError, match='begun with another class list'):
        prepare_retrieval(
            store, tmp_path, RetrievalSettings(**settings, background='none')
        )


def test_text_features_need_no_weights(store, settings, tmp_path, monkeypatch):
    names = retrieve(
        store,
        tmp_path / 'names',
        RetrievalSettings(**settings, background='none'),
    )
    given = str(tmp_path / 'names/queries.npz')
    for name in ('class_names', 'pretrained', 'templates'):
        del settings[name]

    def fail(*_, **__):
        raise AssertionError('CLIP was built')

    monkeypatch.setattr('ltvl_mm.apis.image_retrieval.FrozenCLIP', fail)
    found = retrieve(
        store, tmp_path / 'out', RetrievalSettings(**settings, queries=given)
    )
    assert found.key == names.key
    assert np.array_equal(found.score, names.score)
    retrieve(
        store, tmp_path / 'out', RetrievalSettings(**settings, queries=given)
    )  # resumes
    for background in ('builtin', 'none.txt'):
        with pytest.raises(ValueError, match='as text features of the same'):
            prepare_retrieval(
                store,
                tmp_path / 'more',
                RetrievalSettings(
                    **settings, queries=given, background=background
                ),
                dry_run=True,
            )
    settings['options'] = RetrievalOptions()
    with pytest.raises(ValueError, match='have no logit scale'):
        retrieve(
            store,
            tmp_path / 'new',
            RetrievalSettings(**settings, queries=given),
        )
    with pytest.raises(ValueError, match='give class_names, or queries'):
        retrieve(store, tmp_path / 'new', RetrievalSettings(**settings))


def test_an_automatic_budget_needs_calibrated_probabilities(
    store, settings, tmp_path
):
    settings = settings | {'budget': 'auto'}
    with pytest.raises(ValueError, match='estimated with val images'):
        prepare_retrieval(
            store, tmp_path, RetrievalSettings(**settings), dry_run=True
        )
    val = tmp_path / 'val.txt'
    keys = store.read_metadata(np.arange(12), ('image_path',))['image_path']
    val.write_text(
        ''.join(f'{key} {n % len(NAMES)}\n' for n, key in enumerate(keys))
    )
    with pytest.raises(ValueError, match='needs a temperature that is fitted'):
        prepare_retrieval(
            store,
            tmp_path,
            RetrievalSettings(**settings, val=(store, val)),
            dry_run=True,
        )
    settings['options'] = RetrievalOptions(min_precision=0.3)
    task = prepare_retrieval(
        store,
        tmp_path,
        RetrievalSettings(**settings, background='none', val=(store, val)),
        dry_run=True,
    )
    assert task.budget.tolist() == [300] * len(NAMES)
    assert task.options.min_precision == 0.3
    assert task.options.temperature > 0.07
    del settings['budget']
    with pytest.raises(ValueError, match='needs probabilities that are'):
        prepare_retrieval(
            store, tmp_path, RetrievalSettings(**settings), dry_run=True
        )
