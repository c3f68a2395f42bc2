"""Names of tar members, and captions looked up by name."""

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from ltvl_mm.retrieval.reading.image_text import MAX_WORDS
from ltvl_mm.retrieval.reading.tar_format import (
    BrokenTarError,
    TarMember,
    iterate_members,
)
from ltvl_mm.utils.image_folders import is_hidden_path

WORD_SUFFIXES = ('txt', 'json')


@dataclass
class MemberName:
    """Parts of a member's name.

    Args:
        full: The path without ``.`` parts, as in ``d/a.b.jpg``.
        sample: webdataset's key, up to the first dot: ``d/a``.
        stem: Up to the last dot: ``d/a.b``.
        suffix: Behind the last dot, in lower case: ``jpg``.
    """

    full: str
    sample: str
    stem: str
    suffix: str


class WordIndex:
    """Offsets of all captions and records of a tar, 24 bytes each."""

    def __init__(self, handle: IO[bytes]) -> None:
        hashes, offsets, sizes = array('Q'), array('Q'), array('Q')
        try:
            for member in iterate_members(handle):
                if member.kind != 'file' or is_hidden_path(member.name):
                    continue
                name = split_name(member.name)
                if name.suffix in WORD_SUFFIXES:
                    hashes.append(hash_name(f'{name.stem}.{name.suffix}'))
                    offsets.append(member.offset)
                    sizes.append(min(member.size, MAX_WORDS))
        except BrokenTarError:
            pass  # reported where the images are read
        order = np.argsort(np.array(hashes, np.uint64), kind='stable')
        self.hashes = np.array(hashes, np.uint64)[order]
        self.offsets = np.array(offsets, np.uint64)[order]
        self.sizes = np.array(sizes, np.uint64)[order]

    def find(self, stem: str, suffix: str) -> TarMember | None:
        """Return the first member of this name."""
        wanted = np.uint64(hash_name(f'{stem}.{suffix}'))
        place = int(np.searchsorted(self.hashes, wanted))
        if place == len(self.hashes) or self.hashes[place] != wanted:
            return None
        offset, size = int(self.offsets[place]), int(self.sizes[place])
        return TarMember(f'{stem}.{suffix}', 'file', offset, size)


def iterate_unclaimed(
    handle: IO[bytes], offered: array, claimed: array
) -> Iterator[str]:
    """Yield the names of captions and records that no image has.

    Reads the headers of the tar once more, but only if there are any.

    Args:
        handle: The tar.
        offered: Hashes (:func:`hash_name`) of all captions and records.
        claimed: Hashes of the names that captions of the images may have.
    """
    lost = np.setdiff1d(np.array(offered, 'u8'), np.array(claimed, 'u8'))
    for member in iterate_members(handle) if len(lost) else ():
        if member.kind != 'file' or is_hidden_path(member.name):
            continue
        name = split_name(member.name)
        if name.suffix in WORD_SUFFIXES:
            wanted = np.uint64(hash_name(f'{name.stem}.{name.suffix}'))
            place = int(np.searchsorted(lost, wanted))
            if place < len(lost) and lost[place] == wanted:
                yield name.full


def split_name(name: str) -> MemberName:
    """Split the name of a member at its dots."""
    full = name
    # Most names are in the form that pathlib, ten times slower, gives them.
    if '//' in name or '/.' in name or name[:1] == '.' or name[-1:] == '/':
        full = str(PurePosixPath(name))
    base = full.rpartition('/')[2]
    if base.strip('.') == '':
        return MemberName(name, name, name, '')
    folder = full[: len(full) - len(base)]
    first = base.partition('.')[0]
    stem, _, suffix = base.rpartition('.')
    if not stem:
        stem, suffix = base, ''
    return MemberName(full, folder + first, folder + stem, suffix.lower())


def hash_name(text: str) -> int:
    """Return 64 bits of a hash that is equal in all processes."""
    data = text.encode('utf-8', 'surrogateescape')
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), 'big')
