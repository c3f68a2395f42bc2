"""Image decoder that a store was embedded with."""

from pathlib import Path

from ltvl_mm.utils.image_decoding import DECODER_CHANGES, DECODER_VERSION
from ltvl_mm.utils.io import read_json

# Stores did not record the version of the decoder before 2.
_UNRECORDED = 1


def read_decoder(root: Path) -> int | None:
    """Return the decoder version of a store that was begun in a folder.

    Args:
        root: Folder of a complete or incomplete store.

    Returns:
        The version; None if the folder is empty, or if another program
        embedded the images.

    Raises:
        ValueError: If the recorded version is not an integer.
    """
    for name in ('settings.json', 'store.json'):
        file = root / name
        if file.is_file():
            header = read_json(file)
            if 'indexed' in header:
                return None
            version = header.get('decoder', _UNRECORDED)
            if type(version) is not int:
                raise ValueError(
                    f'{file}: decoder must be a whole number, got '
                    f'{version!r:.80}; restore the file from a copy'
                )
            return version
    return None


def describe_old_decoder(root: Path, arch: str) -> str | None:
    """Return a warning if a store has another decoder version, else None.

    Args:
        root: Folder of the store.
        arch: Architecture of its encoder, for the command in the message.
    """
    version = read_decoder(root)
    if version in (None, DECODER_VERSION):
        return None
    changed = '; '.join(
        text for number, text in DECODER_CHANGES.items() if number > version
    )
    return (
        f'the images of the store {root} were decoded by version {version} of '
        f'the image decoder, this is version {DECODER_VERSION}. Decoded '
        f'differently: {changed or "unknown images (update ltvl_mm)"}. '
        f'Near-duplicates of such images are not recognized, and they are '
        f'ranked by other pixels than a student sees. If the collection has '
        f'such images, embed it again: python tools/embed_images.py INPUTS '
        f'-o NEW_FOLDER --arch {arch}'
    )
