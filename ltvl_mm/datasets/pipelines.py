"""The transforms of data sets, inside any wrappers of the host."""

from mmengine.dataset import Compose


def find_pipeline(dataset: object) -> list:
    """Return the transforms of a data set, looking inside wrappers.

    Raises:
        ValueError: If there is none, or parts of a wrapper differ in theirs.
    """
    found = [
        getattr(part, 'pipeline', None) for part in list_innermost(dataset)
    ]
    if not all(isinstance(pipeline, Compose) for pipeline in found):
        raise ValueError(
            f'{type(dataset).__name__} has no pipeline to load retrieved '
            f'images with; pass pipeline='
        )
    if any(repr(other) != repr(found[0]) for other in found[1:]):
        raise ValueError(
            f'the parts of {type(dataset).__name__} have different '
            f'pipelines; pass pipeline= for the retrieved images'
        )
    return list(found[0].transforms)


def list_innermost(dataset: object) -> list:
    """Return the data sets inside wrappers; those that have a pipeline."""
    if isinstance(getattr(dataset, 'pipeline', None), Compose):
        return [dataset]
    parts = getattr(dataset, 'datasets', None)
    if parts is None and hasattr(dataset, 'dataset'):
        parts = [dataset.dataset]
    if parts is None:
        return [dataset]
    return [inner for part in parts for inner in list_innermost(part)]
