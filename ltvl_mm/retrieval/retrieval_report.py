"""Report of a retrieval: images per class, skipped candidates and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ltvl_mm.retrieval.choice import ImageChoice
from ltvl_mm.retrieval.options import ASSIGN_ONCE
from ltvl_mm.retrieval.reading.missing_images import MISSING_REPORT
from ltvl_mm.retrieval.shortage import explain_shortage
from ltvl_mm.structures.dilution import FIT_TO_VAL
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.store_files import spell_column
from ltvl_mm.structures.store_rows import describe_bad_rows
from ltvl_mm.utils.io import read_json
from ltvl_mm.utils.remote_paths import as_path

# By these copies are recognized beside the cosine.
_TRAITS = ('sha256', 'url', 'phash')


def make_report(
    choice: ImageChoice,
    class_names: Sequence[str],
    refused: dict[str, int],
    *,
    assign: str = 'independent',
    min_probability: float = 0.0,
    by_index: bool = False,
    background_names: int = 0,
) -> dict:
    """Return the report of a choice, JSON-like.

    Args:
        choice: That is done.
        class_names: K names.
        refused: Number of rows that each filter removed.
        assign: ``'independent'`` or ``'argmax'``, as the search had it.
        min_probability: Limit that gave the lowest score of the choice.
        by_index: True if a faiss index proposed the candidates.
        background_names: Number of background names in the softmax; default
            0.
    """
    rejected = [entry for entries in choice.rejected for entry in entries]
    reasons = Counter(entry.reason for entry in rejected)
    classes = [
        _describe_class(choice, label, name)
        | {
            'short_because': explain_shortage(
                choice,
                label,
                assign=assign,
                min_probability=min_probability,
                by_index=by_index,
                filtered=any(refused.values()),
            )
        }
        for label, name in enumerate(class_names)
    ]
    found = sum(entry['retrieved'] for entry in classes)
    rows = np.concatenate([best.rows for best in choice.chosen])
    return {
        'retrieved': found,
        'different_images': len(np.unique(rows)),
        'missing': int(choice.budget.sum()) - found,
        'duplicates': reasons['duplicate'],
        'copies_of_excluded_images': reasons['excluded'],
        'min_probability': min_probability,
        'below_min_probability': int(choice.too_low.sum()),
        'min_precision': choice.min_precision,
        'below_min_precision': int(choice.imprecise.sum()),
        'assign': assign,
        'background_names': background_names,
        'evidence': dict(Counter(entry.evidence for entry in rejected)),
        'rows_in_store': len(choice.store),
        'rows_refused_by_filters': refused,
        'skipped_rows': [
            describe_bad_rows(store, rows)
            for store, rows in (
                (choice.store, choice.skipped),
                *zip(choice.excluded, choice.excluded_skipped, strict=False),
            )
            if len(rows)
        ],
        'copies_recognized_without': {
            store.name: missing
            for store in (choice.store, *choice.excluded)
            if (missing := _find_missing_traits(store))
        },
        'classes': classes,
        'rejected': [asdict(entry) for entry in rejected],
    }


def describe_report(out: str | Path) -> str:
    """Return the report of a retrieved folder in a few lines of text."""
    out = as_path(out)
    found = read_json(out / 'report.json')
    lines = [
        f'{found["retrieved"]} of {found["retrieved"] + found["missing"]} '
        f'images retrieved for {len(found["classes"])} classes: '
        f'{out / "manifest.parquet"}',
        f'skipped: {found["duplicates"]} duplicates, '
        f'{found["copies_of_excluded_images"]} copies of excluded images; by '
        f'class in {out}/report.json',
    ]
    # Not in older reports.
    repeated = found['retrieved'] - found.get(
        'different_images', found['retrieved']
    )
    if repeated:
        lines.append(
            f'{found["different_images"]} different images: {repeated} of the '
            f'{found["retrieved"]} repeat an image of another class, so that '
            f'its labels contradict each other; {ASSIGN_ONCE}'
        )
    if 'placed' in found:  # written by place_downloads
        lines.append(
            f'in place: {found["placed"]} images; {found["not_placed"]} are '
            f'missing, listed in {out / MISSING_REPORT}'
        )
    for reason, rows in found['rows_refused_by_filters'].items():
        lines.append(f'refused by the filter {reason}: {rows} images')
    for entry in found.get('skipped_rows', ()):  # not in older reports
        more = ', ...' if entry['rows'] > 3 else ''
        lines.append(
            f'skipped {entry["rows"]} rows of {entry["store"]}, which are not '
            f'finite or not of unit norm: '
            f'{", ".join(entry["first_keys"][:3])}{more}'
        )
    # Not in older reports.
    for root, missing in found.get('copies_recognized_without', {}).items():
        lines.append(
            f'{root} lacks {", ".join(missing)} to recognize copies by'
        )
    short = [entry for entry in found['classes'] if entry['short_because']]
    for entry in short[:5]:
        lines.append(
            f'{entry["name"]}: {entry["retrieved"]} of {entry["wanted"]} '
            f'({entry["short_because"]})'
        )
    if len(short) > 5:
        lines.append(_describe_more(len(short) - 5, 'is short', 'are short'))
    absent = [entry for entry in found['classes'] if entry.get('not_placed')]
    for entry in absent[:5]:
        lines.append(
            f'{entry["name"]}: {entry["not_placed"]} of {entry["retrieved"]} '
            f'images are missing'
        )
    if len(absent) > 5:
        lines.append(
            _describe_more(len(absent) - 5, 'misses images', 'miss images')
        )
    return '\n'.join(lines)


def _describe_more(number: int, one: str, several: str) -> str:
    """Return a line about the classes that are not listed."""
    if number == 1:
        return f'and 1 other class {one}'
    return f'and {number} other classes {several}'


def describe_warning(manifest: Manifest) -> str | None:
    """Return a warning of few images and its remedy; None without one."""
    reason = manifest.explain_low_yield()
    if reason is None:
        return None
    return f'{reason}. Retrieve into another folder with {FIT_TO_VAL}'


def _describe_class(choice: ImageChoice, label: int, name: str) -> dict:
    best, wanted = choice.chosen[label], int(choice.budget[label])
    reasons = Counter(entry.reason for entry in choice.rejected[label])
    return {
        'class_id': label,
        'name': name,
        'wanted': wanted,
        'retrieved': len(best.rows),
        'candidates': int(choice.candidates[label]),
        'duplicates': reasons['duplicate'],
        'copies_of_excluded_images': reasons['excluded'],
        'highest_score': _pick(best.scores, 0),
        'lowest_score': _pick(best.scores, -1),
    }


def _pick(scores: np.ndarray, place: int) -> float | None:
    return float(scores[place]) if len(scores) else None


def _find_missing_traits(store: EmbeddingStore) -> list[str]:
    """Return what some part of a store that others made does not know."""
    return [
        name
        for name in _TRAITS
        if any(
            spell_column(store.find_columns(part), name) is None
            for part in store.parts
            if part.rows
        )
    ]
