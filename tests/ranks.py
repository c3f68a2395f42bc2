"""Processes of one group, as torchrun starts them."""

from pathlib import Path

import torch
from torch import distributed, multiprocessing

from ltvl_mm.utils.process_group import leave_process_group

RANKS = 2


def run_ranks(folder, function, *arguments, start_method='spawn'):
    """Return what a function of (rank, ...) returns in each of two processes.

    Args:
        folder: Empty folder, in which the processes find each other.
        function: Function of a module, so that it can be pickled.
        arguments: Further arguments of the function.
        start_method: ``'fork'`` is faster, but the function must not use
            threads that its parent has started.
    """
    multiprocessing.start_processes(
        _run_rank,
        (str(folder), function, arguments),
        nprocs=RANKS,
        start_method=start_method,
    )
    return [torch.load(Path(folder) / f'{rank}.pt') for rank in range(RANKS)]


def _run_rank(rank, folder, function, arguments):
    torch.set_num_threads(1)
    distributed.init_process_group(
        'gloo',
        init_method=f'file://{folder}/meeting',
        rank=rank,
        world_size=RANKS,
    )
    result = function(rank, *arguments)
    torch.save(result, f'{folder}/{rank}.pt')
    leave_process_group()
