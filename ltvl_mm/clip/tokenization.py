"""Prompts of classes to token ids."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import torch

Templates: TypeAlias = Sequence[str] | Sequence[Sequence[str]]


class Tokenizer(Protocol):
    """Tokenizer of open_clip."""

    context_length: int

    def __call__(
        self, texts: str | list[str], context_length: int | None = None
    ) -> torch.Tensor:
        """Return (N, L) token ids."""


def tokenize_classes(
    class_names: Sequence[str],
    templates: Templates,
    tokenizer: Tokenizer,
) -> torch.Tensor:
    """Tokenize the prompts of each class, once for a whole training.

    Args:
        class_names: K names; may repeat.
        templates: Sentences with one ``{}`` for the name, shared by all
            classes; or K lists of sentences, one list per class, in which
            ``{}`` may be left out.
        tokenizer: Tokenizer; see :func:`ltvl_mm.clip.towers.build_tokenizer`.

    Returns:
        (K, P, L) token ids on the CPU, L the context length. Rows of zeros
        fill up a class that has fewer than P prompts.

    Raises:
        ValueError: If a class has no template, a shared one lacks ``{}``, or
            a prompt is longer than the context, which open_clip would cut.
    """
    tokens, too_long = _tokenize_names(class_names, templates, tokenizer)
    length = tokenizer.context_length
    for label, prompt in too_long:
        raise ValueError(
            f'the name of class {label}, {class_names[label]!r}, is too long: '
            f'its prompt {prompt!r} has {_count_tokens(prompt, tokenizer)} '
            f'tokens and the text tower reads {length}; shorten the name, or '
            f'take shorter prompts (--templates single, or a file with the '
            f'one line {{}})'
        )
    return tokens


def tokenize_fitting_classes(
    class_names: Sequence[str],
    templates: Templates,
    tokenizer: Tokenizer,
) -> tuple[torch.Tensor, set[str]]:
    """Tokenize the classes whose prompts fit into the context.

    Args:
        class_names: K names; may repeat.
        templates: Templates, see :func:`tokenize_classes`.
        tokenizer: Tokenizer; see :func:`ltvl_mm.clip.towers.build_tokenizer`.

    Returns:
        (F, P, L) token ids of the classes that fit, in their order, as
        :func:`tokenize_classes` returns them; and the names of which a prompt
        is longer than the context.
    """
    tokens, too_long = _tokenize_names(class_names, templates, tokenizer)
    long_names = {class_names[label] for label, _ in too_long}
    fits = [name not in long_names for name in class_names]
    return tokens[torch.tensor(fits)], long_names


def _tokenize_names(
    class_names: Sequence[str], templates: Templates, tokenizer: Tokenizer
) -> tuple[torch.Tensor, list[tuple[int, str]]]:
    """Return (K, P, L) tokens, and label and prompt of those that are cut."""
    groups = _fill_templates(class_names, templates)
    owners = [label for label, group in enumerate(groups) for _ in group]
    prompts = [prompt for group in groups for prompt in group]
    length = tokenizer.context_length
    tokens, too_long = _tokenize(prompts, tokenizer)
    counts = torch.tensor([len(group) for group in groups])
    filled = torch.arange(int(counts.max())) < counts[:, None]  # (K, P)
    result = tokens.new_zeros(*filled.shape, length)
    result[filled] = tokens[:, :length]
    return result, [(owners[row], prompts[row]) for row in too_long]


def _tokenize(
    prompts: list[str], tokenizer: Tokenizer
) -> tuple[torch.Tensor, list[int]]:
    """Return (N, L + 1) tokens, and the rows that do not fit into L."""
    length = tokenizer.context_length
    # One more than fits, so that what is too long shows.
    tokens = tokenizer(prompts, context_length=length + 1)
    last = _find_last_column(tokenizer, length)
    padding = tokenizer([''], context_length=length + 1)[0, -1]
    too_long = (tokens[:, last] != padding).nonzero().flatten().tolist()
    return tokens, too_long


def _find_last_column(tokenizer: Tokenizer, length: int) -> int:
    """Return the column that holds padding if a text of ``length`` fits.

    Of ``length`` + 1 columns it is the last, which holds the end-of-text
    token of a text that is cut. Tokenizers such as SigLIP's and CLIPA's pad
    with that token; then it is the column before, where a cut text has a
    word and one of exactly ``length`` tokens its end.
    """
    cut, empty = tokenizer(['a ' * 2 * length, ''], context_length=length + 1)
    return length - 1 if cut[-1] == empty[-1] else length


def _fill_templates(
    class_names: Sequence[str], templates: Templates
) -> list[list[str]]:
    shared = all(isinstance(template, str) for template in templates)
    wrong = [t for t in templates if '{}' not in t] if shared else []
    if wrong or not templates:
        raise ValueError(
            f'templates must be sentences with a {{}} for the class name, '
            f'got {wrong or list(templates)}'
        )
    groups: Sequence[Any] = (
        [templates] * len(class_names) if shared else templates
    )
    if len(groups) != len(class_names) or not all(groups):
        raise ValueError(
            f'templates by class must be one list of sentences for each of '
            f'the {len(class_names)} classes; got {len(groups)} lists with '
            f'{min(map(len, groups))} or more sentences'
        )
    return [
        [template.replace('{}', name) for template in group]
        for name, group in zip(class_names, groups, strict=True)
    ]


def _count_tokens(prompt: str, tokenizer: Tokenizer) -> int:
    # A token is at least one byte; start, end and one of padding come on top.
    row = tokenizer([prompt], context_length=len(prompt.encode()) + 3)[0]
    count = int((row != row[-1]).nonzero().max()) + 1
    length = tokenizer.context_length
    return count + length - _find_last_column(tokenizer, length)
