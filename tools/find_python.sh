# Sourced by the launchers: sets LTVL_PYTHON, the interpreter that they start,
# to the active environment's, or to that of tools/install.sh when none is
# active. LTVL_PYTHON=... overrules both.
if [ -z "${LTVL_PYTHON:-}" ]; then
    LTVL_PYTHON=python
    if [ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] &&
        [ -x "$TOOLS/../.venv/bin/python" ]; then
        LTVL_PYTHON=$TOOLS/../.venv/bin/python
    fi
fi
