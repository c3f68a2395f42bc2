import copy
import pickle
from pathlib import Path

import pytest
from mmengine.registry import DATASETS

from ltvl_mm.datasets.tackle import TACKLEDataset

LABELS = [0, 0, 0, 1, 1, 2]  # of the target
RETRIEVED = [0, 0, 1, 1, 1, 2]


@pytest.fixture
def config(target, manifest):
    """Config of the target and the retrieved images together."""
    return dict(
        type='ltvl_mm.TACKLEDataset', dataset=target, manifest=str(manifest)
    )


def wrap(target):
    """Return wrappers of mmengine and the labels that they have."""
    return {
        'RepeatDataset': (
            dict(type='RepeatDataset', times=2, dataset=target),
            LABELS * 2,
        ),
        'ConcatDataset': (
            dict(type='ConcatDataset', datasets=[target, target]),
            LABELS * 2,
        ),
        'KFoldDataset': (
            dict(type='mmpretrain.KFoldDataset', num_splits=3, dataset=target),
            [0, 1, 1, 2],
        ),
        # A class in a sixth of the images is repeated sqrt(6 / 2) times,
        # rounded up; the others, in a third or more, once or twice.
        'ClassBalancedDataset': (
            dict(
                type='ClassBalancedDataset',
                oversample_thr=1 / 3,
                dataset=target,
            ),
            [0, 0, 0, 1, 1, 2, 2],
        ),
    }


WRAPPERS = pytest.mark.parametrize(
    'wrapper',
    ['RepeatDataset', 'ConcatDataset', 'KFoldDataset', 'ClassBalancedDataset'],
)


def test_the_target_comes_first_then_the_manifest(config):
    dataset = DATASETS.build(config)
    assert len(dataset) == 12
    assert dataset.get_gt_labels().tolist() == LABELS + RETRIEVED
    assert [dataset.get_cat_ids(idx) for idx in range(12)] == [
        [label] for label in LABELS + RETRIEVED
    ]
    assert (
        dataset.CLASSES
        == dataset.metainfo['classes']
        == (
            'cat',
            'dog',
            'owl',
        )
    )
    assert '6 target + 6 retrieved samples, 3 classes' in repr(dataset)


def test_every_sample_says_where_it_comes_from(config):
    dataset = DATASETS.build(config)
    origins = ['target'] * 6 + ['retrieved'] * 6
    for idx, origin in enumerate(origins):
        info, sample = dataset.get_data_info(idx), dataset[idx]['data_samples']
        assert info['origin'] == sample.origin == origin
        assert info['sample_idx'] == idx
        assert info['img_path'] == sample.img_path
        assert info['gt_label'] == sample.gt_label.item()
        folder = 'target' if origin == 'target' else 'web'
        assert folder in Path(sample.img_path).parts
        assert Path(sample.img_path).stem == str(idx % 6)


def test_indices_count_from_either_end(config):
    dataset = DATASETS.build(config)
    for idx in range(12):
        back = idx - 12
        assert dataset.get_data_info(back) == dataset.get_data_info(idx)
        assert dataset.get_cat_ids(back) == dataset.get_cat_ids(idx)
        paths = [dataset[i]['data_samples'].img_path for i in (back, idx)]
        assert paths[0] == paths[1]
    for outside in (12, -13):
        with pytest.raises(IndexError, match='of 12 samples'):
            dataset[outside]


def test_a_config_is_left_as_it_was(config):
    before = copy.deepcopy(config)
    DATASETS.build(config)
    DATASETS.build({**config, 'lazy_init': True})
    assert config == before


def test_a_retrieved_folder_serves_as_well(target, manifest, config):
    due = DATASETS.build(config)
    # mmpretrain's name without its scope, as in a config file.
    target['type'] = 'CustomDataset'
    for retrieved in (manifest, str(manifest), manifest.parent):
        dataset = TACKLEDataset.from_retrieval(target, retrieved)
        assert [dataset.get_data_info(idx) for idx in range(12)] == [
            due.get_data_info(idx) for idx in range(12)
        ]
    manifest.unlink()  # written last: such a retrieval is not finished
    with pytest.raises(ValueError, match=r'manifest\.parquet does not exist'):
        TACKLEDataset.from_retrieval(target, manifest.parent)


def test_an_instance_serves_as_well_and_is_left_as_it_was(target, manifest):
    instance = DATASETS.build(target)
    dataset = TACKLEDataset(instance, str(manifest))
    assert dataset.dataset is instance
    assert len(dataset) == 12
    assert len(instance) == 6
    assert 'origin' not in instance.get_data_info(0)


@WRAPPERS
@pytest.mark.parametrize('built', [False, True])
def test_the_target_may_be_a_wrapper(wrapper, built, target, manifest):
    inner, labels = wrap(target)[wrapper]
    dataset = TACKLEDataset(
        DATASETS.build(inner) if built else inner, str(manifest)
    )
    assert dataset.get_gt_labels().tolist() == labels + RETRIEVED
    sample = dataset[len(labels)]['data_samples']
    assert (sample.origin, sample.gt_label.item()) == ('retrieved', 0)
    last = dataset[len(labels) - 1]['data_samples']
    assert (last.origin, last.gt_label.item()) == ('target', 2)


@pytest.mark.parametrize(
    'outer',
    [
        dict(type='RepeatDataset', times=2),
        dict(type='ClassBalancedDataset', oversample_thr=1e-3),
    ],
    ids=lambda outer: outer['type'],
)
def test_it_may_be_wrapped_itself(outer, config):
    dataset = DATASETS.build({**outer, 'dataset': config})
    assert len(dataset) == 12 * outer.get('times', 1)
    assert dataset.metainfo['classes'] == ('cat', 'dog', 'owl')
    assert dataset[11]['data_samples'].origin == 'retrieved'


@pytest.mark.parametrize('wrapper', [None, 'RepeatDataset', 'ConcatDataset'])
def test_lazy_init_reads_no_annotation_until_it_is_asked(
    wrapper, target, manifest
):
    inner = target if wrapper is None else wrap(target)[wrapper][0]
    Path(target['data_root'], 'train.txt').rename(
        Path(target['data_root'], 'later.txt')
    )
    if wrapper == 'ConcatDataset':  # reads its parts when they are built
        inner['datasets'] = [{**target, 'lazy_init': True}] * 2
    elif wrapper == 'RepeatDataset':
        inner['dataset'] = {**target, 'lazy_init': True}
    dataset = TACKLEDataset(inner, str(manifest), lazy_init=True)
    assert "Haven't been initialized" in repr(dataset)
    Path(target['data_root'], 'later.txt').rename(
        Path(target['data_root'], 'train.txt')
    )
    dataset.full_init()
    assert len(dataset) == (12 if wrapper is None else 18)


def test_a_copy_for_a_worker_loads_the_same(config):
    dataset = DATASETS.build(config)
    twin = pickle.loads(pickle.dumps(dataset))
    assert twin.get_gt_labels().tolist() == LABELS + RETRIEVED
    assert twin[11]['data_samples'].origin == 'retrieved'


def test_other_spelling_of_the_classes_is_possible_but_explicit(
    config, target
):
    target['classes'] = ['Felis catus', 'Canis lupus', 'Strix aluco']
    with pytest.raises(ValueError, match="is 'cat' there and 'Felis catus'"):
        DATASETS.build(config)
    names = ['cat', 'dog', 'owl']
    dataset = DATASETS.build({**config, 'class_names': names})
    assert dataset.CLASSES == tuple(target['classes'])
    with pytest.raises(ValueError, match=r'has 2 names, but .* 3 classes'):
        DATASETS.build({**config, 'class_names': names[:2]})


def test_another_number_of_classes_is_an_error(config, target):
    target['classes'] = ['cat', 'dog']
    with pytest.raises(ValueError, match=r'for 3 classes, but .* has 2'):
        DATASETS.build(config)


def test_a_label_outside_names_its_sample_and_image(config, target):
    with open(Path(target['data_root'], 'train.txt'), 'a') as file:
        file.write('images/5.png 3\n')
    message = r'sample 6 \(.*images/5\.png\): label 3 lies outside \[0, 3\)'
    with pytest.raises(ValueError, match=message):
        DATASETS.build(config)


def test_a_missing_manifest_or_image_root_is_an_error(config):
    with pytest.raises(ValueError, match=r'no\.parquet does not exist'):
        DATASETS.build({**config, 'manifest': 'no.parquet'})
    with pytest.raises(ValueError, match='the image root nowhere of the'):
        DATASETS.build({**config, 'image_root': 'nowhere'})


def test_a_wrong_root_is_found_before_training(config, target, tmp_path):
    message = r'first images of the manifest .* do not exist, .*check its root'
    with pytest.raises(ValueError, match=message):
        DATASETS.build({**config, 'image_root': str(tmp_path)})
    target['data_prefix'] = 'train'
    message = r'first images of the target data set do not exist, .*check its'
    with pytest.raises(ValueError, match=message):
        DATASETS.build(config)


def test_a_target_without_class_names_is_an_error(config, target):
    del target['classes']
    with pytest.raises(ValueError, match='does not name its classes'):
        DATASETS.build(config)


def test_a_target_that_is_no_data_set_is_an_error(manifest):
    with pytest.raises(ValueError, match='must be a config or a data set'):
        TACKLEDataset('train.txt', str(manifest))


def test_retrieved_samples_carry_their_score(config):
    dataset = DATASETS.build(config)
    for idx, item in enumerate(dataset):
        sample, info = item['data_samples'], dataset.get_data_info(idx)
        assert ('retrieval_score' in sample) == (info['origin'] != 'target')
        if 'retrieval_score' in sample:
            assert sample.retrieval_score == info['score']
