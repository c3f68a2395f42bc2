"""Fields of the docstring that opens a config."""

import ast
import re
from pathlib import Path

FIELDS = ('Source', 'Differs', 'Expect')


def read_header(config: Path) -> dict[str, str]:
    """Return the fields of a config's docstring, each on one line.

    Args:
        config: File whose docstring has lines such as ``Source:   ...``, which
            go on with an indent.

    Returns:
        Field name -> text, for all fields of the docstring.
    """
    tree = ast.parse(config.read_text(encoding='utf-8'))
    text = ast.get_docstring(tree) or ''
    fields: dict[str, str] = {}
    name = None
    for line in text.splitlines():
        found = re.match(r'([A-Z]\w+):\s+(.*)', line)
        if found:
            name = found[1]
            fields[name] = found[2].strip()
        elif name and line.startswith(' '):
            fields[name] += f' {line.strip()}'
        else:
            name = None
    return fields


# Recipes whose result is made from a config that stands for another row: the
# header of that config tells about the other one.
RECIPE_HEADERS = {
    'tau_norm': {
        'Source': 'Kang et al. 2020 (arXiv 1910.09217) and its code '
        '(tau_norm.py): tau from 0 to 2 in steps of 0.1, bias left out.',
        'Differs': 'tau is chosen on val, or without val by the '
        'class-balanced log-loss of train (theirs: val or test); the first '
        'stage differs as the header of the config says.',
    },
    'ensemble': {
        'Source': 'section 3.4 of the TACKLE paper: logits of the student and '
        'similarities of CLIP, "ensembled together proportionally".',
        'Differs': 'weight and scale, which are not public, are chosen on val '
        '(tune_ensemble.py).',
    },
}


def describe_row(recipe: str | None, config: Path) -> dict[str, str]:
    """Return Source, Differs and Expect of a row, those that it has.

    Args:
        recipe: Recipe that gives the number of the row from its configs.
        config: Last config of the row.
    """
    header = RECIPE_HEADERS.get(recipe or '') or read_header(config)
    return {field: header[field] for field in FIELDS if field in header}
