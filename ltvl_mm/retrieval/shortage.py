"""Reasons why a retrieval found fewer images than wanted, or none."""

from ltvl_mm.retrieval.choice import ImageChoice
from ltvl_mm.structures.dilution import FIT_TO_VAL


def explain_nothing(report: dict) -> str | None:
    """Return why a retrieval found no image at all, or None if it found any.

    Args:
        report: Report of
            :func:`ltvl_mm.retrieval.retrieval_report.make_report`.
    """
    if report['retrieved'] or not report['missing']:  # none asked for
        return None
    causes = _list_causes(report)
    listed = ', '.join(name for name, _ in causes)
    # Two filters have one remedy.
    remedies = dict.fromkeys(remedy for _, remedy in causes)
    advice = ', '.join([*remedies, 'or retrieve from a larger store'])
    return (
        f'no images were retrieved from the {report["rows_in_store"]} images '
        f'of the store. Removed by: {listed or "nothing"}. '
        f'{advice[0].upper()}{advice[1:]}'
    )


def _list_causes(report: dict) -> list[tuple[str, str]]:
    """Return what removed images, with their number, and the remedy."""
    causes = []
    left = report['rows_in_store']
    for name, count in report['rows_refused_by_filters'].items():
        if count:
            left -= count
            text = f'the filter {name} ({count} images)'
            causes.append((text, 'loosen the filters'))
    for entry in report['skipped_rows']:
        left -= entry['rows']
        text = f'unusable embeddings in {entry["store"]}'
        causes.append(
            (f'{text} ({entry["rows"]} images)', 'embed the images again')
        )
    candidates = sum(entry['candidates'] for entry in report['classes'])
    # An image is a candidate of each class that it may be retrieved for.
    low, imprecise = (
        report[f'below_min_{name}'] for name in ('probability', 'precision')
    )
    if report['assign'] == 'argmax' and left and not candidates + low:
        causes.append(_explain_argmax(report['background_names'], left))
    if low:
        limit = report['min_probability']
        text = f'the minimum probability of {limit} ({low} candidates)'
        causes.append((text, _advise_lower_limit(report)))
    if imprecise:
        limit = report['min_precision']
        text = f'the minimum precision of {limit} ({imprecise} candidates)'
        causes.append((text, 'lower --min-precision'))
    excluded = {
        entry['key']
        for entry in report['rejected']
        if entry['reason'] == 'excluded'
    }
    if excluded:
        text = f'near-duplicates of excluded images ({len(excluded)} images)'
        causes.append((text, 'exclude other stores'))
    return causes


def _advise_lower_limit(report: dict) -> str:
    """Return what makes more images reach the minimum probability."""
    source = report.get('temperature_source') or {}
    if report['background_names'] and source.get('source') != 'val':
        return (
            f'fit probabilities, which background names make small, to val '
            f'({FIT_TO_VAL})'
        )
    return 'lower --min-probability'


def _explain_argmax(background_names: int, images: int) -> tuple[str, str]:
    best, remedy = 'a class of budget 0', 'use --assign independent'
    if background_names:
        best = f'one of the {background_names} background names'
        remedy += ' or --background none'
    return (
        f'assign=argmax, as their most probable name is {best} '
        f'({images} images)',
        remedy,
    )


def explain_shortage(
    choice: ImageChoice,
    label: int,
    *,
    assign: str,
    min_probability: float,
    by_index: bool,
    filtered: bool,
) -> str | None:
    """Return why a class has fewer images than wanted; None if it has all.

    Args:
        choice: That is done.
        label: The class, in [0, K).
        assign: ``'independent'`` or ``'argmax'``.
        min_probability: Limit on the probability; 0 without one.
        by_index: True if a faiss index proposed the candidates.
        filtered: True if filters removed rows of the store.
    """
    if len(choice.chosen[label].rows) >= choice.budget[label]:
        return None
    if not (choice.exhausted[label] or choice.imprecise[label]):
        return 'limit of candidates'
    if choice.imprecise[label]:
        return (
            f'the expected precision of more images is below '
            f'{choice.min_precision:g}'
        )
    found = int(choice.candidates[label])
    few = f'only {found} images' if found > 1 else 'only one image'
    if choice.too_low[label]:
        number = few if found else 'no image'
        verb = 'reach' if found > 1 else 'reaches'
        return f'{number} {verb} the probability {min_probability}'
    if by_index:
        return 'the index proposes no more'
    if assign == 'argmax' and found < len(choice.store):
        number = few if found else 'no image'
        return f'{number} {"prefer" if found > 1 else "prefers"} this class'
    if filtered:
        return 'no more images pass the filters'
    return 'the store has no more'
