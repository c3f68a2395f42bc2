import pytest
from mmengine.config import Config
from mmpretrain.registry import DATASETS
from odd_inputs.lists import IMAGE_LISTS, NAME_LISTS

from ltvl_mm.datasets.config_list_check import (
    check_config_lists,
    check_plain_list,
    check_plain_names,
    find_listed_splits,
)
from ltvl_mm.structures.image_list import normalize_path

# Those that mmpretrain reads as we do.
PLAIN = (
    'plain',
    'no line end',
    'windows',
    'accents',
    'blanks in paths',
    'other line ends in names',
    'number sign in a path',
    'path that reads as a comment',
    'no-break space at an end',
    'dots and slashes',  # other names of the same files
    'addresses',
)


@pytest.mark.parametrize('case', IMAGE_LISTS)
def test_list_passes_only_if_mmpretrain_reads_it_so(tmp_path, case):
    data, expected = IMAGE_LISTS[case]
    file = tmp_path / 'a.txt'
    file.write_bytes(data)
    if case not in PLAIN:
        with pytest.raises(ValueError, match=r'a\.txt') as info:
            check_plain_list(file)
        if not isinstance(expected, str):
            assert f'check_lists.py {file} --fix' in str(info.value)
        return
    check_plain_list(file)
    dataset = DATASETS.build(
        dict(type='CustomDataset', ann_file=str(file), classes=['a'])
    )
    infos = [dataset.get_data_info(row) for row in range(len(dataset))]
    assert [
        (normalize_path(info['img_path']), info['gt_label']) for info in infos
    ] == expected


@pytest.mark.parametrize('case', NAME_LISTS)
def test_names_pass_only_if_mmpretrain_reads_them_so(tmp_path, case):
    file = tmp_path / 'a.txt'
    file.write_bytes(NAME_LISTS[case][0])
    if case in (
        'plain',
        'number sign in a name',
        'other line ends in names',
        'names with numbers',
        'names that begin with numbers',
        'folders named by ids',
    ):
        check_plain_names(file)
        return
    with pytest.raises(ValueError, match=r'a\.txt'):
        check_plain_names(file)


def test_open_set_is_a_plain_list(tmp_path):
    (tmp_path / 'a.txt').write_text('a.jpg -1\nb.jpg -1\n')
    check_plain_list(tmp_path / 'a.txt')


def make_config(root):
    dataset = dict(
        type='CustomDataset',
        data_root=str(root),
        data_prefix='images',
        ann_file='train.txt',
        classes=f'{root}/names.txt',
    )
    wrapper = dict(type='ConcatDataset', datasets=[dict(dataset), dataset])
    other = dict(type='Places205', data_root=str(root), ann_file='x.txt')
    return Config(
        dict(
            train_dataloader=dict(dataset=dict(type='W', dataset=wrapper)),
            val_dataloader=None,
            test_dataloader=dict(dataset=other),
        )
    )


def test_lists_inside_of_wrappers_are_found_and_checked(tmp_path):
    cfg = make_config(tmp_path)
    found = find_listed_splits(cfg)
    assert [(one.split, one.file, one.root) for one in found] == [
        ('train', tmp_path / 'train.txt', tmp_path / 'images')
    ] * 2
    check_config_lists(cfg)  # mmpretrain says that they do not exist
    (tmp_path / 'train.txt').write_text('a.jpg 0\n')
    (tmp_path / 'names.txt').write_text('cat \n')
    with pytest.raises(ValueError, match=r"names\.txt, line 1: .*'cat '"):
        check_config_lists(cfg)
    (tmp_path / 'train.txt').write_bytes(b'\xef\xbb\xbfa.jpg 0\n')
    with pytest.raises(ValueError, match=r'train\.txt, line 1: mmpretrain'):
        check_config_lists(cfg)
