"""Missing parts of a page, each once, with the command that makes it."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ltvl_mm.visualization.report.study import Study

_TEST = (
    'python tools/test.py {run}/*.py {run} --out {run}/metrics.json '
    '--out-item metrics --predictions {run}/test.npz'
)
# Part of a run -> the command that makes it.
_RUN_COMMANDS = {
    'predictions': _TEST,
    'metrics': _TEST,
    'features': (
        'python tools/analysis_tools/save_features.py {run}/*.py {run} '
        '--split test -o {run}/features_test.npz'
    ),
}
# Part of the page or of the retrieval -> the command that makes it.
_COMMANDS = {
    'precision': 'python tools/report.py RUNS -o PAGE --truth TRUTH.csv',
    'training images': (
        'python tools/report.py RUNS -o PAGE --train-images ROOT'
    ),
    'quality': (
        'python tools/analysis_tools/check_retrieval.py {retrieved} '
        '--store STORE --val-store VAL_STORE --val-list VAL.txt '
        '--class-counts TRAIN.txt'
    ),
    'class counts': (
        'python tools/report.py RUNS -o PAGE --class-counts TRAIN.txt'
    ),
    'retrieved images': (
        'python tools/report.py RUNS -o PAGE --manifest MANIFEST'
    ),
}
# Part of the page -> the part of a run that it needs.
_CAUSES = {
    'accuracy': 'predictions',
    'confusion': 'predictions',
    'reliability': 'predictions',
    'features': 'features',
    'curves': 'curves',
    'frequency': 'class counts',
}


@dataclass
class MissingPart:
    """A part that is missing for the same reason in several places.

    Attributes:
        part: Name of the part.
        reason: Reason why it is missing.
        owners: Whose part it is.
        command: Command that makes it; '' if there is none.
        hides: Parts of the page that need it.
    """

    part: str
    reason: str
    owners: list[str] = field(default_factory=list)
    command: str = ''
    hides: list[str] = field(default_factory=list)


def list_missing(
    study: Study,
    page: Mapping[str, str],
    retrieval: Mapping[str, str],
    *,
    retrieved: str = '',
    show_path: Callable[[str], str] = str,
) -> list[MissingPart]:
    """Return missing parts, each once for each reason.

    Args:
        study: The runs.
        page: Part of the page -> reason.
        retrieval: Part of the retrieval -> reason.
        retrieved: Folder of the retrieval.
        show_path: Function that shortens the paths of commands.
    """
    found: dict[tuple[str, str], MissingPart] = {}
    folders: dict[tuple[str, str], list[str]] = {}
    for run in study.runs:
        for part, reason in run.missing.items():
            # Equal but for the folder.
            short = reason.replace(str(run.path), 'RUN')
            key = (part, short)
            found.setdefault(key, MissingPart(part, short))
            found[key].owners.append(run.label)
            folders.setdefault(key, []).append(show_path(str(run.path)))
    for key, one in found.items():
        one.command = _loop(_RUN_COMMANDS.get(one.part, ''), folders[key])
    causes = {part: one for (part, _), one in reversed(found.items())}
    others = [
        *_group_by_reason(page, causes),
        *(
            MissingPart(part, reason, ['the retrieval'])
            for part, reason in retrieval.items()
        ),
        *(
            MissingPart(part, reason, [owner])
            for owner, parts in study.left_out.items()
            for part, reason in parts.items()
        ),
    ]
    parts = [*others, *found.values()]
    for one in parts:
        template = _COMMANDS.get(one.part, '')
        one.command = one.command or template.replace(
            '{retrieved}', shlex.quote(show_path(retrieved))
        )
    return parts


def _group_by_reason(
    page: Mapping[str, str], causes: Mapping[str, MissingPart]
) -> Iterable[MissingPart]:
    """Return parts of the page that no missing part of a run explains."""
    groups: dict[str, MissingPart] = {}
    for part, reason in page.items():
        cause = causes.get(_CAUSES.get(part, ''))
        if cause is not None:
            cause.hides.append(part)
        elif reason in groups:
            groups[reason].part += f', {part}'
        else:
            groups[reason] = MissingPart(part, reason, ['the page'])
    return groups.values()


def _loop(template: str, folders: list[str]) -> str:
    """Return a shell command for each of the folders."""
    if not template:
        return ''
    if len(folders) == 1:
        return template.replace('{run}', shlex.quote(folders[0]))
    listed = ' \\\n        '.join(map(shlex.quote, folders))
    body = template.replace('{run}', '"$run"')
    return f'for run in {listed}; do\n    {body}\ndone'
