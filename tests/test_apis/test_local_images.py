"""Retrieval from a store of another program that names local files."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from stress.kill_embedding import write_memory
from stress.kill_retrieval import NAMES

from ltvl_mm import embed, retrieve
from ltvl_mm.apis.retrieval_settings import RetrievalSettings
from ltvl_mm.retrieval.task import RetrievalOptions
from ltvl_mm.structures.store_index import index_store


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    """Folder with weights, local images, and embeddings that name them."""
    folder = tmp_path_factory.mktemp('local')
    write_memory(folder, tars=1)
    rng = np.random.default_rng(0)
    for number in range(12):
        name = 'private' if number == 3 else 'pool/sub'
        file = folder / name / f'{number}.png'
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(file)
    store = embed(
        [folder / 'pool', folder / 'private'],
        folder / 'store',
        arch='ltvl-toy',
        pretrained=str(folder / 'clip.pt'),
        workers=0,
    )
    part = store.parts[0]
    paths = pq.read_table(part.table)['source']
    others = folder / 'others'
    for name in ('img_emb', 'metadata'):
        (others / name).mkdir(parents=True)
    # The toy CLIP has random weights, to which all images are near-duplicates.
    matrix = rng.normal(size=(12, store.dim))
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    np.save(others / 'img_emb/img_emb_0.npy', matrix.astype(np.float16))
    pq.write_table(
        pa.table({'image_path': paths}), others / 'metadata/metadata_0.parquet'
    )
    index_store(others, store.encoder)
    return folder


@pytest.fixture
def run(work, tmp_path):
    def run(**settings):
        settings = {
            'class_names': NAMES[:2],
            'exclude': None,
            'budget': 12,
            'templates': 'single',
            'pretrained': str(work / 'clip.pt'),
        } | settings
        return retrieve(
            work / 'others', tmp_path / 'out', RetrievalSettings(**settings)
        )

    return run


def test_images_are_copied_from_the_given_folder_only(run, work, tmp_path):
    for _ in range(2):  # the second call changes nothing
        manifest = run(local_images=[work / 'pool'])
        assert manifest.count_classes().tolist() == [11, 11]
        for key, file in zip(manifest.key, manifest.file, strict=True):
            assert str(work / 'pool') in key
            with open(key, 'rb') as one, open(tmp_path / 'out' / file) as two:
                assert one.read() == two.buffer.read()
        report = json.loads((tmp_path / 'out' / 'report.json').read_text())
        assert (report['placed'], report['not_placed']) == (22, 2)
        missing = json.loads((tmp_path / 'out' / 'missing.json').read_text())
        (entry,) = missing['classes'][0]['first_missing']
        assert entry['key'].endswith('private/3.png')


def test_without_folder_the_message_says_both_ways(run):
    with pytest.raises(ValueError, match='add --local-images FOLDER'):
        run()


def test_missing_folder_is_named_before_the_search(run, work):
    with pytest.raises(ValueError, match=r'of local images .*/gone does not'):
        run(local_images=[work / 'gone'])


def test_local_images_cannot_be_packed(run, work):
    options = replace(RetrievalOptions(), copy='tar')
    with pytest.raises(ValueError, match="but copy is 'tar'"):
        run(local_images=[work / 'pool'], options=options)
