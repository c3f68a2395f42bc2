"""Stored embeddings are compared with images on disk."""

import numpy as np
import pytest
import torch
from PIL import Image
from tools_in_process import run_tool_here

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.retrieval.reading.image_check import check_images
from ltvl_mm.structures.store_index import index_store
from ltvl_mm.utils.image_decoding import read_image

NAMES = [f'{number}.png' for number in range(6)]


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp('weights') / 'clip.pt'
    torch.save(build_clip('ltvl-toy').state_dict(), file)
    return str(file)


@pytest.fixture(scope='module')
def clip(weights):
    return FrozenCLIP('ltvl-toy', weights)


@pytest.fixture
def folder(tmp_path, clip):
    """Images, their keys and their embeddings, as another program's."""
    rng = np.random.default_rng(0)
    rows = []
    for name in NAMES:
        pixels = rng.integers(256, size=(4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(pixels).resize((40, 40), Image.Resampling.BOX)
        image.save(tmp_path / name)
        pixels = clip.preprocess(read_image(tmp_path / name))
        with torch.no_grad():
            row = clip.encode_images(pixels[None])[0]
        rows.append((row / row.norm()).numpy().astype(np.float16))
    np.save(tmp_path / 'part.npy', np.stack(rows))
    (tmp_path / 'part.txt').write_text('\n'.join(NAMES) + '\n')
    return tmp_path


def _check(folder, clip, count=100):
    return check_images(
        index_store(folder, clip.identity),
        clip.preprocess,
        clip.encode_images,
        count=count,
        folder=folder,
    )


def test_counts_the_images_that_are_on_disk_and_equal(folder, clip):
    assert _check(folder, clip) == 6
    assert _check(folder, clip, 4) == 4
    (folder / NAMES[2]).unlink()
    assert _check(folder, clip) == 5


def test_names_keys_and_cosines_of_permuted_rows(folder, clip):
    # Random weights give all images one embedding; pixels differ.
    def encode(images):
        flat = images.flatten(1).float()
        return flat - flat.mean(1, keepdim=True)

    rows = []
    for name in NAMES:
        row = encode(clip.preprocess(read_image(folder / name))[None])[0]
        rows.append((row / row.norm()).numpy())
    rows = np.roll(np.stack(rows), 1, axis=0)
    np.save(folder / 'part.npy', rows.astype(np.float16))
    cosine = float(rows[1] @ rows[0])  # image 0 against the row of image 5
    match = rf'6 of 6 compared images .*: 0\.png \({cosine:.2f}\d\), 1\.png \('
    with pytest.raises(ValueError, match=match):
        check_images(
            index_store(folder, clip.identity),
            clip.preprocess,
            encode,
            count=6,
            folder=folder,
        )


def _run_tool(folder, weights):
    arguments = [folder, '--arch', 'ltvl-toy', '--pretrained', weights]
    run_tool_here('index_store.py', *arguments, '--check-images', 3)


def test_tool_checks_a_sample_and_says_if_none_is_on_disk(
    folder, weights, capsys
):
    _run_tool(folder, weights)
    assert '3 of 3 sampled images are on disk' in capsys.readouterr().out
    for name in NAMES:
        (folder / name).unlink()
    _run_tool(folder, weights)
    out = capsys.readouterr().out
    assert 'None of the 3 sampled images is on disk' in out


def test_tool_writes_no_index_if_the_sample_differs(folder, weights):
    matrix = np.load(folder / 'part.npy')
    np.save(folder / 'part.npy', -matrix)
    with pytest.raises(SystemExit, match='have another embedding'):
        _run_tool(folder, weights)
    assert not (folder / 'store.json').exists()
