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
