"""Record results of the study in the READMEs.

Adds the rows of a ``results.json`` that run.py wrote to the recorded ones,
``projects/long_tail_methods/results.json``; a row of the same method, recipe
and seed replaces the recorded one. Then writes the tables of all recorded
rows into the READMEs of this project and of projects/paper_tables.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from aim import check_gains, check_strongest, format_gains
from readme_sections import replace_section
from regime import check_regime, format_checks
from summary import list_sources, list_tables

from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.io import atomic_write, read_json, write_json

HERE = Path(__file__).parent
RECORDED = HERE / 'results.json'
PAPER_TABLES = HERE.parent / 'paper_tables'
sys.path.append(str(PAPER_TABLES))  # behind this project's own summary

from claims import format_claims  # noqa: E402


def merge_rows(old: Sequence[dict], new: Sequence[dict]) -> list[dict]:
    """Return recorded rows with those of another run, in the tables' order.

    Args:
        old: Rows recorded before.
        new: Rows to add; they replace those of the same method, student,
            recipe and seed.

    Raises:
        ValueError: If a row is of a method that the study does not have.
    """
    order = {
        (source.method, source.student, source.recipe): place
        for place, source in enumerate(list_sources())
    }
    found = {}
    for row in (*old, *new):
        kind = (row['method'], row['student'], row['recipe'])
        if kind not in order:
            raise ValueError(
                f'no method of the study is {kind}; expected one of '
                'projects/long_tail_methods/methods.py'
            )
        found[order[kind], row['seed']] = row
    return [found[key] for key in sorted(found)]


def write_sections(rows: Sequence[dict]) -> dict[Path, str]:
    """Return README -> its text with the tables of rows.

    Args:
        rows: Recorded rows.
    """
    gains = check_gains(rows)
    aim = 'No method has been run with `trusted` yet.'
    if gains:
        aim = format_gains(gains, check_strongest(rows))
    study, paper = HERE / 'README.md', PAPER_TABLES / 'README.md'
    texts = {file: file.read_text(encoding='utf-8') for file in (study, paper)}
    for file, name, content in (
        (study, 'regime', format_checks(check_regime(rows))),
        (study, 'aim', aim),
        (study, 'tables', '\n\n'.join(list_tables(rows))),
        (paper, 'claims', format_claims(rows)),
    ):
        texts[file] = replace_section(texts[file], name, content)
    return texts


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'results',
        nargs='*',
        type=Path,
        help='results.json of a run of this study; several are added in '
        'turn, and with none only the READMEs are written',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    rows = read_json(RECORDED)['rows'] if RECORDED.is_file() else []
    for file in args.results:
        rows = merge_rows(rows, read_json(file)['rows'])
    texts = write_sections(rows)
    write_json(RECORDED, {'rows': rows})
    for file, text in texts.items():
        with atomic_write(file, 'w') as out:
            out.write(text)
    print(f'{len(rows)} rows in {RECORDED}')


if __name__ == '__main__':
    run_command(main)
