"""Transforms of data sets, inside any wrappers of mmengine."""

from typing import Any

from mmengine.dataset import Compose


def find_pipeline(dataset: object) -> list:
    """Return the transforms of a data set, looking inside wrappers.

    Raises:
        ValueError: If there is none, or parts of a wrapper differ in theirs.
    """
    found: list = [
        getattr(part, 'pipeline', None) for part in list_innermost(dataset)
    ]
    if not all(isinstance(pipeline, Compose) for pipeline in found):
        raise ValueError(f'{type(dataset).__name__} has no pipeline')
    if any(repr(other) != repr(found[0]) for other in found[1:]):
        raise ValueError(
            f'the parts of {type(dataset).__name__} have different pipelines'
        )
    return list(found[0].transforms)


def set_pipeline(dataset: Any, pipeline: Compose) -> None:  # noqa: ANN401
    """Give transforms to a data set, or to all inside wrappers.

    Raises:
        ValueError: If one of them has none that could be replaced.
    """
    # A property gives them to all parts, even one that cannot be read.
    if hasattr(type(dataset), 'pipeline') or isinstance(
        getattr(dataset, 'pipeline', None), Compose
    ):
        dataset.pipeline = pipeline
        return
    parts = _list_parts(dataset)
    if not parts:
        raise ValueError(f'{type(dataset).__name__} has no pipeline')
    for part in parts:
        set_pipeline(part, pipeline)


def list_innermost(dataset: object) -> list:
    """Return the data sets inside wrappers; those that have a pipeline."""
    if isinstance(getattr(dataset, 'pipeline', None), Compose):
        return [dataset]
    parts = _list_parts(dataset)
    if not parts:
        return [dataset]
    return [inner for part in parts for inner in list_innermost(part)]


def _list_parts(dataset: object) -> list:
    """Return what a data set wraps."""
    if hasattr(dataset, 'datasets'):
        return list(dataset.datasets)
    return [dataset.dataset] if hasattr(dataset, 'dataset') else []
