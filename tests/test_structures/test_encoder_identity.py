import pytest

from ltvl_mm.structures.encoder_identity import (
    describe_preprocessing,
    find_difference,
)

OLD = 'short side 224 bicubic, center crop, CLIP mean and std'
NEW = {
    'size': (224, 224),
    'mean': (0.48145466, 0.4578275, 0.40821073),
    'std': (0.26862954, 0.26130258, 0.27577711),
    'resize_mode': 'shortest',
    'interpolation': 'bicubic',
}


def name_encoder(preprocessing):
    return {'arch': 'RN50', 'preprocessing': preprocessing}


def test_the_old_wording_equals_the_new_one_in_either_order():
    old, new = name_encoder(OLD), name_encoder(describe_preprocessing(**NEW))
    assert find_difference(old, new) is None
    assert find_difference(new, old) is None
    assert find_difference(old, old) is None


@pytest.mark.parametrize(
    'change',
    [
        {'size': 384},
        {'mean': (0.5, 0.5, 0.5)},
        {'std': (0.5, 0.5, 0.5)},
        {'resize_mode': 'squash'},
        {'interpolation': 'bilinear'},
    ],
)
def test_other_preprocessing_differs_from_the_old_wording(change):
    other = name_encoder(describe_preprocessing(**(NEW | change)))
    assert find_difference(name_encoder(OLD), other) == 'preprocessing'


def test_the_first_key_that_differs_is_named():
    assert find_difference({'a': '1', 'b': '2'}, {'a': '1'}) == 'b'
    assert find_difference({}, {'a': '1', 'b': '2'}) == 'a'
