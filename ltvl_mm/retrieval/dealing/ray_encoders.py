"""Encoders on a Ray cluster, each fed by decoding tasks.

Ray Data is not used: its batches cross shards and its shuffle, which would
bring the rows of a shard together again, ends only with the last shard. Here
a shard is written when it is whole, with batches of its own images only.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import ray
import torch
from ray import ObjectRef
from ray.exceptions import RayError

from ltvl_mm.retrieval.dealing.ray_tasks import (
    RETRIES,
    SharedObject,
    describe_death,
    find_cause,
)
from ltvl_mm.retrieval.reading.embedding_job import (
    EmbeddingJob,
    EmbeddingProgress,
)
from ltvl_mm.retrieval.reading.image_batches import ImageBatch


@ray.remote(max_retries=RETRIES, num_returns='streaming')
def _decode(shared: SharedObject, piece: dict[str, Any]) -> Iterator[tuple]:
    """Yield the batches of a shard with their images as arrays."""
    job = replace(shared.load(), **piece)
    for batch in job.decode(list(job.shards)):
        images = None if batch.images is None else batch.images.numpy()
        yield replace(batch, images=None), images


class _Encoder:
    """Actor with one image encoder; its threads work on a shard each."""

    def __init__(
        self, *, threads: int, decode_cpus: int, prefetch: int
    ) -> None:
        self.threads = threads
        # Decoding pauses when so many batches of a shard wait.
        self.decode = _decode.options(
            num_cpus=decode_cpus, _generator_backpressure_num_objects=prefetch
        )
        self.lock = threading.Lock()

    @ray.method(max_task_retries=-1)
    def prepare(self, shared: SharedObject) -> None:
        """Load the job; return when the actor runs, again after a restart."""
        shared.load()

    def embed(
        self, shared: SharedObject, piece: dict[str, Any]
    ) -> tuple[int, int]:
        """Write the part of a shard; return its images and bad images."""
        job = shared.load()
        encode = partial(self._encode, job.encode)
        job = replace(job, encode=encode, **piece)
        batches = (
            self._read(shared, piece)
            if job.workers
            else job.decode(list(job.shards))
        )
        with EmbeddingProgress('', 1, 1, silent=True) as progress:
            # LocalEngine's loader pins, too.
            job.write((batch.pin_memory() for batch in batches), progress)
        return progress.read, progress.bad

    def _read(
        self, shared: SharedObject, piece: dict[str, Any]
    ) -> Iterator[ImageBatch]:
        for ref in self.decode.remote(shared, piece):
            batch, images = ray.get(ref)
            # A copy: arrays of Ray are read-only, which torch warns of.
            tensor = None if images is None else torch.tensor(images)
            yield replace(batch, images=tensor)

    def _encode(
        self,
        encode: Callable[[torch.Tensor], torch.Tensor],
        images: torch.Tensor,
    ) -> torch.Tensor:
        with self.lock:  # the first call builds the model
            torch.set_num_threads(self.threads)
            return encode(images)


class EncoderPool:
    """Actors that embed shards; those that die are replaced.

    All actors are asked for at once, so that a cluster which scales itself
    adds machines. Each gets shards as soon as it runs, and ends when there
    are none left for it.

    Args:
        job: The shards.
        encoders: Maximum number of actors.
        use_gpu: True to give each actor a GPU.
    """

    def __init__(
        self, job: EmbeddingJob, encoders: int, *, use_gpu: bool
    ) -> None:
        self.job = job
        self.threads = max(1, job.workers)
        self.shared = SharedObject(job.pick([]))
        # As many threads as the local engine has here: the last bits of
        # matrix products depend on it.
        cpus = torch.get_num_threads()
        # On a GPU, encoders hold no CPU, so that decoding always finds one.
        # On CPUs decoding shares those of its encoder: it takes 1 % of them
        # with ViT-B/16.
        kind = ray.remote(_Encoder).options(
            num_cpus=0 if use_gpu else cpus,
            num_gpus=int(use_gpu),
            max_restarts=-1,
            max_concurrency=self.threads + 1,  # and prepare()
        )
        self.actors = [
            kind.remote(
                threads=cpus, decode_cpus=int(use_gpu), prefetch=job.prefetch
            )
            for _ in range(encoders)
        ]
        self.starting: dict[ObjectRef, Any] = {}
        for actor in self.actors:
            self.starting[actor.prepare.remote(self.shared)] = actor
        self.running: dict[ObjectRef, tuple[Any, int]] = {}
        self.free: deque[Any] = deque()  # an actor occurs once per thread
        self.attempts: Counter[int] = Counter()

    def run(self, numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Embed shards; yield images and bad images of each.

        Raises:
            RuntimeError: If the worker of a shard died each time.
        """
        waiting = deque(numbers)
        try:
            while waiting or self.running:
                while waiting and self.free:
                    self._start(waiting.popleft())
                if not waiting:
                    self._end_idle()
                refs = [*self.running, *self.starting]
                for ref in ray.wait(refs)[0]:
                    if ref in self.starting:
                        self._add_started(ref)
                        continue
                    found = self._finish(ref)
                    if isinstance(found, tuple):
                        yield found
                    else:
                        waiting.append(found)
        finally:
            for actor in self.actors:
                ray.kill(actor)

    def _start(self, number: int) -> None:
        actor = self.free.popleft()
        piece = self.job.pick([number])
        ref = actor.embed.remote(
            self.shared, {'shards': piece.shards, 'sources': piece.sources}
        )
        self.running[ref] = (actor, number)

    def _add_started(self, ref: ObjectRef) -> None:
        """Give an actor that runs as many shards as it has threads."""
        actor = self.starting.pop(ref)
        try:
            ray.get(ref)
        except RayError as error:
            raise RuntimeError(
                f'an encoder cannot start; each node needs ltvl_mm and what '
                f'it imports. Ray says: {find_cause(error)!s:.1000}'
            ) from error
        busy = sum(one is actor for one, _ in self.running.values())
        self.free.extend([actor] * (self.threads - busy))

    def _finish(self, ref: ObjectRef) -> tuple[int, int] | int:
        """Return the counts of a shard, or its index if its worker died."""
        actor, number = self.running.pop(ref)
        try:
            counts = ray.get(ref)
        except RayError as error:
            cause = find_cause(error)
            if not isinstance(cause, RayError):
                raise cause from error
            self._wait_for_restart(actor)
            self.attempts[number] += 1
            if self.attempts[number] > RETRIES:
                name = f'shard {self.job.shards[number].name!r}'
                raise RuntimeError(describe_death(name, cause)) from error
            return number
        if actor not in self.starting.values():
            self.free.append(actor)
        return counts

    def _wait_for_restart(self, actor: Any) -> None:  # noqa: ANN401
        """Give an actor no shard until it runs again."""
        self.free = deque(one for one in self.free if one is not actor)
        if actor not in self.starting.values():
            self.starting[actor.prepare.remote(self.shared)] = actor

    def _end_idle(self) -> None:
        """End actors without a shard: their machines are free then."""
        busy = [actor for actor, _ in self.running.values()]
        for actor in self.actors:
            if actor not in busy:
                ray.kill(actor)
        self.actors = [actor for actor in self.actors if actor in busy]
        self.free = deque(one for one in self.free if one in busy)
        self.starting = {
            ref: actor for ref, actor in self.starting.items() if actor in busy
        }
