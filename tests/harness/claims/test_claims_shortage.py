"""Runs that memory ended: which of them say that an arm needs more than there was, and how much that is."""

import sqlite3
from datetime import UTC, datetime

import pytest

from harness.claims.held import read_held
from harness.claims.shortage import shortage
from tests.factory import ARMS, CPU, GPU, make_database
from tests.harness.claims.made import end_by_memory

SMALL = {name: ARMS[name] for name in ("base", "lora")}
LIMITED = GPU | {"memory_limit_bytes": 24 * 10**9}
HOST = "RuntimeError: [enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."


def told(folder, facts=LIMITED, **ended):
    path = folder / "r.db"
    path.unlink(missing_ok=True)
    make_database(path, arms=SMALL, bases=["pocket-1m"], facts=facts, measures=2)
    runs = end_by_memory(path, "lora", **ended)
    (held,) = read_held([path])
    lora = next(entry.arm.arm_id for entry in held.entries.values() if entry.arm.method == "lora")
    found = shortage(held, lora)
    assert found is None or list(found.runs) == runs
    return found and found.there_was


def test_there_was_what_the_runs_were_limited_to(tmp_path):
    assert told(tmp_path) == 24 * 10**9


def test_without_a_limit_it_is_the_gpus_memory_of_which_the_fact_is_a_rounded_one(tmp_path):
    assert told(tmp_path, GPU) == int(79.5 * 2**30)


@pytest.mark.parametrize("facts", [{"device": "cuda"}, GPU | {"gpu_memory_gib": "80"}, CPU])
def test_where_nobody_knows_how_much_there_was_nothing_is_told(tmp_path, facts):
    assert told(tmp_path, facts) is None


@pytest.mark.parametrize("phase", ["load", "train"])
@pytest.mark.parametrize("purpose", ["measure", "quality"])
def test_loading_and_training_tell_in_either_kind_of_run(tmp_path, purpose, phase):
    assert told(tmp_path, purpose=purpose, phase=phase)


@pytest.mark.parametrize("phase", ["evaluate", "ceilings", None])
def test_what_ended_before_or_after_it_trained_does_not(tmp_path, phase):
    assert told(tmp_path, phase=phase) is None


def test_nor_does_a_run_that_shared_its_memory(tmp_path):
    assert told(tmp_path, purpose="quality", exclusive=False) is None


def test_nor_one_for_which_the_machines_memory_was_too_small_and_not_the_gpus(tmp_path):
    assert told(tmp_path, reason=f"needs more than 24 GB: {HOST}") is None
    assert told(tmp_path, reason="needs more than 24 GB: MemoryError: no message") is None


def test_on_a_cpu_only_a_measure_run_is_held_to_a_limit(tmp_path):
    limited = CPU | {"memory_limit_bytes": 10**9}
    assert told(tmp_path, limited, reason=f"needs more than 1 GB: {HOST}") == 10**9
    assert told(tmp_path, limited, purpose="quality") is None


def test_one_whose_cell_went_well_later_tells_nothing(tmp_path):
    path = make_database(tmp_path / "r.db", arms=SMALL, bases=["pocket-1m"], facts=LIMITED, measures=1)
    end_by_memory(path, "lora")
    later = datetime(2027, 1, 1, tzinfo=UTC)
    make_database(path, arms=SMALL, bases=["pocket-1m"], facts=LIMITED, seed=1, started=later)
    (held,) = read_held([path])
    assert [shortage(held, arm) for arm in held.entries] == [None, None]


def test_a_fact_that_is_no_amount_tells_nothing(tmp_path):
    assert told(tmp_path, GPU)
    with sqlite3.connect(tmp_path / "r.db") as db:
        db.execute("UPDATE stacks SET facts = replace(facts, '80', 'Infinity')")
    db.close()
    (held,) = read_held([tmp_path / "r.db"])
    assert [shortage(held, arm) for arm in held.entries] == [None, None]
