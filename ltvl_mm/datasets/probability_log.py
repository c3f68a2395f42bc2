"""Log messages on the probabilities of retrieved images."""

import logging

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.structures.dilution import FIT_TO_VAL
from ltvl_mm.structures.manifest import Manifest

# The minimum probability of the recipe filtered.
_PROBABLE = 0.5


def warn_of_low_yield(manifest: Manifest) -> None:
    """Log a warning if background names left a retrieval few images.

    Args:
        manifest: Retrieved images.
    """
    reason = manifest.explain_low_yield()
    if reason is not None:
        print_log(
            f'{manifest.name} has few images: {reason}. Retrieve again with '
            f'{FIT_TO_VAL}',
            'current',
            logging.WARNING,
        )


def log_probable_rows(
    manifest: Manifest, rows: np.ndarray, min_probability: float
) -> None:
    """Log how many images a minimum probability leaves; warn of few.

    Args:
        manifest: M retrieved images.
        rows: Rows that have the minimum probability.
        min_probability: Minimum probability, in [0, 1].
    """
    before = len(np.unique(manifest.class_id))
    after = len(np.unique(manifest.class_id[rows]))
    message = (
        f'{len(rows)} of {len(manifest)} retrieved images have a probability '
        f'of at least {min_probability}; {after} of '
        f'{len(manifest.class_names)} classes have retrieved images'
    )
    if after < before:
        message += f', {before} without this limit'
    if manifest.is_diluted(len(rows)):
        message += (
            f'. Background names made them small: retrieve with '
            f'tools/retrieve.py {FIT_TO_VAL}, which fits probabilities to val'
        )
    few = 2 * len(rows) < len(manifest)
    print_log(message, 'current', logging.WARNING if few else logging.INFO)


def warn_of_diluted_weights(manifest: Manifest) -> None:
    """Log a warning if background names make probabilities useless weights.

    Args:
        manifest: M retrieved images with probabilities.
    """
    kept = manifest.count_probable(_PROBABLE)
    if manifest.is_diluted(kept):
        print_log(
            f'probabilities of retrieved images are used as weights or '
            f'counts, but background names made them small ({kept} of '
            f'{len(manifest)} images have {_PROBABLE:g} or more), so that '
            f'these images hardly count: retrieve with tools/retrieve.py '
            f'{FIT_TO_VAL}, which fits probabilities to val, or train with '
            f'--recipe plain',
            'current',
            logging.WARNING,
        )
