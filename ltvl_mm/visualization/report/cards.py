"""Cards of the gallery: images of each class, and near-duplicates."""

from collections.abc import Sequence
from pathlib import Path

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.visualization.report.gallery import (
    Thumbnail,
    encode_thumbnail,
    make_thumbnails,
    plan_gallery,
)
from ltvl_mm.visualization.report.retrieved_images import (
    Retrieval,
    find_probabilities,
)
from ltvl_mm.visualization.report.study import Study

# Characters of a picture in the page, without the picture itself.
_MARKUP = 500


def make_gallery(
    study: Study,
    retrieval: Retrieval,
    room: int,
    *,
    training: Sequence[Sequence[Path]] | None = None,
) -> dict:
    """Return the classes with their thumbnails, and the near-duplicates.

    Args:
        study: The runs.
        retrieval: Retrieval of the study.
        room: Characters that the gallery may take.
        training: Files of training images of each class; None shows none.
    """
    copies = _picture_copies(retrieval, room // 4)
    room -= sum(len(one['web']) + len(one['original']) for one in copies)
    # The words about a class take room as well.
    room -= _MARKUP * (len(copies) + len(study.class_names))
    originals = picture_training(training or (), room // 5)
    room -= sum(len(one) + _MARKUP for some in originals for one in some)
    shown, most = plan_gallery(
        retrieval.manifest, retrieval.root, room, markup=_MARKUP
    )
    pictures = make_thumbnails(retrieval.manifest, retrieval.root, shown, most)
    classes = [
        _make_card(study, retrieval, label, thumbnails)
        | {'training': originals[label] if originals else []}
        for label, thumbnails in pictures.items()
    ]
    return {
        'classes': classes,
        'most': most,
        'left_out': int((retrieval.counts > 0).sum()) - len(classes),
        'shown': sum(len(one['pictures']) for one in classes),
        'unreadable': sum(
            not thumbnail.picture
            for one in classes
            for thumbnail in one['pictures']
        ),
        'total': len(retrieval.manifest),
        'has_training': any(originals),
        'is_probability': find_probabilities(retrieval.manifest) is not None,
        'copies': copies,
        'groups': [name for name in GROUPS if name in study.groups],
        'source': retrieval.manifest.source,
        'root': retrieval.root,
        'commands': retrieval.commands,
        'report': retrieval.report,
    }


def _make_card(
    study: Study, retrieval: Retrieval, label: int, pictures: list[Thumbnail]
) -> dict:
    """Return what the gallery shows of a class, best image first."""
    about = retrieval.describe_class(label)
    retrieved = int(retrieval.counts[label])
    return {
        'label': label,
        'name': retrieval.manifest.class_names[label],
        'group': study.groups[label] if study.counts is not None else '',
        'images': '' if study.counts is None else study.counts[label],
        'retrieved': retrieved,
        'share': retrieved / (about.get('wanted') or retrieved),
        'best': pictures[0].score,
        'about': about,
        'pictures': pictures,
    }


def picture_training(
    training: Sequence[Sequence[Path]], room: int
) -> list[list[str]]:
    """Return thumbnails of the training images of each class.

    Evenly many of each class, as many as there is room for; those that cannot
    be read are left out.

    Args:
        training: Files of each class.
        room: Characters that they may take together.
    """
    most = max(map(len, training), default=0)
    found: list[list[str]] = [[] for _ in training]
    total = most * len(training)
    with progress_bar(total=total, title='training', unit='img') as bar:
        for place in range(most):
            layer = []
            for files in training:
                file = files[place] if place < len(files) else None
                layer.append('' if file is None else encode_thumbnail(file))
                bar.update()
            room -= sum(len(one) + _MARKUP for one in layer if one)
            if room < 0:
                break
            for some, one in zip(found, layer, strict=True):
                if one:
                    some.append(one)
    return found


def _picture_copies(retrieval: Retrieval, room: int) -> list[dict]:
    """Return near-duplicates with pictures, as many as there is room for."""
    found = []
    for one in retrieval.copies:
        web, original = (
            encode_thumbnail(retrieval.root / file) if file else ''
            for file in (one.picture, one.original)
        )
        room -= len(web) + len(original) + _MARKUP
        if room < 0:
            break
        found.append(
            {
                'about': one,
                'web': web,
                'original': original,
                'names': [
                    retrieval.manifest.class_names[label]
                    for label in one.class_ids
                ],
            }
        )
    return found
