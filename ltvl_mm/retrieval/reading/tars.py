"""Images and captions in tars.

Not read with webdataset: a retrieved image is later fetched by its byte
offset, members of one sample need not be adjacent, and a tar that was cut has
to give the images before the cut.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mmengine.logging import print_log

from ltvl_mm.retrieval.reading.image_text import MAX_WORDS, describe_image
from ltvl_mm.retrieval.reading.tar_format import (
    BrokenTarError,
    TarMember,
    iterate_members,
    read_data,
)
from ltvl_mm.retrieval.reading.tar_names import (
    WORD_SUFFIXES,
    MemberName,
    WordIndex,
    hash_name,
    iterate_unclaimed,
    split_name,
)
from ltvl_mm.retrieval.reading.web_image import (
    MAX_IMAGE_BYTES,
    NOT_WANTED,
    WebImage,
    escape_text,
)
from ltvl_mm.utils.image_decoding import list_image_suffixes
from ltvl_mm.utils.image_folders import LeftOut, is_hidden_path
from ltvl_mm.utils.regular_files import open_regular

# Members that are held until their sample ends; a hostile tar may have a
# million in one sample. Captions that come later are found by their offset.
_MAX_HELD = 16


def iterate_tar(
    file: Path, name: str, wanted: Callable[[int], bool] | None = None
) -> Iterator[WebImage]:
    """Yield each image of a tar once; never raise for the tar's content.

    A name with one dot gives webdataset's key: ``dir/a.jpg`` is ``dir/a``.
    A name with several dots, and the second image of a key (``a.png`` after
    ``a.jpg``), keep the full name. Of members with the same name the first is
    read, and the others are listed as not readable. Captions (``a.txt``) and
    records (``a.json``) may be anywhere in the tar; those that belong to no
    image are left out. Nothing is extracted, no link is followed, and hidden
    members are left out.

    Args:
        file: The tar, or several concatenated ones.
        name: Prefix of the keys.
        wanted: Function that tells by its index in the tar whether an image
            is to be read; of others, only headers are. None to read all.
    """
    left_out, images = LeftOut(), 0
    try:
        with open_regular(file) as handle:
            reader = _TarReader(handle, file, name, left_out, wanted)
            for image in reader.iterate():
                images += 1
                yield image
    # MemoryError: of a machine that has less memory than one large image.
    except (OSError, ValueError, OverflowError, MemoryError) as error:
        yield WebImage(
            name, None, reason=f'the tar is broken from here: {error}'
        )
        images += 1
    # Of several workers, the first reports what is left out.
    first = wanted is None or wanted(0)
    if first and (left_out or not images):
        print_log(
            f'{file}: {images or "no"} images; left out: '
            f'{left_out or "nothing"}',
            'current',
            level=30,
        )


@dataclass
class _Sample:
    """Adjacent members with the same webdataset key.

    Args:
        key: The key.
        images: (name, member, data) of images; data is read early for the
            first one only.
        words: (stem, suffix) of captions and records -> their first bytes, or
            the member where these are not read yet.
        others: Names of other members.
    """

    key: str
    images: list[tuple[MemberName, TarMember, bytes | None]] = field(
        default_factory=list
    )
    words: dict[tuple[str, str], bytes | TarMember] = field(
        default_factory=dict
    )
    others: list[str] = field(default_factory=list)


class _TarReader:
    """Group the members of a tar into samples, and samples into images."""

    def __init__(
        self,
        handle: IO[bytes],
        file: Path,
        name: str,
        left_out: LeftOut,
        wanted: Callable[[int], bool] | None,
    ) -> None:
        self.wanted = wanted
        self.index = 0  # of the next image to yield
        self.handle = handle
        self.file = file
        self.name = name
        self.left_out = left_out
        self.seen: set[int] = set()
        self.words: WordIndex | None = None
        # Hashes of the captions and records in the tar, and of those that
        # its images have, if they are there.
        self.offered, self.claimed = array('Q'), array('Q')

    def iterate(self) -> Iterator[WebImage]:
        """Yield images, in the order of the tar.

        The sample at the cut of a tar may be incomplete and is not yielded.
        """
        sample = _Sample('')
        try:
            for member in self._iterate_files():
                name = split_name(member.name)
                held = len(sample.images) + len(sample.words)
                if name.sample != sample.key or held >= _MAX_HELD:
                    yield from self._read_images(sample)
                    sample = _Sample(name.sample)
                self._add(sample, name, member)
        except BrokenTarError as error:
            if error.after_end:
                yield from self._read_images(sample)
            raise
        yield from self._read_images(sample)
        for lost in iterate_unclaimed(self.handle, self.offered, self.claimed):
            self.left_out.add('captions and records of no image', lost)

    def _iterate_files(self) -> Iterator[TarMember]:
        for member in iterate_members(self.handle):
            if member.kind == 'folder':
                continue
            if is_hidden_path(member.name):
                self.left_out.add('hidden members', member.name)
            elif member.kind in ('link', 'special'):
                self.left_out.add('links and devices', member.name)
            else:
                yield member

    def _add(
        self, sample: _Sample, name: MemberName, member: TarMember
    ) -> None:
        if name.suffix in list_image_suffixes():
            early = (
                not sample.images
                and _find_fault(member) is None
                and self._is_wanted(self.index)
            )
            data = read_data(self.handle, member) if early else None
            sample.images.append((name, member, data))
        elif name.suffix in WORD_SUFFIXES and member.kind == 'file':
            entry = (name.stem, name.suffix)
            self.offered.append(hash_name('.'.join(entry)))
            if entry not in sample.words:
                sample.words[entry] = (
                    read_data(self.handle, member, max_bytes=MAX_WORDS)
                    if self._is_wanted(self.index)
                    else member
                )
        elif not sample.images and len(sample.others) < _MAX_HELD:
            sample.others.append(name.full)

    def _read_images(self, sample: _Sample) -> Iterator[WebImage]:
        if not sample.images:
            for other in sample.others:
                self.left_out.add('members of other types', other)
        for name, member, data in sample.images:
            self.claimed.extend(
                hash_name(f'{stem}.{suffix}')
                for stem in dict.fromkeys((name.stem, name.sample))
                for suffix in WORD_SUFFIXES
            )
            key, new = self._choose_key(name)
            key = escape_text(f'{self.name}/{key}')
            wanted = self._is_wanted(self.index)
            self.index += 1
            if not wanted:
                yield WebImage(key, None, reason=NOT_WANTED)
                continue
            fault = _find_fault(member)
            if not new:
                fault = 'a second image of this key'
            if fault is not None:
                yield WebImage(key, None, reason=fault)
                continue
            if data is None:
                data = read_data(self.handle, member)
            words = [
                self._find_words(sample, name, end) for end in WORD_SUFFIXES
            ]
            yield WebImage(
                key,
                data,
                source=str(self.file),
                offset=member.offset,
                **describe_image(*words),
            )

    def _is_wanted(self, index: int) -> bool:
        return self.wanted is None or self.wanted(index)

    def _choose_key(self, name: MemberName) -> tuple[str, bool]:
        """Return the key of an image, and False if its name came before."""
        full, stem = escape_text(name.full), escape_text(name.stem)
        single = name.stem == name.sample
        if hash_name(full) in self.seen:
            return stem if single else full, False
        key = full if not single or hash_name(stem) in self.seen else stem
        self.seen |= {hash_name(full), hash_name(key)}
        return key, True

    def _find_words(
        self, sample: _Sample, name: MemberName, suffix: str
    ) -> bytes | None:
        """Return a caption or record from the sample, or from the tar."""
        stems = dict.fromkeys((name.stem, name.sample))
        for stem in stems:
            words = sample.words.get((stem, suffix))
            if isinstance(words, TarMember):
                return read_data(self.handle, words, max_bytes=MAX_WORDS)
            if words is not None:
                return words
        if self.words is None:
            self.words = WordIndex(self.handle)
        for stem in stems:
            member = self.words.find(stem, suffix)
            if member is not None:
                return read_data(self.handle, member, max_bytes=MAX_WORDS)
        return None


def _find_fault(member: TarMember) -> str | None:
    """Return why the data of an image member is not read, or None."""
    if member.kind == 'sparse':
        return (
            'stored with holes (tar --sparse); extract the tar and pack it '
            'again without --sparse'
        )
    if member.size > MAX_IMAGE_BYTES:
        return f'{member.size} bytes is too large'
    return None
