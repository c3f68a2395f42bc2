"""Classes that are named when a trained model is asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmengine.model import BaseModel
from torch import nn


@contextmanager
def predict_classes(
    model: BaseModel,
    class_names: str | Sequence[str],
    *,
    templates: str | Sequence | None = None,
) -> Iterator[tuple[str, ...]]:
    """Let a model with a text side predict other classes for a while.

    The model itself is changed meanwhile: one thread at a time.

    Args:
        model: A classifier with ``CLIPContrastiveHead``, such as zero-shot
            CLIP or BALLAD; or an ensemble of nothing else.
        class_names: K names, or a file with one per line.
        templates: Templates of prompts; None for those of the head.

    Yields:
        The K names.

    Raises:
        ValueError: If a classifier has no text side, or a name does not fit
            its text tower.
    """
    heads = _find_text_heads(model)
    # Imports open_clip, as a text side has; a student needs none.
    from ltvl_mm.clip.class_prototypes import describe_classes

    own = [head.classes for head in heads]
    others = [
        describe_classes(
            head.text,
            head.tokenizer,
            class_names,
            templates or head.templates,
            chunk_size=head.chunk_size,
        )
        for head in heads
    ]
    try:
        _set_classes(heads, others)
        yield others[0].names
    finally:
        _set_classes(heads, own)


def takes_class_names(model: BaseModel) -> bool:
    """Return whether :func:`predict_classes` works with a model."""
    return all(_has_text(head) for head in _find_heads(model).values())


def find_class_names(model: BaseModel) -> tuple[str, ...] | None:
    """Return the classes that the text side of a model predicts, if any."""
    for module in model.modules():
        if _has_text(module) and module.classes is not None:
            return module.classes.names
    return None


def _find_heads(model: BaseModel) -> dict[str, nn.Module | None]:
    """Return the head of a classifier, or those of an ensemble's members."""
    members = getattr(model, 'members', {'the model': model})
    return {
        name: getattr(member, 'head', None) for name, member in members.items()
    }


def _find_text_heads(model: BaseModel) -> list[nn.Module]:
    heads = _find_heads(model)
    for name, head in heads.items():
        if not _has_text(head):
            raise ValueError(
                f'only models with a text side take class_names, those with '
                f'ltvl_mm.CLIPContrastiveHead (zero-shot CLIP, BALLAD) and '
                f'ensembles of them; the head of {name!r} is a '
                f'{type(head).__name__}, whose classes are fixed'
            )
    return list(heads.values())


def _set_classes(heads: Sequence[nn.Module], classes: Sequence) -> None:
    for head, own in zip(heads, classes, strict=True):
        head.classes = own


def _has_text(module: nn.Module | None) -> bool:
    return hasattr(module, 'tokenizer') and hasattr(module, 'classes')
