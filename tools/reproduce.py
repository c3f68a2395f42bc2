"""Reproduce a table of the paper; see projects/paper_tables/README.md.

The same as ``python projects/paper_tables/run.py``, with its arguments.
"""

import runpy
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / 'projects/paper_tables'

if __name__ == '__main__':
    sys.path.insert(0, str(PROJECT))
    runpy.run_path(str(PROJECT / 'run.py'), run_name='__main__')
