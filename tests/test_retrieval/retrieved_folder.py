"""A retrieved folder without images, and what its URLs give."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from web_memory import save, write_tar

from ltvl_mm.retrieval.reading.download_list import open_download_list
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import save_manifest
from ltvl_mm.utils.hash_recipes import HASH_RECIPE
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.io import write_json
from ltvl_mm.utils.perceptual_hash import compute_phash

NAMES = ('red', 'green', 'blue')
# (class, key, URL); 'both' was retrieved for two classes, 'lost' has no URL.
ROWS = [
    (0, '00000/000000000', 'http://a/both'),
    (0, '00000/000000001', 'http://a/dead'),
    (0, '00000/000000002', 'http://a/clear'),
    (1, '00000/000000000', 'http://a/both'),
    (1, '00000/000000003', 'http://a/moved'),
    (2, '00000/000000004', None),
]


def write_download_list(out, manifest, metadata):
    names = ('caption', 'key', 'file')
    columns = {name: list(getattr(manifest, name)) for name in names}
    columns['hash_recipe'] = [HASH_RECIPE] * len(manifest)
    with open_download_list(out) as downloads:
        downloads.add(columns | metadata)


def draw(seed, size=64):
    noise = np.random.default_rng(seed).uniform(0, 255, (8, 8, 3))
    return Image.fromarray(noise.astype(np.uint8)).resize((size, size))


def draw_clear():
    image = draw(2).convert('RGBA')
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    return image


EMBEDDED = {
    '00000/000000000': save(draw(0)),
    '00000/000000001': save(draw(1)),
    '00000/000000002': save(draw_clear()),
    '00000/000000003': save(draw(3)),
    '00000/000000004': save(draw(4)),
}
# What the URLs give now: the same bytes, a smaller JPEG, another picture and
# a web page.
SAME = ('http://a/both', EMBEDDED['00000/000000000'])
PLACEHOLDER = ('http://a/moved', save(draw(99)))
WEB_PAGE = ('http://a/clear', b'<html>404</html>')
STRANGER = ('http://a/other', save(draw(50)))
DEAD = ('http://a/dead', None)


def write_retrieved(out, hashes=True, rows=ROWS):
    label = np.array([row[0] for row in rows], np.int32)
    counts = np.bincount(label, minlength=len(NAMES))
    rank = np.concatenate([np.arange(n, dtype=np.int32) for n in counts])
    manifest = Manifest(
        class_names=NAMES,
        class_id=label,
        rank=rank,
        score=np.linspace(1, 0, len(rows)),
        cosine=np.linspace(0.5, 0.4, len(rows)),
        key=[row[1] for row in rows],
        file=[
            f'images/{k:05d}/{r:05d}.jpg'
            for k, r in zip(label, rank, strict=True)
        ],
        caption=[f'caption {row}' for row in range(len(rows))],
        source={'counts': counts.tolist()},
    )
    sha256, phash = [None] * len(rows), [None] * len(rows)
    if hashes:
        images = [EMBEDDED[row[1]] for row in rows]
        sha256 = [hashlib.sha256(data).hexdigest() for data in images]
        phash = [hash_image(data) for data in images]
    write_download_list(
        out,
        manifest,
        {'url': [row[2] for row in rows], 'sha256': sha256, 'phash': phash},
    )
    save_manifest(out / 'manifest.parquet', manifest)
    write_json(
        out / 'report.json',
        {
            'retrieved': len(rows),
            'missing': 0,
            'duplicates': 0,
            'copies_of_excluded_images': 0,
            'rows_refused_by_filters': {},
            'copies_recognized_without': {},
            'classes': [
                {
                    'name': name,
                    'wanted': int(count),
                    'retrieved': int(count),
                    'duplicates': 0,
                    'copies_of_excluded_images': 0,
                    'short_because': None,
                }
                for name, count in zip(NAMES, counts, strict=True)
            ],
        },
    )
    return out


def hash_image(data):
    return compute_phash(decode_image(data))


def write_webdataset(folder, found):
    members = []
    for number, (url, data) in enumerate(found):
        if data is not None:
            record = json.dumps({'url': url, 'key': f'{number:09d}'})
            members += [
                (f'{number:09d}.jpg', data),
                (f'{number:09d}.json', record.encode()),
                (f'{number:09d}.txt', b'a caption'),
            ]
    write_tar(folder / '00000.tar', members)


def write_files(folder, found):
    (folder / '00000').mkdir(parents=True)
    for number, (url, data) in enumerate(found):
        if data is not None:
            file = folder / '00000' / f'{number:09d}.jpg'
            file.write_bytes(data)
            file.with_suffix('.json').write_text(json.dumps({'url': url}))
            file.with_suffix('.txt').write_text('a caption')


def write_parquet(folder, found):
    folder.mkdir(parents=True)
    table = pa.table(
        {
            'key': [f'{number:09d}' for number in range(len(found))],
            'url': [url for url, _ in found],
            'status': [
                'failed_to_download' if data is None else 'success'
                for _, data in found
            ],
            'jpg': pa.array([data for _, data in found], pa.binary()),
        }
    )
    pq.write_table(table, folder / '00000.parquet')
