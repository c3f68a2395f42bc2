"""Match the paths of a published list with the user's image folders.

Copies of one list differ in nothing but the folders before an image's name:
``train/airfield/00004851.jpg`` in one, ``data_256/a/airfield/00004851.jpg`` in
another. So a path is read as the folder of its class and its file name, and
written as the template says that fits the images that are there.

Templates hold ``{folder}``, the folder of the class, which may be nested,
``{letter}``, its first letter, and ``{file}``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltvl_mm.structures.image_list import ImageList

Layouts = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class PlacedImage:
    """An image of a list, whatever its folders.

    Attributes:
        source: Key of the layouts, e.g. ``'train'``.
        folder: Folder of its class; None if the path does not show it.
        file: Its name.
    """

    source: str
    folder: str | None
    file: str


def read_path(path: str, layouts: Layouts) -> PlacedImage:
    """Return which image a path of a list means.

    The first layout that fits wins: the published one of each source is
    asked before the others.

    Raises:
        ValueError: If none fits, or the path leaves its folder.
    """
    if path.startswith('/') or '..' in path.split('/'):
        raise ValueError(f'{path!r} leaves the folder of the images')
    for pattern, source in _patterns(layouts):
        found = pattern.fullmatch(path)
        if found:
            parts = found.groupdict()
            return PlacedImage(source, parts.get('folder'), parts['file'])
    known = ', '.join(form for forms in layouts.values() for form in forms)
    raise ValueError(f'{path!r} is laid out as none of {known}')


def place_images(lists: Mapping[str, ImageList], layouts: Layouts) -> dict:
    """Return split -> the images of its list, each with its class folder.

    Raises:
        ValueError: If a path cannot be read, a label has two folders, or no
            list tells a label's folder; names list and line.
    """
    placed: dict[str, list] = {}
    folders: dict[int, str | None] = {}
    for split, images in lists.items():
        placed[split] = []
        for number, (path, label) in enumerate(
            zip(images.paths, images.labels.tolist(), strict=True), 1
        ):
            try:
                image = read_path(path, layouts)
            except ValueError as error:
                raise ValueError(
                    f'{split} list, line {number}: {error}'
                ) from None
            folder = folders.setdefault(label, image.folder) or image.folder
            if image.folder is not None and image.folder != folder:
                raise ValueError(
                    f'{split} list, line {number}: label {label} is of '
                    f'{folder}, but the image lies in {image.folder}'
                )
            folders[label] = folder
            placed[split].append(image)
    unknown = [label for label, folder in folders.items() if folder is None]
    if unknown:
        raise ValueError(f'no list tells the folder of label {unknown[0]}')
    return {
        split: [
            PlacedImage(image.source, folders[label], image.file)
            for image, label in zip(
                images, lists[split].labels.tolist(), strict=True
            )
        ]
        for split, images in placed.items()
    }


def write_path(image: PlacedImage, template: str) -> str:
    """Return the path of an image in a layout."""
    return template.format(
        folder=image.folder,
        # Filled for each template, asked for by few.
        letter=(image.folder or '?')[0],
        file=image.file,
    )


def detect_layout(
    images: Sequence[PlacedImage],
    layouts: Layouts,
    exists: Callable[[str], bool],
    *,
    probes: int = 50,
) -> dict[str, str]:
    """Find out in which folder layout the images of each source lie.

    Args:
        images: Images of all lists.
        layouts: Templates of paths by source. If two fit equally well, the
            first is chosen.
        exists: Function that returns whether a relative path exists.
        probes: Number of images per source to check, evenly spread; default
            50.

    Returns:
        Source -> template whose paths exist for most of the checked images.

    Raises:
        ValueError: If no template of a source finds an image; names a path
            tried for each.
    """
    chosen = {}
    for source, templates in layouts.items():
        those = [image for image in images if image.source == source]
        if not those:
            continue
        picks = np.linspace(0, len(those) - 1, min(probes, len(those)))
        sample = [those[round(pick)] for pick in picks]
        hits = [
            sum(exists(write_path(image, template)) for image in sample)
            for template in templates
        ]
        if not any(hits):
            tried = ', '.join(write_path(sample[0], t) for t in templates)
            raise ValueError(
                f'none of {len(sample)} {source} images is there; tried '
                f'{tried}, and the like. Give --prefix-map OLD=NEW if the '
                f'images lie elsewhere below the root'
            )
        chosen[source] = templates[int(np.argmax(hits))]
    return chosen


def map_prefix(path: str, prefixes: Mapping[str, str]) -> str:
    """Return a path with the longest prefix that fits replaced.

    Args:
        path: Path in a list.
        prefixes: Old beginning of paths -> new beginning.

    Raises:
        ValueError: If none fits.
    """
    fit = [old for old in prefixes if path.startswith(old)]
    if not fit:
        raise ValueError(
            f'{path!r} begins with none of {", ".join(map(repr, prefixes))}'
        )
    old = max(fit, key=len)
    return prefixes[old] + path[len(old) :]


def _patterns(layouts: Layouts) -> list[tuple[re.Pattern, str]]:
    ranked = sorted(
        (rank, source, template)
        for source, templates in layouts.items()
        for rank, template in enumerate(templates)
    )
    return [(_compile(template), source) for _, source, template in ranked]


def _compile(template: str) -> re.Pattern:
    parts = {
        '{folder}': '(?P<folder>.+)',
        '{letter}': '[a-z]',
        '{file}': '(?P<file>[^/]+)',
    }
    pattern = re.escape(template).replace(r'\{', '{').replace(r'\}', '}')
    for part, meaning in parts.items():
        pattern = pattern.replace(part, meaning)
    return re.compile(pattern)
