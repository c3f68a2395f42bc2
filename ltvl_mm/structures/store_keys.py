"""Keys of a store: digests of whole columns, and repeated keys."""

import hashlib

import numpy as np
import pyarrow as pa

from ltvl_mm.utils.rng import make_generator

# Bytes hashed at a time, and the longest key with random weights of its own.
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

    The hash is a sum of random weights times bytes. Different keys rarely
    share one, so that keys are compared only where hashes are equal.
    """
    weights = make_generator(0, _LONGEST).integers(
        1 << 63, size=_LONGEST, dtype=np.uint64
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
    order = np.argsort(hashes, kind='stable')
    same = hashes[order[1:]] == hashes[order[:-1]]
    return np.unique(np.concatenate([order[1:][same], order[:-1][same]]))


def _hash_rows(
    starts: np.ndarray, data: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    lengths = np.diff(starts)
    place = np.arange(len(data)) - np.repeat(starts[:-1] - starts[0], lengths)
    products = weights[place % _LONGEST] * (data.astype(np.uint64) + 1)
    # reduceat gives an empty key the value of the next byte, so pad and mask.
    sums = np.add.reduceat(
        np.append(products, np.uint64(0)), starts[:-1] - starts[0]
    )
    # The low bits of a product depend on few bits: mix in the high ones.
    return np.where(lengths > 0, sums ^ (sums >> np.uint64(32)), 0)


def _find_bytes(chunk: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows + 1,) int64 starts and the (bytes,) uint8 of strings."""
    chunk = chunk.cast(pa.large_string())
    _, offsets, data = chunk.buffers()
    starts = np.frombuffer(offsets, np.int64)
    starts = starts[chunk.offset : chunk.offset + len(chunk) + 1]
    whole = np.frombuffer(data or b'', np.uint8)
    return starts - starts[0], whole[starts[0] : starts[-1]]
