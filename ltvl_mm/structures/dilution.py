"""Advice on probabilities that background names make small."""

# Options of tools/retrieve.py that fit probabilities to val images.
FIT_TO_VAL = '--temperature auto --val STORE LIST'


def describe_low_yield(
    kept: int, wanted: int, min_probability: float, temperature: float
) -> str:
    """Return a clause on a minimum probability that background names undo.

    Args:
        kept: Number of images that have the minimum probability.
        wanted: Number of images that were asked for.
        min_probability: Minimum probability, in (0, 1).
        temperature: Temperature of the softmax, not fitted to val.
    """
    verb = 'has' if kept == 1 else 'have'
    return (
        f'only {kept} of {wanted} wanted images {verb} a probability of at '
        f'least {min_probability:g}: background names make all probabilities '
        f'small, unless the temperature ({temperature:g}) is fitted to val'
    )


def advise_threshold(needs_fit: bool | None, used: float = 0.0) -> str:
    """Return options of ``tools/retrieve.py`` that leave out unlikely images.

    Args:
        needs_fit: True if background names are in the softmax and the
            temperature is not fitted to val; None if that is unknown.
        used: Minimum probability of the retrieval; default 0 for none.
    """
    if needs_fit is None:
        return (
            f'--min-probability 0.5, with background names also {FIT_TO_VAL}'
        )
    if needs_fit:
        return f'--min-probability {used or 0.5:g} {FIT_TO_VAL}'
    if used:
        return f'--min-probability above {used:g}'
    return '--min-probability 0.5'
