"""Copy retrieved images from local folders that the user names.

The metadata of a store of another program may name any file of this machine.
So none is read by its name: the user gives the folders, and only regular
files inside them are read.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmengine.dist import get_rank

from ltvl_mm.retrieval.options import RetrievalOptions
from ltvl_mm.retrieval.reading.placed_downloads import place_downloads
from ltvl_mm.utils.launch import broadcast_object


def leave_copying(
    options: RetrievalOptions, folders: Sequence[str | Path]
) -> RetrievalOptions:
    """Return options that leave the copying to :func:`place_local_images`.

    Args:
        options: Options of the retrieval.
        folders: Folders of the local images.

    Raises:
        ValueError: If a folder does not exist, or ``options.copy`` is
            ``'tar'``.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            raise ValueError(
                f'the folder of local images {folder} does not exist'
            )
    if options.copy == 'tar':
        raise ValueError(
            "local images are copied to a folder, but copy is 'tar'; leave "
            'one of the two out'
        )
    return replace(options, copy='none')


def place_local_images(
    out: str | Path, folders: Sequence[str | Path]
) -> dict | None:
    """Copy the retrieved images from local folders, and make the manifest.

    See :func:`ltvl_mm.retrieval.reading.placed_downloads.place_downloads`.

    Args:
        out: Folder of a retrieval whose options are from
            :func:`leave_copying`.
        folders: Folders with the files that the keys name.

    Returns:
        The content of ``missing.json`` on rank 0; None on the others.

    Raises:
        ValueError: If no retrieved image is in the folders.
    """
    report, error = None, None
    if get_rank() == 0:
        try:
            report = place_downloads(
                out, [str(one) for one in folders], own_files=True
            )
        except ValueError as problem:
            error = str(problem)
    error = broadcast_object(error)
    if error is not None:
        raise ValueError(error)
    return report
