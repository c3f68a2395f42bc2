"""Write model-index.yml, and metafile.yml and README.md of each method.

All from ``tables.yml``. The numbers are the paper's: these models are not
trained with this project yet. ``--check`` writes nothing and says what is old.
"""

import argparse
import ast
import os
import sys
from pathlib import Path

import yaml
from rows import TABLES, Row, load_rows

from ltvl_mm.evaluation.accuracy_table import COLUMNS
from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.stages import ROOT

MADE = 'Made by projects/paper_tables/model_index.py; edit tables.yml instead.'


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--check',
        action='store_true',
        help='list files that are out of date and write nothing',
    )
    return parser


def main() -> None:
    check = build_parser().parse_args().check
    old = [
        path
        for path, text in make_files().items()
        if not path.exists() or path.read_text(encoding='utf-8') != text
    ]
    if check and old:
        sys.exit(f'not as tables.yml has it: {", ".join(map(str, old))}')
    for path in old:
        path.parent.mkdir(exist_ok=True)
        with atomic_write(path, 'w') as file:
            file.write(make_files()[path])
        print(path.relative_to(ROOT))


def make_files(root: Path = ROOT) -> dict[Path, str]:
    """Return the text of every file that ``tables.yml`` decides."""
    tables = yaml.safe_load(TABLES.read_text(encoding='utf-8'))
    methods = tables.pop('methods')
    loaded = [load_rows(table) for table in tables]
    models = [
        (title.rpartition(' on ')[2], row)
        for title, rows in loaded
        for row in rows
        if row.is_here
    ]
    files, imports = {}, []
    for method in methods:
        own = [
            (dataset, row)
            for dataset, row in models
            if _find_method(row, methods) is method
        ]
        folder = root / 'configs' / method['folder']
        files[folder / 'metafile.yml'] = _dump(
            {
                'Collections': [_describe_method(method)],
                'Models': [
                    *_describe_models(method, own),
                    *_describe_published(method),
                ],
            }
        )
        files[folder / 'README.md'] = _write_readme(method, own)
        imports.append(f'configs/{method["folder"]}/metafile.yml')
    files[root / 'model-index.yml'] = _dump({'Import': imports})
    return files


def _find_method(row: Row, methods: list[dict]) -> dict | None:
    for method in methods:
        if row.recipe in method.get('recipes', ()):
            return method
    folder = row.configs[-1].parent.name
    for method in methods:
        if method['folder'] == folder:
            return method
    return None


def _dump(content: dict) -> str:
    return f'# {MADE}\n{yaml.safe_dump(content, sort_keys=False)}'


def _describe_method(method: dict) -> dict:
    return {
        'Name': method['name'],
        'Paper': method['paper'],
        'README': f'configs/{method["folder"]}/README.md',
    }


def _describe_models(method: dict, rows: list[tuple[str, Row]]) -> list[dict]:
    models = {}
    for dataset, row in rows:
        if row.recipe in ('tau_norm', 'ensemble'):
            continue  # no training of its own
        config = row.configs[-1].relative_to(ROOT)
        name = config.stem
        result = _describe_result(dataset, row.paper)
        model = models.setdefault(
            name,
            {
                'Name': name,
                'In Collection': method['name'],
                'Metadata': {'Backbone': row.backbone},
                'Results': [result],
                'Config': str(config),
            },
        )
        # Another table says the same, or has the groups as well.
        model['Results'][0]['Metrics'].update(result['Metrics'])
    return list(models.values())


def _describe_result(dataset: str, published: dict) -> dict:
    return {
        'Task': 'Image Classification',
        'Dataset': dataset,
        'Metrics': {
            f'{column}, as published': published[column]
            for column in COLUMNS
            if column in published
        },
    }


def _describe_published(method: dict) -> list[dict]:
    """Return model entries with the numbers of the method's own paper."""
    return [
        {
            'Name': row['config'],
            'In Collection': method['name'],
            'Results': [_describe_result(row['dataset'], row)],
            'Config': f'configs/{method["folder"]}/{row["config"]}.py',
        }
        for row in method.get('published', {}).get('rows', [])
    ]


def _write_readme(method: dict, rows: list[tuple[str, Row]]) -> str:
    folder = ROOT / 'configs' / method['folder']
    lines = [
        f'<!-- {MADE} -->',
        f'# {method["name"]}',
        '',
        method['text'],
        '',
        *_write_published(folder, rows),
        *_write_own_published(method),
    ]
    leaves = sorted(folder.glob('*.py'))
    if leaves:
        lines += ['| config | what it is |', '| :-- | :-- |']
    for path in leaves:
        document = ast.get_docstring(
            ast.parse(path.read_text(encoding='utf-8'))
        )
        summary = (document or '').splitlines()[0].rstrip('.')
        lines.append(f'| [{path.stem}]({path.name}) | {summary} |')
    return '\n'.join(lines).rstrip() + '\n'


def _write_published(folder: Path, rows: list[tuple[str, Row]]) -> list[str]:
    """Return the lines of the table of published numbers, if there are any."""
    if not rows:
        return []
    lines = [
        'Top-1 accuracy in percent **as published**; a config after `+` is '
        'trained on the checkpoint of the one before. `tools/reproduce.py '
        '--table N` trains and tests the rows of a table and sets ours beside '
        'them.',
        '',
        '| data set | method | backbone | config | '
        + ' | '.join(COLUMNS)
        + ' | table, row |',
        '| :-- | :-- | :-- | :-- |' + ' --: |' * (len(COLUMNS) + 1),
    ]
    seen: dict[tuple, list] = {}
    for dataset, row in rows:
        key = (dataset, row.method, row.backbone, row.configs)
        seen.setdefault(key, []).append(row)
    for (dataset, name, backbone, configs), same in seen.items():
        paper = {name: row.paper[name] for row in same for name in row.paper}
        links = ' + '.join(
            f'[{path.stem}]({os.path.relpath(path, folder)})'
            for path in configs
        )
        cells = [
            dataset,
            name,
            backbone,
            links,
            *(f'{paper[n]:.1f}' if n in paper else '' for n in COLUMNS),
            ', '.join(f'{row.table}.{row.number}' for row in same),
        ]
        lines.append(f'| {" | ".join(cells)} |')
    return [*lines, '']


def _write_own_published(method: dict) -> list[str]:
    """Return the lines of the numbers of the method's own paper."""
    if 'published' not in method:
        return []
    lines = [
        f'Top-1 accuracy in percent **as published** '
        f'{method["published"]["source"]}',
        '',
        '| data set | config | ' + ' | '.join(COLUMNS) + ' |',
        '| :-- | :-- |' + ' --: |' * len(COLUMNS),
    ]
    for row in method['published']['rows']:
        cells = [
            row['dataset'],
            f'[{row["config"]}]({row["config"]}.py)',
            *(f'{row[n]:.1f}' if n in row else '' for n in COLUMNS),
        ]
        lines.append(f'| {" | ".join(cells)} |')
    return [*lines, '']


if __name__ == '__main__':
    run_command(main)
