"""End of a process that belongs to a group of ranks."""

import atexit
import multiprocessing
import os
import sys
from typing import NoReturn


def leave_process_group() -> None:
    """End the process group and exit with status 0; return if there is none.

    ``DistributedDataParallel`` keeps the threads of gloo alive after
    ``destroy_process_group()``. One that frees a tensor while the interpreter
    is torn down aborts the process: "terminate called without an active
    exception" (pytorch issue 190489), about once in a hundred runs. So the
    process ends without a teardown. Exit functions are run, except in a child
    of multiprocessing, where they may be those of its parent.
    """
    torch = sys.modules.get('torch')
    group = torch and torch.distributed
    if group and group.is_available() and group.is_initialized():
        group.destroy_process_group()
        _exit_without_teardown()


def _exit_without_teardown() -> NoReturn:
    if multiprocessing.parent_process() is None:
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the caller
            stream.flush()
    os._exit(0)
