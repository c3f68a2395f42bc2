"""Files that are given as image inputs and are not plain tars."""

import bz2
import gzip
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from odd_inputs.tar_members import draw, write_members


def _compress(pack: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        write_members(path, [('0.png', 0)])
        path.write_bytes(pack(path.read_bytes()))

    return write


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('0.png', draw(0))


def _write_zeros_link(path: Path) -> None:
    path.symlink_to('/dev/zero')


# File name -> (function that writes it, part of the message).
NO_TARS = {
    'a.tar.gz': (_compress(gzip.compress), 'gunzip < {path} > {folder}/a.tar'),
    'a.tgz': (_compress(gzip.compress), 'gunzip < {path} > {folder}/a.tar'),
    'a.tar': (
        _compress(gzip.compress),
        'gunzip < {path} > {folder}/a_plain.tar',
    ),
    'a.tar.bz2': (
        _compress(bz2.compress),
        'bunzip2 < {path} > {folder}/a.tar',
    ),
    'a.tar.xz': (_compress(lzma.compress), 'xz -d < {path} > {folder}/a.tar'),
    'a.zip': (_zip, 'unzip {path} -d {folder}/a'),
    'b.tar': (_zip, 'unzip {path} -d {folder}/b'),
    'c.tar': (
        lambda path: path.write_bytes(b'PAR1'),
        'is a parquet file; rename it',
    ),
    'd.csv': (lambda path: path.write_text('x'), 'is of another type; expect'),
    'e.jpg': (lambda path: path.write_text('x'), 'is one image; give its fol'),
    'f.tar': (os.mkfifo, 'is a named pipe (FIFO); expected a regular file'),
    'g.txt': (os.mkfifo, 'is a named pipe (FIFO); expected a regular file'),
    'h.tar': (_write_zeros_link, 'is a device; expected a regular file'),
    'i': (_write_zeros_link, 'is a device; expected a regular file'),
    'j.parquet': (os.mkfifo, 'is a named pipe (FIFO); expected a regular'),
}
