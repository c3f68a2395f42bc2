"""Web images in tars, and retrieved ones.

Read with the standard library and not with webdataset because a retrieved
image is later fetched by its byte offset, and because a tar that was cut in
the middle has to give what stands before the cut.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from ltvl_mm.retrieval.image_words import describe_image
from ltvl_mm.retrieval.web_image import (
    IMAGE_SUFFIXES,
    WebImage,
    escape_text,
)

# Larger members of a tar are no images of the web.
MAX_MEMBER_BYTES = 64 << 20

# Of a sample nothing else is read: it may have a thousand other members.
_SUFFIXES_READ = IMAGE_SUFFIXES | {'txt', 'json'}
_END_OF_TAR = bytes(tarfile.BLOCKSIZE)
# What tarfile raises for hostile headers.
_TAR_ERRORS = (
    tarfile.TarError,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
    MemoryError,
)


def iterate_tar(file: Path, name: str) -> Iterator[WebImage]:
    """Yield the images of a tar; never raises for what is in it.

    Args:
        file: The tar, as webdataset and img2dataset write it: members of
            one stem follow each other. Nothing is extracted and no link is
            followed.
        name: What keys begin with.
    """
    seen: set[str] = set()
    sample: dict[str, tuple[int, bytes]] = {}
    stem = None
    try:
        with tarfile.open(file, 'r:') as tar:
            for member in tar:
                tar.members = []  # tarfile would keep them all
                path = PurePosixPath(member.name)
                base, _, suffix = path.name.partition('.')
                # Links, devices, folders, files with holes, hidden files.
                if not member.isreg() or member.issparse() or not base:
                    continue
                suffix = suffix.lower()
                here = str(path.with_name(base))
                if stem is not None and (here != stem or suffix in sample):
                    yield _join_sample(file, f'{name}/{stem}', sample, seen)
                    sample = {}
                stem = here
                if member.size > MAX_MEMBER_BYTES:
                    sample.setdefault('too large', (member.size, b''))
                    continue
                data = (
                    tar.extractfile(member).read()
                    if suffix in _SUFFIXES_READ
                    else b''
                )
                sample[suffix] = (member.offset_data, data)
            # tarfile takes a broken header for the end, and says nothing.
            tar.fileobj.seek(tar.offset)
            if tar.fileobj.read(tarfile.BLOCKSIZE) != _END_OF_TAR:
                raise tarfile.ReadError('no member and no end mark')
        if stem is not None:
            yield _join_sample(file, f'{name}/{stem}', sample, seen)
    # The sample at the cut is incomplete, so it is not yielded.
    except _TAR_ERRORS as error:
        yield WebImage(
            name, None, reason=f'the tar is broken from here: {error}'
        )


def write_tar(file: IO[bytes], members: Iterable[tuple[str, bytes]]) -> None:
    """Write (name, bytes) members; equal ones give equal bytes."""
    with tarfile.open(fileobj=file, mode='w', format=tarfile.USTAR_FORMAT) as (
        tar
    ):
        for name, data in members:
            member = tarfile.TarInfo(name)  # of no one, and of no time
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def _join_sample(
    file: Path,
    key: str,
    sample: dict[str, tuple[int, bytes]],
    seen: set[str],
) -> WebImage:
    key = escape_text(key)
    if key in seen:
        return WebImage(key, None, reason='a second image of this key')
    seen.add(key)
    suffix = next((s for s in sample if s in IMAGE_SUFFIXES), None)
    if suffix is None:
        size = sample.get('too large', (0, b''))[0]
        return WebImage(
            key,
            None,
            reason=(
                f'{size} bytes is too large' if size else 'no image member'
            ),
        )
    offset, data = sample[suffix]
    words = [sample[s][1] if s in sample else None for s in ('txt', 'json')]
    return WebImage(
        key, data, source=str(file), offset=offset, **describe_image(*words)
    )
