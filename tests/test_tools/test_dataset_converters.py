"""Converters of published lists, on a tiny data set with such lists."""

import importlib.util
import json
from pathlib import Path

import pytest

from ltvl_mm.datasets.published_lists import (
    name_classes_by_folder,
    read_inat_json,
    read_inat_names,
)
from ltvl_mm.datasets.published_splits import SPLITS, PublishedSplits

TOOLS = Path(__file__).parents[2] / 'tools/dataset_converters'
TINY = PublishedSplits(
    name='Tiny-LT',
    stem='Tiny_LT',
    num_classes=3,
    sizes={'train': 6, 'test': 3},
    most=3,
    fewest=1,
    groups=(0, 0, 3),
    layouts=SPLITS['places_lt'].layouts,
)
FOLDERS = ('abbey', 'apartment_building/outdoor', 'attic')
TRAIN = (
    'train/abbey/1.jpg 0',
    'train/abbey/2.jpg 0',
    'train/abbey/3.jpg 0',
    'train/apartment_building/outdoor/1.jpg 1',
    'train/apartment_building/outdoor/2.jpg 1',
    'train/attic/1.jpg 2',
)
TEST = tuple(
    f'val/{folder}/v{label}.jpg {label}'
    for label, folder in enumerate(FOLDERS)
)


@pytest.fixture(scope='module')
def published():
    spec = importlib.util.spec_from_file_location(
        'published', TOOLS / 'published.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, 'SPLITS', {'tiny': TINY})
        yield module


@pytest.fixture
def convert(published, tmp_path, capsys):
    """Function that runs the converter; returns exit code or text, output."""
    write_lists(tmp_path / 'lists')

    def run(*options):
        args = [tmp_path / 'root', '--lists', tmp_path / 'lists', *options]
        status = None
        try:
            published.convert(
                'tiny',
                published.make_lists_parser('').parse_args(
                    list(map(str, args))
                ),
                name_classes=name_classes_by_folder,
            )
        except SystemExit as error:
            status = error.code
        return status, capsys.readouterr().out

    return run


def write_lists(folder, train=TRAIN, test=TEST):
    folder.mkdir(exist_ok=True)
    (folder / 'Tiny_LT_train.txt').write_text('\n'.join(train))
    (folder / 'Tiny_LT_test.txt').write_text('\n'.join(test))


def touch_images(root, *forms):
    """Make empty images: of the training part, then of the test part."""
    for lines, form in zip((TRAIN, TEST), forms, strict=True):
        for line in lines:
            _, rest = line.rpartition(' ')[0].split('/', 1)
            folder, file = rest.rsplit('/', 1)
            path = root / form.format(
                folder=folder, letter=folder[0], file=file
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def test_lists_follow_the_images_and_a_second_run_changes_nothing(
    convert, tmp_path
):
    root = tmp_path / 'root'
    touch_images(root, 'data_256/{letter}/{folder}/{file}', 'val_256/{file}')
    status, said = convert()
    assert status is None
    assert '6 train, 3 test; 3 to 1 training images per class' in said
    assert 'train: data_256/{letter}/{folder}/{file}, val: val_256' in said
    assert '0 of 9 images are missing' in said
    lines = (root / 'Tiny_LT_train.txt').read_text().splitlines()
    assert lines[3] == 'data_256/a/apartment_building/outdoor/1.jpg 1'
    assert (root / 'Tiny_LT_test.txt').read_text().startswith('val_256/v0.jpg')
    assert (root / 'class_names.txt').read_text() == (
        'abbey\napartment building outdoor\nattic\n'
    )
    assert json.loads((root / 'class_counts.json').read_text()) == [3, 2, 1]
    assert 'Written: nothing' in convert()[1]
    # The lists below root are as good a source as the published ones.
    assert 'Written: nothing' in convert('--lists', str(root))[1]
    assert convert('--verify')[0] is None


def test_missing_images_are_counted_and_named(convert, tmp_path):
    root = tmp_path / 'root'
    touch_images(root, 'train/{folder}/{file}', 'val/{folder}/{file}')
    (root / 'train/attic/1.jpg').unlink()
    status, said = convert()
    assert status == 1
    assert '1 of 9 images are missing.\ntrain/attic/1.jpg\n' in said
    assert convert('--verify')[0] == 1
    status, said = convert('--no-image-check')
    assert status is None
    assert 'The images were not looked for.' in said


def test_at_most_twenty_missing_images_are_named(
    convert, published, monkeypatch
):
    monkeypatch.setattr(published, 'NAMED', 2)
    status, said = convert('--prefix-map', 'train/=a/', 'val/=b/')
    assert status == 1
    assert said.count('.jpg') == 2
    assert '... and 7 more' in said


def test_prefixes_can_be_told(convert, tmp_path):
    root = tmp_path / 'root'
    touch_images(root, 'mine/{folder}/{file}', 'yours/{folder}/{file}')
    status, _ = convert()
    assert 'none of 6 train images is there; tried train/abbey/1.jpg' in status
    status, said = convert('--prefix-map', 'train/=mine/', 'val/=yours/')
    assert status is None
    assert 'prefixes: train/ -> mine/, val/ -> yours/' in said
    assert (
        convert('--prefix-map', 'train')[0]
        == "--prefix-map must be OLD=NEW, got 'train'"
    )
    assert 'begins with none' in convert('--prefix-map', 'train/=mine/')[0]
    # A list with prefixes of one's own can be verified.
    assert convert('--verify')[0] is None


@pytest.mark.parametrize(
    ('train', 'message'),
    [
        (TRAIN[:-1], 'Tiny_LT_train.txt lists 5 images, expected 6'),
        ((*TRAIN[:-1], TRAIN[0]), 'has no image with label 2'),
        ((*TRAIN[:-1], 'train/attic/1.jpg'), 'line 6: expected "path label"'),
        ((*TRAIN[:-1], 'web/1.jpg 2'), 'line 6: .* is laid out as none of'),
        ((*TRAIN[:-1], 'train/../1.jpg 2'), 'line 6: .* leaves the folder'),
    ],
)
def test_odd_lists_are_refused_in_a_sentence(
    convert, tmp_path, train, message
):
    touch_images(
        tmp_path / 'root', 'train/{folder}/{file}', 'val/{folder}/{file}'
    )
    write_lists(tmp_path / 'lists', train)
    status, _ = convert()
    with pytest.raises(ValueError, match=message):
        raise ValueError(status)
    assert len(status.splitlines()) == 1
    assert not (tmp_path / 'root/class_names.txt').exists()


def test_names_are_kept_or_told_and_counted(convert, tmp_path):
    root, names = tmp_path / 'root', tmp_path / 'names.txt'
    touch_images(root, 'train/{folder}/{file}', 'val/{folder}/{file}')
    names.write_text('a church\na house\n')
    assert convert('--class-names', str(names))[0] == (
        f'{names} has 2 names, expected 3'
    )
    names.write_text('a church\na house\nunder the roof\n')
    assert convert('--class-names', str(names))[0] is None
    assert convert()[0] is None  # and keeps them
    assert (root / 'class_names.txt').read_text() == names.read_text()


def test_inat_json_is_read_as_a_list(tmp_path):
    file = tmp_path / 'train2018.json'
    content = {
        'images': [
            {'id': 7, 'file_name': 'train_val2018/Aves/1/x.jpg'},
            {'id': 3, 'file_name': 'train_val2018/Aves/0/y.jpg'},
        ],
        'annotations': [
            {'image_id': 3, 'category_id': 0},
            {'image_id': 7, 'category_id': 1},
        ],
    }
    file.write_text(json.dumps(content))
    images = read_inat_json(file)
    assert images.paths[1] == 'train_val2018/Aves/0/y.jpg'
    assert images.labels.tolist() == [1, 0]
    del content['annotations'][1]
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'train2018\.json .* it lacks 7'):
        read_inat_json(file)
    names = [{'id': 1, 'name': 'Corvus'}, {'id': 0, 'name': 'Pica'}]
    for form in (names, {'categories': names}):
        file.write_text(json.dumps(form))
        assert read_inat_names(file) == ('Pica', 'Corvus')
    file.write_text('{}')
    with pytest.raises(ValueError, match='has no category names'):
        read_inat_names(file)


@pytest.mark.parametrize('name', ['imagenet_lt', 'places_lt', 'inat18'])
def test_the_tools_say_what_is_missing(name, run_here, tmp_path):
    said = run_here(*('python', TOOLS / f'{name}.py', tmp_path), status=1)
    assert '_train.txt does not exist' in said


def test_published_splits_do_not_share_an_image(convert, tmp_path):
    leak = 'train/attic/1.jpg 2'
    write_lists(tmp_path / 'lists', test=(*TEST[:2], leak))
    touch_images(
        tmp_path / 'root', 'train/{folder}/{file}', 'val/{folder}/{file}'
    )
    assert '1 images are in two splits' in convert()[0]
    assert 'Tiny_LT_train.txt, line 6: ' in convert('--no-image-check')[0]


def test_published_lists_may_hold_absolute_paths(convert, tmp_path):
    root = tmp_path / 'root'
    touch_images(root, 'train/{folder}/{file}', 'val/{folder}/{file}')
    write_lists(tmp_path / 'lists', train=[f'{root}/{one}' for one in TRAIN])
    assert convert()[0] is None
    assert (root / 'Tiny_LT_train.txt').read_text().startswith('train/abbey')
    write_lists(tmp_path / 'lists', train=[f'/else/{one}' for one in TRAIN])
    assert 'Tiny_LT_train.txt, line 1: ' in convert()[0]
