"""Choose background classes: common names that are none of the classes."""

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_names import load_class_names

BUILTIN, NONE, AUTO = 'builtin', 'none', 'auto'
BACKGROUND_HELP = (
    'builtin: common English nouns; none; a file, one name per line; or a '
    '.npz of class queries'
)
# With as many classes of its own, a softmax needs no others. Precision rose
# with them for 8, 19 and 60 classes of real photos, and fell for 96 classes of
# the emoji world and 1,000 of ImageNet (docs/web_memory.md).
ENOUGH_CLASSES = 64
# Of embeddings from which the mean of all texts was subtracted: unrelated
# names lie around 0, whatever the encoder. Of pairs of the emoji world's 96
# classes, which share no picture, 1 % lie above.
MAX_COSINE = 0.5
# Each name costs as many texts. A mean of 8 prompts is close to that of 80.
MAX_TEMPLATES = 8


def load_builtin_names() -> tuple[str, ...]:
    """Return the common nouns that the package holds."""
    file = files('ltvl_mm') / 'retrieval/common_nouns.txt'
    return load_class_names(Path(str(file)))


def resolve_auto(
    setting: str | Path,
    num_classes: int,
    score: str,
    *,
    has_names: bool = True,
) -> str:
    """Return ``'builtin'``, ``'none'`` or a file.

    Args:
        setting: Value of ``--background``; ``'auto'`` uses the built-in list
            for fewer than 64 classes.
        num_classes: K.
        score: Score that ranks images. The cosine compares no classes.
        has_names: False if the classes are text features of the user, which
            no encoder of names stands behind.

    Raises:
        ValueError: If background classes are asked for with
            ``score='cosine'``.
    """
    setting = str(setting)
    if setting == AUTO:
        few = num_classes < ENOUGH_CLASSES and score != 'cosine'
        return BUILTIN if few and has_names else NONE
    if setting != NONE and score == 'cosine':
        raise ValueError(
            f'background={setting!r} changes nothing with score=cosine, '
            f'which compares no classes; use score=softmax, or '
            f'background=none'
        )
    return setting


def thin_templates(templates: Sequence[str]) -> tuple[str, ...]:
    """Return at most 8 templates, evenly spaced, for the background.

    Args:
        templates: P sentences with ``{}``.
    """
    step = -(-len(templates) // MAX_TEMPLATES)
    return tuple(templates[::step])


def find_same_names(
    names: Sequence[str], class_names: Sequence[str]
) -> dict[str, str]:
    """Return the names that are, hold or are part of a class name.

    Words are compared without case and plural: ``'truck'`` is part of the
    class ``'fire trucks'``, and ``'hot dog'`` holds the class ``'dog'``.

    Args:
        names: M background names.
        class_names: K names of classes.

    Returns:
        Background name -> reason.
    """
    classes = [(_split_words(name), name) for name in class_names]
    found = {}
    for name in names:
        words = _split_words(name)
        for other, class_name in classes:
            if words and other and (words <= other or other <= words):
                found[name] = f'shares its words with {class_name!r}'
                break
    return found


def find_synonyms(
    names: Sequence[str],
    embeddings: np.ndarray,
    class_names: Sequence[str],
    class_embeddings: np.ndarray,
    *,
    max_cosine: float = MAX_COSINE,
) -> dict[str, str]:
    """Return the names whose prompts are near to those of a class.

    Text embeddings lie in a narrow cone, of which the width differs between
    encoders. The mean of all is therefore subtracted first.

    Args:
        names: M background names.
        embeddings: (M, D), L2-normalized.
        class_names: K names of classes.
        class_embeddings: (K, D), L2-normalized.
        max_cosine: Names with a larger cosine to a class are near-synonyms.

    Returns:
        Background name -> reason.
    """
    mean = np.concatenate([class_embeddings, embeddings]).mean(0)
    cosines = _center(embeddings, mean) @ _center(class_embeddings, mean).T
    nearest = cosines.argmax(1)
    return {
        name: f'cosine {cosines[row, nearest[row]]:.2f} to '
        f'{class_names[nearest[row]]!r}'
        for row, name in enumerate(names)
        if cosines[row, nearest[row]] > max_cosine
    }


def _center(embeddings: np.ndarray, mean: np.ndarray) -> np.ndarray:
    moved = embeddings - mean
    norms = np.linalg.norm(moved, axis=1, keepdims=True)
    return moved / np.maximum(norms, 1e-12)


def _split_words(name: str) -> frozenset[str]:
    words = re.findall(r'\w+', name.lower())
    return frozenset(
        word[:-1] if word.endswith('s') and not word.endswith('ss') else word
        for word in words
    )
