import copy
import pickle
from pathlib import Path

import pytest

from ltvl_mm.datasets import retrieved
from ltvl_mm.datasets.retrieved import RetrievedDataset

PIPELINE = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
# The manifest's images 0 to 5 are two cats, three dogs and an owl.


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        retrieved, 'print_log', lambda text, *_, **__: lines.append(text)
    )
    return lines


def make(manifest, **options):
    return RetrievedDataset(str(manifest), pipeline=PIPELINE, **options)


def spoil(manifest, *numbers):
    for number in numbers:
        file = manifest.parent / 'images' / f'{number}.png'
        file.write_bytes(b'<html>404 not found</html>')


def load_number(dataset, idx):
    """Return which of the manifest's images sample ``idx`` shows."""
    return int(Path(dataset[idx]['data_samples'].img_path).stem)


def test_a_sample_is_a_row_of_the_manifest(manifest):
    dataset = make(manifest)
    assert len(dataset) == 6
    assert dataset.CLASSES == ('cat', 'dog', 'owl')
    assert dataset.get_gt_labels().tolist() == [0, 0, 1, 1, 1, 2]
    info = dataset.get_data_info(3)
    assert info == {
        'img_path': str(manifest.parent / 'images' / '3.png'),
        'gt_label': 1,
        'origin': 'retrieved',
        'key': 'k3',
        'rank': 1,
        'score': -3.0,
        'sample_idx': 3,
    }
    assert dataset[3]['data_samples'].gt_label.item() == 1
    assert str(manifest) in repr(dataset)


def test_indices_count_from_either_end(manifest):
    dataset = make(manifest)
    forward = [load_number(dataset, idx) for idx in range(6)]
    assert forward == list(range(6))
    assert [load_number(dataset, idx) for idx in range(-6, 0)] == forward
    for outside in (6, -7):
        with pytest.raises(IndexError, match=f'index {outside} of 6 samples'):
            dataset[outside]
    with pytest.raises(TypeError):
        dataset[1.5]


def test_a_lazy_data_set_loads_when_it_is_read(manifest):
    lazy = make(manifest, lazy_init=True)
    assert lazy.prepare_data(0)['data_samples'].sample_idx == 0


def test_a_broken_image_is_replaced_by_the_next_of_its_class(manifest, said):
    spoil(manifest, 3)
    dataset = make(manifest)
    assert [load_number(dataset, idx) for idx in range(6)] == [
        *(0, 1),
        *(2, 4, 4),
        5,
    ]
    spoil(manifest, 4)  # after the last comes the first
    assert load_number(dataset, 3) == load_number(dataset, -2) == 2
    assert dataset[3]['data_samples'].gt_label.item() == 1


def test_a_broken_image_is_reported_once_by_its_key(manifest, said):
    spoil(manifest, 3)
    dataset = make(manifest)
    for _ in range(3):
        load_number(dataset, 3)
    assert len(said) == 1
    assert "retrieved image 'k3'" in said[0]
    assert str(manifest.parent / 'images' / '3.png') in said[0]


@pytest.mark.usefixtures('said')
def test_a_class_without_any_image_that_loads_is_an_error(manifest):
    spoil(manifest, 0, 1)
    dataset = make(manifest)
    message = "none of the 2 retrieved images of class 0 .'cat'."
    for idx in (0, 1, 0):
        with pytest.raises(RuntimeError, match=message):
            dataset[idx]
    assert load_number(dataset, 2) == 2


def test_images_may_have_moved(manifest, tmp_path):
    (manifest.parent / 'images').rename(tmp_path / 'images')
    dataset = make(manifest, image_root=str(tmp_path))
    assert load_number(dataset, 0) == 0


def test_a_copy_for_a_worker_loads_the_same(manifest):
    dataset = make(manifest)
    for twin in (pickle.loads(pickle.dumps(dataset)), copy.deepcopy(dataset)):
        assert len(twin) == 6
        assert load_number(twin, 5) == 5


def test_a_missing_manifest_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r'no\.parquet does not exist'):
        make(tmp_path / 'no.parquet')


def test_a_missing_image_root_is_an_error(manifest):
    with pytest.raises(ValueError, match='the image root nowhere of the'):
        make(manifest, image_root='nowhere')


def test_another_class_list_is_an_error(manifest):
    make(manifest, classes=['cat', 'dog', 'owl'])
    with pytest.raises(ValueError, match="class 1 is 'dog' there and 'cow'"):
        make(manifest, classes=['cat', 'cow', 'owl'])
    with pytest.raises(ValueError, match=r'for 3 classes, but .* has 2'):
        make(manifest, classes=['cat', 'dog'])
