"""Decoder version of stores: recorded, kept and reported."""

import re

import pytest

from ltvl_mm.structures.store_decoder import (
    describe_old_decoder,
    read_decoder,
)
from ltvl_mm.utils.image_decoding import DECODER_CHANGES, DECODER_VERSION
from ltvl_mm.utils.io import write_json


def test_every_version_describes_what_changed():
    assert list(DECODER_CHANGES) == list(range(2, DECODER_VERSION + 1))


@pytest.mark.parametrize(
    ('settings', 'header', 'version'),
    [
        (None, None, None),
        ({'encoder': {}}, None, 1),
        ({'encoder': {}, 'decoder': 2}, None, 2),
        ({'encoder': {}}, {'encoder': {}}, 1),
        (None, {'encoder': {}}, 1),
        (None, {'encoder': {}, 'decoder': 7}, 7),
        (None, {'encoder': {}, 'indexed': []}, None),
    ],
)
def test_version_of_a_folder(tmp_path, settings, header, version):
    for name, content in (('settings', settings), ('store', header)):
        if content is not None:
            write_json(tmp_path / f'{name}.json', content)
    assert read_decoder(tmp_path) == version


def test_damaged_version_is_named(tmp_path):
    write_json(tmp_path / 'store.json', {'decoder': '2'})
    with pytest.raises(ValueError, match=r"store\.json: decoder must .* '2'"):
        read_decoder(tmp_path)


def test_message_names_version_images_and_command(tmp_path):
    write_json(tmp_path / 'settings.json', {})
    text = describe_old_decoder(tmp_path, 'ViT-B-32')
    assert re.search(
        rf'{tmp_path} were decoded by version 1 of .*, this is version 2\. '
        r'Decoded differently: 16-bit grayscale, 32-bit integer and float ',
        text,
    )
    assert text.endswith('-o NEW_FOLDER --arch ViT-B-32')
    write_json(tmp_path / 'settings.json', {'decoder': 9})
    assert 'update ltvl_mm' in describe_old_decoder(tmp_path, 'x')
    write_json(tmp_path / 'settings.json', {'decoder': DECODER_VERSION})
    assert describe_old_decoder(tmp_path, 'x') is None
