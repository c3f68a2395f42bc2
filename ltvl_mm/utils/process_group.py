"""End of a process that belongs to a group of ranks."""

import atexit
import os
import sys
from typing import NoReturn


def leave_process_group() -> None:
    """End the process group, and the process with status 0; else return.

    ``DistributedDataParallel`` keeps the threads of gloo alive after
    ``destroy_process_group()``. One that frees a tensor while the interpreter
    is torn down aborts the process: "terminate called without an active
    exception" (pytorch issue 190489), about once in a hundred runs. So the
    process ends as forked children do, without a teardown.
    """
    torch = sys.modules.get('torch')
    group = torch and torch.distributed
    if group and group.is_available() and group.is_initialized():
        group.destroy_process_group()
        _exit_without_teardown()


def _exit_without_teardown() -> NoReturn:
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
