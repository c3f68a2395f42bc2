"""Files that claim or hold far more than an image needs.

Each input is read in one process with little memory; the reader must end
within seconds, give the images before the bomb and say what is wrong.
"""

import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from odd_inputs.tar_members import draw, write_members

GIB = 1 << 30

SCRIPT = """
import json, re, resource, sys, time
from pathlib import Path
import ltvl_mm.retrieval.reading.tar_format as tar_format
from ltvl_mm.retrieval.reading.image_batches import _read_image
from ltvl_mm.retrieval.reading.shards import Shard, iterate_shard

def read_status(name):
    text = Path('/proc/self/status').read_text()
    return int(re.search(name + r':\\s+(\\d+) kB', text)[1]) << 10

tar_format.MAX_MEMBERS = 2_000
tar_format.MAX_PADDING_BYTES = 8 << 20
list(iterate_shard(Shard('s', tar=Path(sys.argv[1]))))  # all is imported
results = {}
for file in map(Path, sys.argv[2:]):
    # Arrow holds a page, its values and a copy of one.
    extra = 500_000_000 if file.suffix == '.parquet' else 100_000_000
    limit = read_status('VmSize') + extra
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    begun, keys, reasons = time.process_time(), [], []
    for image in iterate_shard(Shard('s', tar=file)):
        try:
            _read_image(image)
        except ValueError as error:
            reasons.append(str(error))
        else:
            keys.append(image.key)
    seconds = time.process_time() - begun
    results[file.name] = [keys, reasons[:3], len(reasons), seconds]
print(json.dumps(results))
"""


def _start(path):
    """Write two images without an end mark.

    The second one is not yielded: its caption may be behind the bomb.
    """
    write_members(path, [('0.png', 0), ('1.png', 1)])
    with open(path, 'rb+') as file:
        file.truncate(2048)


def _add_header(path, kind, size, *, name='bomb', holes=True, tail=b''):
    """Append a header that claims ``size`` bytes, which are holes."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    with open(path, 'ab') as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        end = file.tell()
    if holes:
        os.truncate(path, end + size)
    with open(path, 'ab') as file:
        file.write(tail)


def _claim(kind, size=4 * GIB, **options):
    def write(path):
        _start(path)
        _add_header(path, kind, size, **options)

    return write


def _chain_headers(path):
    """1,500 pax headers one after another, before no member."""
    _start(path)
    member = tarfile.TarInfo('x')
    member.type, member.size = tarfile.XHDTYPE, 9
    record = b'9 a=bcde\n'.ljust(512, b'\0')
    with open(path, 'ab') as file:
        file.write((member.tobuf() + record) * 1_500)


def _grow_global(path):
    """Global headers of 1 MB that all have different keywords."""
    _start(path)
    with open(path, 'ab') as file:
        for number in range(120):
            value = b'%04d=%s\n' % (number, b'x' * 1_000_000)
            data = b'%d %s' % (len(value) + 8, value)
            member = tarfile.TarInfo('g')
            member.type, member.size = tarfile.XGLTYPE, len(data)
            file.write(member.tobuf())
            file.write(data.ljust(-(-len(data) // 512) * 512, b'\0'))


def _map_holes(path):
    """A GNU sparse 1.0 member whose list of holes never ends."""
    member = tarfile.TarInfo('1.png')
    member.pax_headers = {
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.name': '1.png',
        'GNU.sparse.realsize': '9',
    }
    data = b'99999999\n' + b'1\n' * 5_000_000
    member.size = len(data)
    with tarfile.open(path, 'w') as tar:
        zero = tarfile.TarInfo('0.png')
        zero.size = len(draw(0))
        tar.addfile(zero, io.BytesIO(draw(0)))
        tar.addfile(member, io.BytesIO(data))


def _write_members_without_end(path):
    header = tarfile.TarInfo('0.bin').tobuf()
    path.write_bytes(header * 3_000)


def _add_zeros(path):
    write_members(path, [('0.png', 0)])
    os.truncate(path, 100 * GIB)


def _claim_pixels(path):
    data = bytearray(draw(1))
    data[16:24] = struct.pack('>II', 60_000, 60_000)
    data[29:33] = struct.pack('>I', zlib.crc32(data[12:29]))
    write_members(path, [('0.png', 0), ('1.png', bytes(data))])


def _write_parquet(path):
    table = pa.table(
        {
            'key': ['0', '1'],
            'png': pa.array([draw(0), bytes(65 << 20)], pa.binary()),
        }
    )
    pq.write_table(table, path, compression='zstd')


def _expand_rows(path):
    """Twelve rows of 60 MB that share one value: 720 MB in 3 KB."""
    image = draw(0).ljust(60 << 20, b'\0')
    rows = pa.DictionaryArray.from_arrays(
        pa.array([0] * 12, pa.int32()), pa.array([image], pa.binary())
    )
    pq.write_table(
        pa.table({'key': ['0'] * 12, 'png': rows}),
        path,
        compression='zstd',
        dictionary_pagesize_limit=1 << 30,
        store_schema=False,
    )


def _link_zero(path):
    path.symlink_to('/dev/zero')


# File name -> (function that writes it, images before the bomb, reason).
BOMBS = {
    'long_name.tar': (
        _claim(tarfile.GNUTYPE_LONGNAME),
        1,
        'an extended header of 4,294,967,296 bytes at byte 2,048; at most',
    ),
    'long_link.tar': (
        _claim(tarfile.GNUTYPE_LONGLINK),
        1,
        'an extended header of 4,294,967,296 bytes',
    ),
    'pax.tar': (
        _claim(tarfile.XHDTYPE),
        1,
        'an extended header of 4,294,967,296 bytes',
    ),
    'global_pax.tar': (
        _claim(tarfile.XGLTYPE),
        1,
        'an extended header of 4,294,967,296 bytes',
    ),
    'claimed_pax.tar': (
        _claim(tarfile.XHDTYPE, 1 << 60, holes=False),
        1,
        'an extended header of 1,152,921,504,606,846,976 bytes',
    ),
    'chain.tar': (_chain_headers, 2, 'the file ends without an end mark'),
    'global_keywords.tar': (_grow_global, 2, 'ends without an end mark'),
    'holes.tar': (_map_holes, 1, 'stored with holes (tar --sparse)'),
    'image.tar': (
        _claim(tarfile.REGTYPE, name='2.png', tail=bytes(1024)),
        2,
        '4294967296 bytes is too large',
    ),
    'caption.tar': (
        _claim(tarfile.REGTYPE, name='1.txt', tail=bytes(1024)),
        2,
        None,
    ),
    'claimed_image.tar': (
        _claim(tarfile.REGTYPE, 1 << 62, name='2.png', holes=False),
        2,
        'the file ends within a member',
    ),
    'members.tar': (_write_members_without_end, 0, 'more than 2,000 members'),
    'zeros.tar': (_add_zeros, 1, 'zero bytes follow the end mark'),
    'pixels.tar': (_claim_pixels, 1, 'DecompressionBomb'),
    'row.parquet': (_write_parquet, 1, '68157440 bytes is too large'),
    'rows.parquet': (_expand_rows, 1, 'a second image of this key'),
    'pipe.tar': (os.mkfifo, 0, 'is a named pipe (FIFO); expected a regular'),
    'zero.tar': (_link_zero, 0, 'is a device; expected a regular file'),
    'pipe.parquet': (os.mkfifo, 0, 'is a named pipe (FIFO); expected a'),
}


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bombs')
    write_members(folder / 'first.tar', [('0.png', 0)])
    for name, (write, _, _) in BOMBS.items():
        write(folder / name)
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT, folder / 'first.tar']
        + [folder / name for name in BOMBS],
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize('name', BOMBS)
def test_a_bomb_costs_neither_memory_nor_time(name, results):
    _, images, reason = BOMBS[name]
    keys, reasons, count, seconds = results[name]
    assert keys == ['s/0', 's/1'][:images]
    assert count == (11 if name == 'rows.parquet' else reason is not None)
    assert all(reason in text for text in reasons)
    assert seconds < 10
