"""Measure reading of tars from s3:// beside local files.

Prints processor and wall seconds of both, and as JSON their ratios. Needs an
S3 server in AWS_ENDPOINT_URL, or moto, which is then started on 127.0.0.1 in
a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('--tars', type=int, default=4, help='number of tars')
    parser.add_argument(
        '--images', type=int, default=500, help='images per tar'
    )
    parser.add_argument(
        '--image-bytes', type=int, default=40_000, help='bytes per image'
    )
    parser.add_argument(
        '--port', type=int, default=5559, help='port of the server'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = None
        if 'AWS_ENDPOINT_URL' not in os.environ:
            server = start_moto(args.port)
        try:
            measure(args, Path(folder))
        finally:
            if server is not None:
                server.terminate()


def start_moto(port: int) -> subprocess.Popen:
    server = subprocess.Popen(
        [sys.executable, '-m', 'moto.server', '-p', str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.environ |= {
        'AWS_ENDPOINT_URL': f'http://127.0.0.1:{port}',
        'AWS_ACCESS_KEY_ID': 'none',
        'AWS_SECRET_ACCESS_KEY': 'none',
        'AWS_DEFAULT_REGION': 'us-east-1',
    }
    return server


def measure(args: argparse.Namespace, folder: Path) -> None:
    import fsspec

    from ltvl_mm.retrieval.reading.shards import find_shards
    from ltvl_mm.retrieval.reading.tar_format import write_tar

    data = os.urandom(args.image_bytes)
    system = fsspec.filesystem('s3')
    for _ in range(50):
        try:
            system.mkdir('ltvl-benchmark')
            break
        except Exception:  # noqa: BLE001
            time.sleep(0.2)  # the server starts
    for number in range(args.tars):
        file = folder / f'{number:05d}.tar'
        with open(file, 'wb') as tar:
            write_tar(tar, ((f'{n}.jpg', data) for n in range(args.images)))
        system.put_file(str(file), f'ltvl-benchmark/web/{file.name}')
    found = {
        name: read(find_shards([inputs]))
        for name, inputs in (
            ('local', str(folder)),
            ('s3', 's3://ltvl-benchmark/web/*.tar'),
        )
    }
    for name, (cpu, wall) in found.items():
        print(f'{name}: {cpu:.2f} processor seconds, {wall:.2f} seconds')
    print(
        json.dumps(
            {
                'bytes': args.tars * args.images * args.image_bytes,
                'cpu_ratio': found['s3'][0] / found['local'][0],
                'wall_ratio': found['s3'][1] / found['local'][1],
                's3_cpu_seconds': found['s3'][0],
            }
        )
    )


def read(shards: list) -> tuple[float, float]:
    """Return processor and wall seconds of hashing every image."""
    import hashlib

    from ltvl_mm.retrieval.reading.shards import iterate_shard

    cpu, wall = time.process_time(), time.perf_counter()
    for shard in shards:
        for image in iterate_shard(shard):
            hashlib.sha256(image.data or b'').digest()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == '__main__':
    run_command(main)
