"""Keys of a store: digests of whole columns, and repeated keys."""

import hashlib

import numpy as np
import pyarrow as pa

from ltvl_mm.utils.rng import make_generator

# Bytes hashed at a time, and pieces of a key with random weights of their own.
_BLOCK = 1 << 20
_LONGEST = 4096


def bind_keys(sha256: str, keys: pa.ChunkedArray) -> str:
    """Return a digest of embeddings and their keys, in their order.

    Args:
        sha256: Digest of the file of embeddings.
        keys: Key of each row.
    """
    starts, data = _find_bytes(pa.concat_arrays(keys.chunks))
    digest = hashlib.sha256(sha256.encode())
    digest.update(np.diff(starts))
    digest.update(data)
    return digest.hexdigest()


def hash_keys(keys: pa.ChunkedArray) -> np.ndarray:
    """Return a (rows,) uint64 hash of each key; equal keys, equal hashes.

    The hash is a sum of random weights times pieces of four bytes. Different
    keys rarely share one, so that keys are compared only where hashes are
    equal.
    """
    weights = make_generator(0, _LONGEST).integers(
        1 << 63, size=_LONGEST + 1, dtype=np.uint64
    )
    found = [np.empty(0, np.uint64)]
    for chunk in keys.chunks:
        starts, data = _find_bytes(chunk)
        first = 0
        while first < len(chunk):
            # Rows whose keys have about a block of bytes.
            stop = np.searchsorted(starts, starts[first] + _BLOCK, 'right')
            last = max(first + 1, min(int(stop) - 1, len(chunk)))
            cut = starts[first : last + 1]
            found.append(_hash_rows(cut, data[cut[0] : cut[-1]], weights))
            first = last
    return np.concatenate(found)


def find_repeated(hashes: np.ndarray) -> np.ndarray:
    """Return the sorted rows whose hash another row has, too."""
    # Sorting values is many times faster than sorting rows by value.
    ordered = np.sort(hashes)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(repeated):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.isin(hashes, repeated))


def _hash_rows(
    starts: np.ndarray, data: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    lengths = np.diff(starts)
    # The four bytes from any byte on are a piece.
    padded = np.append(data, np.zeros(4, np.uint8))
    if 0 < lengths.min() == lengths.max() <= _LONGEST:
        sums = _sum_equal(padded, len(lengths), int(lengths[0]), weights)
    else:
        sums = _sum_any(padded, starts[:-1] - starts[0], lengths, weights)
    # The length is a piece, too: padding alone would make 'a' equal 'a\0'.
    sums += weights[-1] * lengths.astype(np.uint64)
    # The low bits of a product depend on few bits: mix in the high ones.
    return sums ^ (sums >> np.uint64(32))


def _sum_equal(
    padded: np.ndarray, rows: int, length: int, weights: np.ndarray
) -> np.ndarray:
    """Sum the weighted pieces of keys of one length; five times faster."""
    count = -(-length // 4)
    shape, strides = (rows, count), (length, 4)
    pieces = np.ndarray(shape, '<u4', padded, strides=strides)
    sums = np.zeros(rows, np.uint64)
    for place in range(count - 1):
        sums += weights[place] * pieces[:, place]
    return sums + weights[count - 1] * (pieces[:, -1] & _mask(length))


def _sum_any(
    padded: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    counts = (lengths + 3) // 4
    ends = np.cumsum(counts)
    # Index of each piece within its key, and of its first byte.
    place = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    first = np.repeat(starts, counts) + 4 * place
    anywhere = np.ndarray(len(padded) - 3, '<u4', padded, strides=(1,))
    pieces = anywhere[first]
    filled = counts > 0
    pieces[ends[filled] - 1] &= _mask(lengths[filled])
    sums = np.zeros(len(lengths), np.uint64)
    if len(pieces):
        products = weights[place % _LONGEST] * pieces
        sums[filled] = np.add.reduceat(products, (ends - counts)[filled])
    return sums


def _mask(lengths: np.ndarray | int) -> np.ndarray:
    """Return a mask without the bytes of the last piece beyond the key."""
    beyond = np.asarray(-lengths % 4 * 8, np.uint32)
    return np.uint32(0xFFFFFFFF) >> beyond


def _find_bytes(chunk: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows + 1,) int64 starts and the (bytes,) uint8 of strings."""
    chunk = chunk.cast(pa.large_string())
    _, offsets, data = chunk.buffers()
    starts = np.frombuffer(offsets, np.int64)
    starts = starts[chunk.offset : chunk.offset + len(chunk) + 1]
    whole = np.frombuffer(data or b'', np.uint8)
    return starts - starts[0], whole[starts[0] : starts[-1]]
