#!/usr/bin/env bash
# install.sh [fork|upstream [PYTHON]]: make .venv (or .venv-upstream) in this clone and
# install everything into it; seconds when it is already there. Prints nothing
# but the path of its Python on stdout.
#   fork      onedl-mmengine, onedl-mmcv, onedl-mmpretrain: maintained, default
#   upstream  mmengine, mmcv-lite, mmpretrain
# PYTHON is the interpreter that makes the environment (default: python3).
# LTVL_PYTHON=... names the Python of an environment of yours, as for all
# launchers: nothing is installed, and the environment is checked.
set -euo pipefail
if [ -n "${LTVL_PYTHON:-}" ]; then
    # Its summary must not be taken for the path.
    "$LTVL_PYTHON" "$(dirname "$0")/../ltvl_mm/check_env.py" >&2
    echo "$LTVL_PYTHON"
    exit
fi
cd "$(dirname "$0")/.."
stack=${1:-fork}
case $stack in
    fork) venv=.venv host=mminstall ;;
    upstream) venv=.venv-upstream host=upstream ;;
    *) echo "install.sh: expected fork or upstream, got '$stack'" >&2; exit 2 ;;
esac
base=${2:-python3}
if ! "$base" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "install.sh: needs Python 3.10 or later: install.sh $stack PYTHON" >&2
    exit 1
fi
# What is installed depends on these files and on where the clone lies.
wanted=$( (pwd; cat pyproject.toml requirements/*.txt) | git hash-object --stdin)
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "installing into $venv: a few minutes, about 6 GB ..." >&2
    # Without the stamp it is new, or an install that was killed half-way.
    [ -f "$venv/installed" ] || clear=--clear
    "$base" -m venv ${clear:-} "$venv" >&2
    "$venv/bin/python" -m pip install --disable-pip-version-check \
        -r requirements/runtime.txt -r "requirements/$host.txt" \
        -r requirements/retrieval.txt -r requirements/faiss_cpu.txt \
        -r requirements/visualization.txt -r requirements/tests.txt \
        -r requirements/world.txt -r requirements/docs.txt >&2
    "$venv/bin/python" -m pip install --disable-pip-version-check -q \
        --no-deps -e . >&2
    echo "$wanted" > "$venv/installed"
fi
echo "$PWD/$venv/bin/python"
