"""Choose background classes: common names that are none of the classes."""

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_names import load_class_names

_IRREGULAR = {
    'men': 'man',
    'women': 'woman',
    'children': 'child',
    'people': 'person',
    'mice': 'mouse',
    'geese': 'goose',
    'feet': 'foot',
    'teeth': 'tooth',
    'oxen': 'ox',
    'cacti': 'cactus',
    'octopi': 'octopus',
}
# Plurals with a meaning of their own: stained glass shows no spectacles.
_OWN_MEANING = {'glasses'}
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
# The mean of fewer texts depends on the pair that is compared: with one class
# and one name, the two become opposite.
ENOUGH_TEXTS = 100
# Cosine of texts as they are, where there is no mean to subtract. Of pairs of
# the built-in names, less than 0.1 % lie above with the toy CLIP.
MAX_RAW_COSINE = 0.95
_REFERENCE_STEP = 11
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


def pick_reference_names() -> tuple[str, ...]:
    """Return about 130 built-in names, whose mean text stands for all."""
    return load_builtin_names()[::_REFERENCE_STEP]


def mask_repeated_names(
    names: Sequence[str], embeddings: np.ndarray | None = None
) -> np.ndarray:
    """Return an (M,) mask of the names that an earlier one repeats.

    Names are compared without case and additional spaces.

    Args:
        names: M background names.
        embeddings: (M, D) embeddings, which must be equal, too; None
            (default) compares only the names.
    """
    seen = set()
    found = np.zeros(len(names), bool)
    for row, name in enumerate(names):
        numbers = b'' if embeddings is None else embeddings[row].tobytes()
        key = ' '.join(name.lower().split()), numbers
        found[row] = key in seen
        seen.add(key)
    return found


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
    all_names = [*names, *class_names]
    all_words = _split_words(all_names)
    classes = list(zip(all_words[len(names) :], class_names, strict=True))
    found = {}
    for name, words in zip(names, all_words, strict=False):
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
    mean: np.ndarray | None = None,
) -> dict[str, str]:
    """Return the names whose prompts are near to those of a class.

    Text embeddings lie in a narrow cone, of which the width differs between
    encoders. The mean of many texts is therefore subtracted first. Without
    ``mean``, it is that of all names and classes. One class and few names
    determine their mean themselves; then names with a cosine above 0.95 as
    they are count, too.

    Args:
        names: M background names.
        embeddings: (M, D), L2-normalized.
        class_names: K names of classes.
        class_embeddings: (K, D), L2-normalized.
        max_cosine: Names with a larger cosine to a class are near-synonyms.
        mean: (D,) mean embedding of many other names; None (default) for that
            of these names and classes.

    Returns:
        Background name -> reason.
    """
    one_class = len(class_names) == 1 and len(names) + 1 < ENOUGH_TEXTS
    use_raw = mean is None and one_class
    if mean is None:
        mean = np.concatenate([class_embeddings, embeddings]).mean(0)
    cosines = _center(embeddings, mean) @ _center(class_embeddings, mean).T
    found = _list_near(names, class_names, cosines, max_cosine)
    if use_raw:
        raw = embeddings @ class_embeddings.T
        found |= _list_near(names, class_names, raw, MAX_RAW_COSINE)
    return found


def _list_near(
    names: Sequence[str],
    class_names: Sequence[str],
    cosines: np.ndarray,
    max_cosine: float,
) -> dict[str, str]:
    """Return the names whose cosine to the nearest class is larger."""
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


def _split_words(names: Sequence[str]) -> list[frozenset[str]]:
    """Return the words of names, plurals as the singular that occurs."""
    split = [re.findall(r'\w+', name.lower()) for name in names]
    vocabulary = {word for words in split for word in words}
    singulars = {word: _find_singular(word, vocabulary) for word in vocabulary}
    return [frozenset(singulars[word] for word in words) for words in split]


def _drop_s(word: str) -> str:
    return word[:-1] if word.endswith('s') and word[-2:] != 'ss' else word


def _find_singular(word: str, vocabulary: set[str]) -> str:
    """Return the singular of an English noun, without a final s.

    Args:
        word: Lower-case word.
        vocabulary: Words among which the singular of other plurals than
            those in -s must be: "caves" are not of "cafe" beside "cave".
    """
    if word in _OWN_MEANING or word[:-1] in vocabulary:
        return _drop_s(word)
    candidates = [_IRREGULAR.get(word, '')]
    if word.endswith(('ses', 'xes', 'zes', 'ches', 'shes', 'oes')):
        candidates.append(word[:-2])
    if word.endswith('ies'):
        candidates.append(f'{word[:-3]}y')
    if word.endswith('ves'):
        candidates += [f'{word[:-3]}f', f'{word[:-3]}fe']
    found = next((one for one in candidates if one in vocabulary), word)
    return _drop_s(found)
