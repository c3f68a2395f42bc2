"""Simulate shards on machines that are slow, preempted and added late."""

import heapq
from dataclasses import dataclass

import numpy as np

from ltvl_mm.utils.rng import make_generator


@dataclass(frozen=True)
class Behavior:
    """Behavior of the machines.

    Args:
        machines: Number of machines wanted.
        slots: Shards that a machine works on at a time.
        shard_s: Seconds of a shard on a machine that does nothing else.
        spread: Standard deviation of the logarithm of a shard's time.
        slow_share: Share of the machines that are slow.
        slow_factor: Factor of the time of a slow machine.
        life_s: Mean seconds until a machine is preempted; inf for never.
        boot_s: Seconds from asking for a machine until it starts its work.
        batch: Machines that the autoscaler asks for at a time, one batch
            each ``boot_s``; 0 for all at once.
    """

    machines: int
    slots: int
    shard_s: float
    spread: float
    slow_share: float
    slow_factor: float
    life_s: float
    boot_s: float
    batch: int


@dataclass(frozen=True)
class Outcome:
    """Result of a simulation.

    Args:
        seconds: Time until the last shard is written.
        ideal_s: Time of as many machines of average speed without losses.
        tail_s: Time from dealing the last shard that waited until the end.
        preempted: Machines that were preempted.
        lost_share: Share of the machines' work that preemptions lost.
        machine_s: Seconds of machines that were paid for, with their start.
    """

    seconds: float
    ideal_s: float
    tail_s: float
    preempted: int
    lost_share: float
    machine_s: float


def simulate(shards: int, behavior: Behavior, seed: int = 0) -> Outcome:
    """Deal shards to machines until all are written.

    A shard goes to the machine that asks first, as the Ray engine deals
    them. A preempted machine loses the shards it works on, which wait again,
    and is replaced after ``boot_s``. A machine without a shard ends.

    Args:
        shards: Number of shards, >= 1.
        behavior: Behavior of the machines.
        seed: Seed of the random times.
    """
    rng = make_generator(seed)
    events: list[tuple[float, int, str, int, float]] = []
    count = 0

    def push(time: float, kind: str, machine: int, begin: float = 0) -> None:
        nonlocal count
        heapq.heappush(events, (time, count, kind, machine, begin))
        count += 1

    factors: dict[int, float] = {}
    started: dict[int, float] = {}
    working: dict[int, list[float]] = {}
    for number in range(behavior.machines):
        group = number // behavior.batch if behavior.batch else 0
        push(behavior.boot_s * (1 + group), 'start', number)
    waiting, done, born = shards, 0, behavior.machines
    last_deal = lost = useful = paid = now = 0.0
    preempted = 0
    while done < shards:
        now, _, kind, machine, begin = heapq.heappop(events)
        asks = 0
        if kind == 'start':
            slow = rng.random() < behavior.slow_share
            factors[machine] = behavior.slow_factor if slow else 1.0
            started[machine], working[machine] = now, []
            if np.isfinite(behavior.life_s):
                push(now + rng.exponential(behavior.life_s), 'end', machine)
            asks = behavior.slots
        elif machine not in working:
            continue  # it was preempted or has ended
        elif kind == 'end':
            begun = working.pop(machine)
            lost += sum((now - time) / behavior.slots for time in begun)
            paid += now - started[machine] + behavior.boot_s
            preempted += 1
            waiting += len(begun)
            push(now + behavior.boot_s, 'start', born)
            born += 1
        else:
            working[machine].remove(begin)
            useful += (now - begin) / behavior.slots
            done += 1
            asks = 1
        while asks and waiting and machine in working:
            asks, waiting, last_deal = asks - 1, waiting - 1, now
            seconds = (
                behavior.shard_s
                * behavior.slots
                * factors[machine]
                * rng.lognormal(0, behavior.spread)
            )
            working[machine].append(now)
            push(now + seconds, 'shard', machine, now)
        if machine in working and not working[machine]:
            del working[machine]
            paid += now - started[machine] + behavior.boot_s
    for machine in working:
        paid += now - started[machine] + behavior.boot_s
    mean = np.exp(behavior.spread**2 / 2) * behavior.shard_s
    return Outcome(
        seconds=now,
        ideal_s=shards * mean / behavior.machines,
        tail_s=now - last_deal,
        preempted=preempted,
        lost_share=lost / (lost + useful),
        machine_s=paid,
    )
