"""What is written down of a run before its first step: bytes, seconds on the device as it was measured, and work."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.arms import Arm, build_arms
from harness.events import Batches, Ceilings, Passes
from harness.foretold import Foretold, foretell
from harness.matrix import load_matrix
from harness.mixes import MixLibrary
from harness.predict.recipe import Batch
from tests.small_suite import small_suite

SHORT, LONG = Batch(16, 20, padded=True), Batch(16, 40, padded=True)
DEVICE = Ceilings(bfloat16_flops=4e12, float32_flops=1e12, bytes_per_second=1e12, launch_seconds=1e-9)


@pytest.fixture
def arm(tmp_path: Path) -> Arm:
    matrix = load_matrix(small_suite(tmp_path / "suite"))
    arms = build_arms(matrix, MixLibrary(tmp_path / "data", matrix.folder), "cpu")
    return next(arm for arm in arms if arm.label == "full_sft")


def told(*timed: tuple[Batch, int], steps: int = 1) -> Batches:
    passes = tuple(Passes(batch=batch, count=count) for batch, count in timed)
    return Batches(stage_id="s", batches=(LONG,), timed=passes, steps=steps)


def flops(found: Foretold) -> float:
    assert found.work is not None
    return found.work.model_flops


def test_a_run_that_is_not_timed_has_its_memory_alone(arm: Arm) -> None:
    found = foretell(arm, "cpu", told(), None)

    assert found.component_bytes["weights"] > 0
    assert (dict(found.part_seconds), found.work) == ({}, None)


def test_a_steps_work_is_the_mean_over_those_that_are_timed(arm: Arm) -> None:
    short, long = (flops(foretell(arm, "cpu", told((batch, 1)), DEVICE)) for batch in (SHORT, LONG))

    assert flops(foretell(arm, "cpu", told((SHORT, 3), (LONG, 1), steps=4), DEVICE)) == pytest.approx(
        (3 * short + long) / 4
    )


def test_a_step_in_two_passes_is_their_sum_and_what_adding_gradients_takes(arm: Arm) -> None:
    once, twice = (foretell(arm, "cpu", told((SHORT, count)), DEVICE) for count in (1, 2))

    assert flops(twice) == 2 * flops(once)
    assert twice.part_seconds["arithmetic"] == pytest.approx(2 * once.part_seconds["arithmetic"])
    assert twice.part_seconds["memory traffic"] > 2 * once.part_seconds["memory traffic"]
    assert twice.part_seconds["optimizer"] == once.part_seconds["optimizer"]


def test_seconds_are_those_of_the_device_that_was_measured(arm: Arm) -> None:
    slower = DEVICE.model_copy(update={"float32_flops": 0.5e12, "bytes_per_second": 0.5e12, "launch_seconds": 2e-9})

    fast, slow = (foretell(arm, "cpu", told((LONG, 1)), device).part_seconds for device in (DEVICE, slower))

    assert sum(slow.values()) == pytest.approx(2 * sum(fast.values()))


def test_without_ceilings_there_are_no_seconds(arm: Arm) -> None:
    found = foretell(arm, "cpu", told((LONG, 1)), None)

    assert found.work is not None and not found.part_seconds


def test_kernels_that_are_not_predicted_do_the_same_work_for_the_method(arm: Arm) -> None:
    compiled = replace(arm, execution={**arm.execution, "compile": True})

    found, plain = (foretell(one, "cpu", told((LONG, 1)), DEVICE) for one in (compiled, arm))

    assert flops(found) == flops(plain)
    assert found.work is not None and (found.work.moved_bytes, found.work.kernels) == (None, None)
    assert not found.component_bytes and not found.part_seconds


def test_a_shape_that_is_not_predicted_has_nothing(arm: Arm) -> None:
    other = replace(arm, base=replace(arm.base, config={**arm.base.config, "model_type": "gpt2"}))

    assert foretell(other, "cpu", told((LONG, 1)), DEVICE) == Foretold()
