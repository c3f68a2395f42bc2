"""Digests of a store's files: sha256 for audits, xxh3 for quick checks."""

import hashlib
from pathlib import Path

import xxhash

from ltvl_mm.utils.io import hash_file
from ltvl_mm.utils.regular_files import open_regular

_BLOCK_BYTES = 1 << 20


def digest_file(file: Path) -> tuple[str, str]:
    """Return the sha256 and the xxh3_128 of a file, reading it once.

    Args:
        file: Regular file.

    Returns:
        64 and 32 hex digits.
    """
    sha256, xxh3 = hashlib.sha256(), xxhash.xxh3_128()
    with open_regular(file) as handle:
        while block := handle.read(_BLOCK_BYTES):
            sha256.update(block)
            xxh3.update(block)
    return sha256.hexdigest(), xxh3.hexdigest()


def matches_digest(file: Path, sha256: str, xxh3: str) -> bool:
    """Return whether a file has its recorded digest.

    Args:
        file: Regular file.
        sha256: Recorded sha256; '' if none was recorded.
        xxh3: Recorded xxh3_128, which is compared instead of sha256 since it
            is many times faster; '' if none was recorded.

    Returns:
        True if the digests are equal or none was recorded.
    """
    if not xxh3:
        return not sha256 or hash_file(file) == sha256
    digest = xxhash.xxh3_128()
    with open_regular(file) as handle:
        while block := handle.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest() == xxh3
