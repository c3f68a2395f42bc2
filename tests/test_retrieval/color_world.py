"""Web images of three colors, their store and class queries."""

import numpy as np
from PIL import Image
from web_memory import ENCODER, embed, save, write_tar

from ltvl_mm.retrieval.dedup.near_duplicates import CopyRule
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries

NAMES = ('red', 'green', 'blue')
QUERIES = ClassQueries(
    NAMES, ('a {} picture',), np.eye(3, 4, dtype=np.float32), ENCODER
)
# Each image has a pattern of its own, so that the hash tells them apart; the
# toy encoder sees the mean color only, and takes all of a class for copies.
OPTIONS = RetrievalOptions(
    temperature=0.05,
    oversample_factor=3,
    duplicates=CopyRule(0.9, 10),
    exclude=CopyRule(0.9, 10),
)


def paint(label, purity, pattern):
    """An image of a class; the purer its color, the higher it scores."""
    noise = np.random.default_rng(pattern).uniform(-40, 40, (8, 8, 1))
    noise = np.kron(noise - noise.mean(), np.ones((4, 4, 1)))
    color = np.full(3, 110.0 - 10 * purity)
    color[label] = 150 + 10 * purity
    return Image.fromarray((color + noise).round().astype(np.uint8))


RED = [paint(0, 5 - place, place) for place in range(5)]  # best first
GREEN = [paint(1, 3 - place, 10 + place) for place in range(3)]
BLUE = paint(2, 5, 20)
# Key: bytes. The best red one is a test image in another size and format;
# the next stands in the web twice.
WEB = {
    '0/leak': save(RED[0].resize((48, 48)), 'JPEG', quality=90),
    '0/one': save(RED[1]),
    '0/two': save(RED[2]),
    '0/three': save(RED[3]),
    '1/again': save(RED[1]),
    '1/four': save(RED[4]),
    '1/grass': save(GREEN[0]),
    'sub/moss.png': save(GREEN[1]),
    'sub/pea.png': save(GREEN[2]),
    'sky.png': save(BLUE),
}


def embed_web(tmp_path):
    """Two tars and a folder."""
    web = tmp_path / 'web'
    for tar in '01':
        members = [
            member
            for key, data in WEB.items()
            if key.startswith(f'{tar}/')
            for member in (
                (f'{key[2:]}.jpg', data),
                (f'{key[2:]}.txt', key.encode()),
            )
        ]
        write_tar(web / 'tars' / f'{tar}.tar', members)
    for key, data in WEB.items():
        if key.endswith('.png'):
            file = web / 'files' / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    shards = find_shards([str(web / 'tars'), str(web / 'files')])
    return embed(shards, tmp_path / 'store')


def embed_test_image(tmp_path):
    (tmp_path / 'test').mkdir()
    (tmp_path / 'test' / 'red.png').write_bytes(save(RED[0]))
    shards = find_shards([str(tmp_path / 'test')])
    return embed(shards, tmp_path / 'kept_out_store')


def make_run(store, kept_out, tmp_path):
    def run(budget, out='out', options=OPTIONS, excluded=(kept_out,), **how):
        task = RetrievalTask(
            store, QUERIES, np.array(budget), excluded, options, **how
        )
        return run_retrieval(task, tmp_path / out)

    return run
