"""The cost model and the simulation of a cluster, by numbers made by hand."""

import json
import math
import runpy
from dataclasses import replace

import pytest
from small_inputs import ROOT

FOLDER = ROOT / 'tools/benchmarks'


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


def make_behavior(**changes):
    from cluster_events import Behavior

    quiet = Behavior(
        machines=4,
        slots=1,
        shard_s=10,
        spread=0,
        slow_share=0,
        slow_factor=1,
        life_s=math.inf,
        boot_s=0,
        batch=0,
    )
    return replace(quiet, **changes)


def simulate(shards, **changes):
    from cluster_events import simulate

    return simulate(shards, make_behavior(**changes))


def make_rates(**changes):
    from cluster_costs import Rates

    rates = Rates(
        gpu_images=1000,
        cores=10,
        decode_ms=4,
        scan_us=10,
        rank_us=40,
        check_us=1,
        image_bytes=1e5,
        store_bytes=2e3,
        network=1e9,
    )
    return replace(rates, **changes)


def test_equal_machines_take_rounds_of_shards():
    found = simulate(10)
    assert found.seconds == 30  # 4 + 4 + 2
    assert found.ideal_s == 25
    assert found.machine_s == 4 * 20 + 2 * 10
    assert (found.preempted, found.lost_share) == (0, 0)


def test_slots_share_a_machine():
    found = simulate(8, slots=2)
    assert found.seconds == 20  # 8 slots, each of half the speed


def test_machines_start_in_batches():
    found = simulate(4, boot_s=100, batch=2)
    # Those of the first batch are done before the second one starts.
    assert found.seconds == 120
    assert found.machine_s == 2 * (100 + 20)


def test_a_slow_machine_gets_fewer_shards():
    assert simulate(8, slow_share=1, slow_factor=3).seconds == 60


def test_preempted_shards_are_embedded_again():
    found = simulate(400, life_s=60, boot_s=5)
    assert found.preempted > 10
    assert 0 < found.lost_share < 0.2
    assert found.seconds > 1000
    assert found == simulate(400, life_s=60, boot_s=5)


@pytest.mark.parametrize(
    ('changes', 'rate', 'limit'),
    [
        ({}, 1000, 'GPU'),
        ({'cores': 2}, 500, 'decoding'),
        ({'network': 3e7}, 300, 'network'),
    ],
)
def test_the_slowest_part_limits_a_machine(changes, rate, limit):
    rates = make_rates(**changes)
    assert rates.embedded == rate
    assert rates.embedding_limit == limit


def test_costs_are_those_computed_by_hand():
    from cluster_costs import Plan, compute_costs

    found = compute_costs(
        Plan(images=36e6, classes=2000, budget=100, machines=10),
        make_rates(),
        hour_price=2,
        egress_price=0.5,
    )
    assert found['shards'] == 3600
    assert found['embed_hours'] == 1
    assert found['embed_read_tb'] == pytest.approx(3.6)
    assert found['scan_minutes'] == pytest.approx(36e6 * 20e-6 / 100 / 60)
    # 300,000 candidates at 80 us
    assert found['finish_minutes'] == pytest.approx(0.4)
    assert found['keys_gb'] == pytest.approx(0.288)
    assert found['egress_gb'] == pytest.approx(20)
    hours = (1 + 7.2 / 3600) * 10
    assert found['machine_hours'] == pytest.approx(hours)
    assert found['dollars'] == pytest.approx(2 * hours + 10)


def test_the_command_prints_tables_and_json(capsys, monkeypatch):
    command = [
        str(FOLDER / 'cluster_simulation.py'),
        *('--images', '1e6', '--machines', '3'),
    ]
    monkeypatch.setattr('sys.argv', command)
    runpy.run_path(command[0])['main']()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('A machine embeds 1,500 images/s')
    (plan,) = json.loads(lines[-1])['plans']
    assert plan['costs']['shards'] == 100
    assert plan['simulation']['ratio'] > 1


def test_each_number_of_images_has_machines(monkeypatch):
    command = [str(FOLDER / 'cluster_simulation.py'), '--machines', '3']
    monkeypatch.setattr('sys.argv', command)
    with pytest.raises(ValueError, match='has 3 numbers and --machines 1'):
        runpy.run_path(command[0])['main']()
