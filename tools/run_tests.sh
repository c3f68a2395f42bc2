#!/usr/bin/env bash
# run_tests.sh [--stack upstream] [pytest arguments]: install, then test.
set -euo pipefail
cd "$(dirname "$0")/.."
stack=fork
if [ "${1:-}" = --stack ]; then
    stack=$2
    shift 2
fi
python=$(tools/install.sh "$stack")
# Small tensors: threads would only wait for each other.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# By file, because the tests of a file share what is slow to make; in the order
# of conftest.py, by which all cores end at the same time.
PATH="$(dirname "$python"):$PATH" exec "$python" -m pytest \
    -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder "$@"
