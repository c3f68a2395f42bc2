import numpy as np
import pytest

from ltvl_mm.structures.feature_cache import (
    FeatureSource,
    begin_cache,
    describe_source,
    has_view,
    open_cache,
    write_view,
)

SOURCE = FeatureSource('w', 'p', 'i')
FEATURES = np.arange(6, dtype=np.float32).reshape(3, 2)


class Images:
    """Three images with labels 0, 1, 1."""

    def __len__(self):
        return 3

    def get_data_info(self, index):
        return {'img_path': f'{index}.jpg', 'gt_label': min(index, 1)}


@pytest.fixture
def configs(tmp_path):
    (tmp_path / 'a.pth').write_bytes(b'weights')
    return dict(
        backbone=dict(arch='x', pretrained=str(tmp_path / 'a.pth')),
        preprocessor=dict(mean=[1, 2, 3]),
        dataset=dict(type='X', pipeline=[dict(type='Load')]),
        images=Images(),
    )


def test_views_are_read_as_they_were_written(tmp_path):
    begin_cache(tmp_path, SOURCE, seed=0)
    assert not has_view(tmp_path, 0)
    write_view(tmp_path, 0, FEATURES)
    write_view(tmp_path, 1, -FEATURES)
    cache = open_cache(tmp_path)
    assert cache.source == SOURCE
    np.testing.assert_array_equal(cache.views[0], FEATURES)
    np.testing.assert_array_equal(cache.views[1], -FEATURES)
    assert len(open_cache(tmp_path, 1).views) == 1


def test_a_cache_goes_on_only_from_the_same_source_and_seed(tmp_path):
    begin_cache(tmp_path, SOURCE, seed=0)
    begin_cache(tmp_path, SOURCE, seed=0)
    with pytest.raises(ValueError, match='begun with another seed'):
        begin_cache(tmp_path, SOURCE, seed=1)
    with pytest.raises(ValueError, match='begun with another weights'):
        begin_cache(tmp_path, FeatureSource('v', 'p', 'i'), seed=0)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match='view 0 is missing'):
        open_cache(tmp_path)
    begin_cache(tmp_path, SOURCE, seed=0)
    write_view(tmp_path, 1, FEATURES)
    with pytest.raises(ValueError, match=r'view 0 is missing.*cache_features'):
        open_cache(tmp_path, 2)


def test_views_of_different_lists_do_not_mix(tmp_path):
    begin_cache(tmp_path, SOURCE, seed=0)
    write_view(tmp_path, 0, FEATURES)
    write_view(tmp_path, 1, FEATURES[:2])
    with pytest.raises(ValueError, match='differ in shape'):
        open_cache(tmp_path)


def test_features_that_are_not_finite_are_not_written(tmp_path):
    with pytest.raises(ValueError, match='image 1 are not finite'):
        write_view(tmp_path, 0, np.array([[0, 1], [np.nan, 0]]))
    assert not has_view(tmp_path, 0)


def test_the_source_is_a_function_of_configs_and_files(configs, tmp_path):
    source = describe_source(**configs)
    assert source == describe_source(**configs)
    assert source.fingerprint == describe_source(**configs).fingerprint
    (tmp_path / 'copy.pth').write_bytes(b'weights')
    configs['backbone'] = dict(arch='x', pretrained=f'{tmp_path}/copy.pth')
    assert source == describe_source(**configs)  # the numbers, not the name


@pytest.mark.parametrize(
    ('part', 'key', 'value', 'changed'),
    [
        ('backbone', 'arch', 'y', 'weights'),
        ('preprocessor', 'mean', [0, 0, 0], 'pipeline'),
        ('dataset', 'pipeline', [dict(type='Crop')], 'pipeline'),
        ('dataset', 'inner', [dict(pipeline=[])], 'pipeline'),
    ],
)
def test_whatever_changes_features_changes_the_source(
    configs, tmp_path, part, key, value, changed
):
    begin_cache(tmp_path / 'cache', describe_source(**configs), seed=0)
    write_view(tmp_path / 'cache', 0, FEATURES)
    cache = open_cache(tmp_path / 'cache')
    cache.check_source(describe_source(**configs))
    configs[part] = {**configs[part], key: value}
    with pytest.raises(ValueError, match=f'other {changed} .fingerprint'):
        cache.check_source(describe_source(**configs))


def test_other_weights_and_images_change_the_source(configs, tmp_path):
    before = describe_source(**configs)
    configs['images'].get_data_info = lambda index: {
        'img_path': 'a.jpg',
        'gt_label': 0,
    }
    assert describe_source(**configs).images != before.images
    (tmp_path / 'a.pth').write_bytes(b'other weights')
    assert describe_source(**configs).weights != before.weights


@pytest.mark.parametrize(
    ('pretrained', 'message'),
    [
        (None, 'backbone.pretrained is None; give the checkpoint'),
        ('openai', "'openai' does not exist or is not a file; train phase A"),
        ('a/b.pth', "'a/b.pth' does not exist or is not a file; train phase"),
    ],
)
def test_without_a_checkpoint_of_phase_a_nothing_is_cached(
    configs, pretrained, message
):
    configs['backbone'] = dict(arch='x', pretrained=pretrained)
    with pytest.raises(ValueError, match=message):
        describe_source(**configs)
