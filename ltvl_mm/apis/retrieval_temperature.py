"""Temperature of a retrieval: the encoder's own, fitted, or given."""

from pathlib import Path

from mmengine.logging import print_log

from ltvl_mm.apis.labelled_embeddings import read_labelled_embeddings
from ltvl_mm.evaluation.temperature import compute_nll, fit_temperature
from ltvl_mm.models.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.task import RetrievalOptions
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore


def choose_temperature(
    options: RetrievalOptions,
    queries: ClassQueries,
    clip: FrozenCLIP,
    val: tuple[str | Path | EmbeddingStore, str | Path] | None,
) -> float:
    """Return the temperature that options ask for, and log its source.

    Args:
        options: With a temperature of None, ``'auto'`` or a number.
        queries: K classes.
        clip: The encoder of the queries.
        val: Store of val images and their ``path label`` list, for
            ``'auto'``; None otherwise.

    Raises:
        ValueError: If the val images come from another encoder, or are not
            in their store.
    """
    if options.temperature is None:
        print_log(
            f'temperature {clip.temperature:g}, of the logit scale of '
            f'{clip.arch}',
            'current',
        )
        return clip.temperature
    if not isinstance(options.temperature, str):
        return options.temperature
    if val is None:
        raise ValueError(
            "the temperature 'auto' is fitted to val images; give their store "
            'and list'
        )
    images = read_labelled_embeddings(*val, queries)
    cosines = images.embeddings @ queries.embeddings.T
    fitted = fit_temperature(cosines, images.labels)
    likelihoods = [
        -compute_nll(cosines, images.labels, one)
        for one in (clip.temperature, fitted)
    ]
    print_log(
        f'temperature {fitted:g}, fitted to {len(images.labels)} val images: '
        f'mean log-likelihood {likelihoods[1]:.3f}; {likelihoods[0]:.3f} at '
        f'{clip.temperature:g}, of the logit scale of {clip.arch}',
        'current',
    )
    return fitted
