"""Report of the retrieved images that downloads did not provide."""

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ltvl_mm.retrieval.reading.download_list import WantedImages
from ltvl_mm.retrieval.reading.downloads import DownloadCounts
from ltvl_mm.utils.io import read_json

MISSING_REPORT = 'missing.json'
# Written by a retrieval; its counts are of the images that it chose.
RETRIEVAL_REPORT = 'report.json'
# Entries of each list in the report, and names in a printed line.
_LISTED = 20
_SHOWN = 3
_CLASSES_SHOWN = 5


@dataclass
class PlacingLog:
    """Counts of one call of ``place_downloads``.

    Args:
        images: Images read, including the unreadable ones.
        foreign: Images that belong to no row.
        placed_before: Rows whose image an earlier call has written.
        evidence: Rows placed by this call, by what verified them.
        unreadable: ``key: reason`` of images that could not be read.
        refused: ``key: reason`` of the first download that was refused for a
            row, by the row's index.
    """

    images: int = 0
    foreign: int = 0
    placed_before: int = 0
    evidence: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def make_missing_report(
    wanted: WantedImages,
    placed: Collection[int],
    log: PlacingLog,
    counts: DownloadCounts | None,
) -> dict:
    """Return the report, JSON-like.

    Args:
        wanted: M rows of the full manifest.
        placed: Indices of the rows that have an image.
        log: Counts of the call.
        counts: img2dataset's own counts; None if it left none.
    """
    manifest = wanted.manifest
    classes = [
        {
            'class_id': label,
            'name': name,
            'wanted': 0,
            'placed': 0,
            'missing': 0,
            'without_url': 0,
            'first_missing': [],
        }
        for label, name in enumerate(manifest.class_names)
    ]
    for row, label in enumerate(manifest.class_id):
        entry = classes[label]
        entry['wanted'] += 1
        if row in placed:
            entry['placed'] += 1
            continue
        entry['missing'] += 1
        entry['without_url'] += not wanted.url[row]
        if len(entry['first_missing']) < _LISTED:
            entry['first_missing'].append(
                {
                    'key': manifest.key[row],
                    'url': wanted.url[row] or '',
                    'reason': _explain(wanted, row, log),
                }
            )
    refused = [log.refused[row] for row in log.refused if row not in placed]
    totals = ('wanted', 'placed', 'missing', 'without_url')
    return {
        **{name: sum(entry[name] for entry in classes) for name in totals},
        'placed_before': log.placed_before,
        'placed_now': dict(log.evidence),
        'images_read': log.images,
        'images_not_wanted': log.foreign,
        'unreadable': _list_first(log.unreadable),
        'refused': _list_first(refused),
        'img2dataset': None if counts is None else asdict(counts),
        'classes': classes,
    }


def read_retrieval_report(folder: Path, num_classes: int) -> dict | None:
    """Return ``report.json`` of a retrieved folder; None if it is gone.

    Args:
        folder: The retrieved folder.
        num_classes: K of its manifest.

    Raises:
        ValueError: If it is not the report of a retrieval for K classes.
    """
    file = folder / RETRIEVAL_REPORT
    if not file.exists():
        return None
    report = read_json(file)
    classes = report.get('classes') if isinstance(report, dict) else None
    if (
        not isinstance(classes, list)
        or len(classes) != num_classes
        or not all(isinstance(entry, dict) for entry in classes)
    ):
        raise ValueError(
            f'{file} is not the report of a retrieval for {num_classes} '
            f'classes, which the manifest has; restore or delete it'
        )
    return report


def add_placed_counts(report: dict, missing: dict) -> dict:
    """Return the report of a retrieval with the counts of images in place.

    Args:
        report: From :func:`read_retrieval_report`. Counts of an earlier call
            are replaced.
        missing: From :func:`make_missing_report`.
    """
    classes = zip(report['classes'], missing['classes'], strict=True)
    return report | {
        'placed': missing['placed'],
        'not_placed': missing['missing'],
        'classes': [
            entry
            | {'placed': counts['placed'], 'not_placed': counts['missing']}
            for entry, counts in classes
        ],
    }


def describe_missing(report: dict) -> str:
    """Return the report in a few lines of text."""
    lines = [
        f'{report["placed"]:,} of {report["wanted"]:,} retrieved images are '
        f'in place ({report["placed_before"]:,} from earlier calls); '
        f'{report["missing"]:,} are missing, {report["without_url"]:,} of '
        f'them without a URL',
        f'read {report["images_read"]:,} images, of which '
        f'{report["images_not_wanted"]:,} were not retrieved',
    ]
    if report['placed_now']:
        lines.append(
            'verified by: '
            + ', '.join(
                f'{name} {count:,}'
                for name, count in sorted(report['placed_now'].items())
            )
        )
    if report['img2dataset'] is not None:
        lines.append(str(DownloadCounts(**report['img2dataset'])))
    for name, title in (
        ('unreadable', 'images that could not be read'),
        ('refused', 'images that were refused'),
    ):
        found = report[name]
        if found['count']:
            lines.append(
                f'{title}: {found["count"]:,}, first: '
                f'{"; ".join(found["first"][:_SHOWN])}'
            )
    short = [entry for entry in report['classes'] if entry['missing']]
    short.sort(key=lambda entry: -entry['missing'] / entry['wanted'])
    for entry in short[:_CLASSES_SHOWN]:
        keys = [one['key'] for one in entry['first_missing'][:_SHOWN]]
        more = ', ...' if entry['missing'] > _SHOWN else ''
        lines.append(
            f'{entry["name"]}: {entry["missing"]:,} of {entry["wanted"]:,} '
            f'missing: {", ".join(keys)}{more}'
        )
    if len(short) > _CLASSES_SHOWN:
        lines.append(
            f'images are missing in {len(short) - _CLASSES_SHOWN:,} other '
            f'classes'
        )
    return '\n'.join(lines)


def _explain(wanted: WantedImages, row: int, log: PlacingLog) -> str:
    if row in log.refused:
        return log.refused[row]
    return 'not downloaded' if wanted.url[row] else 'no URL'


def _list_first(entries: list[str]) -> dict:
    return {'count': len(entries), 'first': entries[:_LISTED]}
