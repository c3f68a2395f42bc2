#!/usr/bin/env bash
# quickstart.sh: install, then TACKLE from web images to a table and pictures
# on the embedded toy world. Run it again to resume.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(tools/install.sh fork)
exec "$python" projects/toy_benchmark/run.py \
    --work-dir work_dirs/quickstart --seeds 0 "$@"
