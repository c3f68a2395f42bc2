"""Tasks on a Ray cluster: shared inputs, a bounded queue, plain errors."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import ray
from ray import ObjectRef, cloudpickle
from ray.exceptions import RayError, RayTaskError

# Times that a task is started again after its worker or node has died. An
# input that ends its worker each time must not run forever.
RETRIES = 20
# Tasks that wait for a free CPU besides those that run, so that a cluster
# which scales itself sees what is wanted.
_EXTRA_TASKS = 4

_LOADED: dict[str, object] = {}


class SharedObject:
    """Object in Ray's store that a process reads once.

    It is stored as pickled bytes: arrays that Ray itself loads are read-only.

    Args:
        content: Any object that can be pickled.
    """

    def __init__(self, content: object) -> None:
        self.ref = ray.put(cloudpickle.dumps(content))

    def load(self) -> Any:  # noqa: ANN401
        """Return this process's copy of the object."""
        name = self.ref.hex()
        if name not in _LOADED:
            _LOADED.clear()  # jobs follow one another
            _LOADED[name] = cloudpickle.loads(ray.get(self.ref))
        return _LOADED[name]


class TaskQueue:
    """Tasks that are submitted while others run, at most a few per CPU.

    Iterating submits and waits, until nothing is left; more tasks may be
    added meanwhile.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, Callable[[], Any], Any]] = deque()
        self._running: dict[ObjectRef, tuple[str, Any, Any]] = {}

    def add(
        self,
        name: str,
        submit: Callable[[], Any],
        note: object = None,
        *,
        first: bool = False,
    ) -> None:
        """Add a task.

        Args:
            name: Name of the task in an error message.
            submit: Function that starts the task and returns its reference,
                or its references, of which the last is fetched.
            note: Object that is returned with the result.
            first: True to run it before those that wait.
        """
        put = self._waiting.appendleft if first else self._waiting.append
        put((name, submit, note))

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yield (references, fetched result, note) of tasks as they end."""
        while self._waiting or self._running:
            limit = count_resources('CPU') + _EXTRA_TASKS
            while self._waiting and len(self._running) < limit:
                name, submit, note = self._waiting.popleft()
                found = submit()
                refs = found if isinstance(found, list) else [found]
                self._running[refs[-1]] = (name, refs, note)
            for ref in ray.wait(list(self._running))[0]:
                name, refs, note = self._running.pop(ref)
                yield refs, fetch_result(ref, name), note


def fetch_result(ref: ObjectRef, name: str) -> Any:  # noqa: ANN401
    """Return the result of a task, or raise the error that it raised.

    Args:
        ref: Reference of the result.
        name: Name of the task in an error message.

    Raises:
        RuntimeError: If its worker died each time.
    """
    try:
        return ray.get(ref)
    except RayError as error:
        cause = find_cause(error)
        if isinstance(cause, RayError):
            raise RuntimeError(describe_death(name, cause)) from error
        raise cause from error


def find_cause(error: BaseException) -> BaseException:
    """Return the error that a task raised, or Ray's if its worker died."""
    while isinstance(error, RayTaskError) and error.cause is not None:
        error = error.cause
    return error


def describe_death(name: str, error: BaseException) -> str:
    """Return a sentence about a task whose workers died."""
    return (
        f'{name}: its worker or node died in each of {RETRIES + 1} attempts; '
        f'look for too little memory or a broken file. Ray says: '
        f'{error!s:.500}'
    )


def count_resources(name: str) -> int:
    """Return the number of ``'CPU'`` or ``'GPU'`` that the cluster has now."""
    return int(ray.cluster_resources().get(name, 0))
