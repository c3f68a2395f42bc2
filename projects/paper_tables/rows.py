"""The rows of the paper's tables, read from ``tables.yml``."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from ltvl_mm.evaluation.accuracy_table import COLUMNS
from ltvl_mm.utils.stages import ROOT

TABLES = Path(__file__).with_name('tables.yml')
# How many configs a recipe takes.
RECIPES = {
    'zero_shot': (1,),
    'student': (1,),
    'tackle': (1,),
    'ballad': (1, 2),
    'decoupled': (2,),
    'distilled': (2,),
    'tau_norm': (1,),
    'ensemble': (2,),
}


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        table: Its number.
        number: Number of the row in the table, from 1.
        method: Name of the method in the paper.
        backbone: With ``CLIP`` where CLIP's weights initialize it.
        paper: Many, medium, few, all -> percent; what the paper reports.
        recipe: Recipe that gives the number from the configs; None if there is
            none yet.
        configs: Leaves of ``configs/``.
    """

    table: int
    number: int
    method: str
    backbone: str
    paper: dict[str, float]
    recipe: str | None
    configs: tuple[Path, ...]

    @property
    def name(self) -> str:
        """Method and backbone, unique in a table."""
        return f'{self.method}, {self.backbone}'

    @property
    def is_here(self) -> bool:
        """Whether the method is implemented in this project."""
        return bool(self.configs)

    @property
    def folder(self) -> str:
        """Where the result lies below the folder of a seed."""
        names = [config.stem for config in self.configs]
        if self.recipe == 'tau_norm':
            return f'{names[0]}/classifiers/tau-normalized'
        return '+'.join(names) if self.recipe == 'ensemble' else names[-1]


def load_rows(table: int, *, path: Path = TABLES) -> tuple[str, list[Row]]:
    """Return title and rows of a table.

    Args:
        table: Its number.
        path: File that maps rows to configs.

    Raises:
        ValueError: If there is no such table, or a row of it is not as the
            head of the file says.
    """
    tables = yaml.safe_load(path.read_text(encoding='utf-8'))
    tables.pop('methods', None)
    if table not in tables:
        raise ValueError(f'table must be one of {sorted(tables)}, got {table}')
    rows = [
        _make_row(table, number, entry)
        for number, entry in enumerate(tables[table]['rows'], 1)
    ]
    return tables[table]['title'], rows


def select_rows(rows: list[Row], wanted: list[str]) -> list[Row]:
    """Return the rows with these numbers, or with this text in their name.

    Raises:
        ValueError: If one fits no row.
    """
    chosen = []
    for text in wanted:
        fit = [
            row
            for row in rows
            if text == str(row.number)
            or (not text.isdigit() and text.lower() in row.name.lower())
        ]
        if not fit:
            names = '; '.join(f'{row.number} {row.name}' for row in rows)
            raise ValueError(f'--row {text!r} fits none of: {names}')
        chosen += [row for row in fit if row not in chosen]
    return chosen or rows


def _make_row(table: int, number: int, entry: dict) -> Row:
    known = {'method', 'backbone', 'paper', 'recipe', 'configs'}
    recipe = entry.get('recipe')
    names = entry.get('configs', [])
    lengths = RECIPES.get(recipe, (0,))
    if (
        set(entry) - known
        or set(entry['paper']) - set(COLUMNS)
        or (recipe is not None and recipe not in RECIPES)
        or (names and len(names) not in lengths)
    ):
        raise ValueError(f'row {number} of table {table} is odd: {entry}')
    configs = tuple(ROOT / f'configs/{name}.py' for name in names)
    if not all(config.exists() for config in configs):
        configs = ()
    return Row(
        table,
        number,
        entry['method'],
        entry['backbone'],
        entry['paper'],
        recipe,
        configs,
    )
