"""Command ``ltvl-mm TOOL ...``, also ``python -m ltvl_mm TOOL ...``.

Runs a tool of the clone or of the installed wheel, with its own arguments;
without a tool, lists them all.
"""

import ast
import difflib
import os
import runpy
import sys
from pathlib import Path

from ltvl_mm.utils.package_files import find_root

_FOLDERS = (
    'tools',
    'tools/analysis_tools',
    'tools/dataset_converters',
    'tools/model_converters',
    'tools/visualization',
)
# Files that make environments of a clone.
_CLONE = ('install.sh', 'quickstart.sh', 'run_tests.sh', 'find_python.sh')


def list_tools(root: Path) -> dict[str, Path]:
    """Return the file of each tool by the name of its command."""
    files = [file for name in _FOLDERS for file in (root / name).glob('*.*')]
    tools = {
        file.stem: file
        for file in sorted(files)
        if file.name not in _CLONE and _is_command(file)
    }
    return tools | {'check_env': Path(__file__).with_name('check_env.py')}


def _is_command(file: Path) -> bool:
    if file.suffix == '.sh':
        return True
    return file.suffix == '.py' and "__name__ == '__main__'" in (
        file.read_text(encoding='utf-8')
    )


def _describe(file: Path) -> str:
    """Return the first line of a tool's docstring."""
    if file.suffix == '.sh':
        return 'launcher: GPUs and nodes, then the arguments of its tool'
    text = ast.get_docstring(ast.parse(file.read_text(encoding='utf-8')))
    return (text or '').partition('\n')[0]


def main() -> None:
    """Run the tool that the first argument names."""
    tools = list_tools(find_root())
    name, *words = sys.argv[1:] or ['--help']
    if name in ('-h', '--help'):
        print('usage: ltvl-mm TOOL [ARGUMENTS]; ltvl-mm TOOL --help\n')  # noqa: T201
        for known, file in tools.items():
            print(f'  {known:<20} {_describe(file)}')  # noqa: T201
        return
    tool = tools.get(name.removesuffix('.py').replace('-', '_'))
    if tool is None:
        close = difflib.get_close_matches(name, tools, n=1)
        hint = f'did you mean {close[0]}? ' if close else ''
        sys.exit(f'there is no tool {name!r}; {hint}ltvl-mm lists all')
    if tool.suffix == '.sh':
        os.environ.setdefault('LTVL_PYTHON', sys.executable)
        os.execvp('bash', ['bash', str(tool), *words])
    sys.argv = [str(tool), *words]
    sys.path.insert(0, str(tool.parent))
    runpy.run_path(str(tool), run_name='__main__')


if __name__ == '__main__':
    main()
