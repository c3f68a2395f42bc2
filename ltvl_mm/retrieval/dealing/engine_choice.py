"""Choose the engine that deals work."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.dist import get_world_size

from ltvl_mm.retrieval.dealing.local_engine import LocalEngine
from ltvl_mm.retrieval.dealing.work_engine import ENGINES, WorkEngine


@contextmanager
def open_engine(
    name: str,
    *,
    address: str | None = None,
    encoders: int | None = None,
    device: str | None = None,
) -> Iterator[WorkEngine]:
    """Connect to an engine, and leave it at the end.

    Args:
        name: ``'local'`` for this process or its process group; ``'ray'`` for
            a Ray cluster.
        address: Address of the Ray cluster; None as in
            :class:`ltvl_mm.retrieval.dealing.ray_engine.RayEngine`.
        encoders: Maximum number of encoders on the Ray cluster; None for its
            GPUs, else its CPUs.
        device: Device of the encoders on the Ray cluster; None for GPUs if
            it has some.

    Yields:
        The engine.

    Raises:
        ImportError: If Ray is chosen and not installed.
        ValueError: If the engine is unknown, an argument is of another
            engine, or there is no cluster at ``address``.
    """
    if name not in ENGINES:
        raise ValueError(
            f'engine must be one of {", ".join(ENGINES)}, got {name!r}'
        )
    if encoders is not None and encoders < 1:
        raise ValueError(f'encoders must be >= 1, got {encoders}')
    if name == 'local':
        for option, value in (('address', address), ('encoders', encoders)):
            if value is not None:
                raise ValueError(
                    f"{option} is an option of engine 'ray', got {value!r} "
                    f"with engine 'local'; add --engine ray"
                )
        yield LocalEngine()
        return
    if get_world_size() > 1:
        raise ValueError(
            f"engine 'ray' deals the work itself, but {get_world_size()} "
            f'ranks run; start one process, without torchrun'
        )
    try:
        from ltvl_mm.retrieval.dealing.ray_engine import RayEngine
    except ModuleNotFoundError as error:
        if error.name != 'ray':
            raise
        raise ImportError(
            "engine 'ray' needs the package ray, which is not installed: pip "
            "install '.[cluster]' in the clone"
        ) from error
    engine = RayEngine(address, encoders=encoders, device=device)
    try:
        yield engine
    finally:
        engine.close()
