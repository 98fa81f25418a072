"""A ladder: arms that learn the same, from the plainest way to compute on, each held against the nearest above it."""

from typing import Any

import pandas as pd
import pytest

from harness.analysis.ladder import ladders

PLAIN = {"attention": "eager", "loss": "whole", "compile": False, "patch": None, "micro_batch_size": None, "threads": 1}
SDPA = {**PLAIN, "attention": "sdpa"}
CHUNKED = {**SDPA, "loss": "chunked"}
FLASH = {**CHUNKED, "attention": "flash_attention_2"}
COMPILED = {**CHUNKED, "compile": True}
PATCHED = {**CHUNKED, "patch": {"name": "mine:apply", "source": "1"}}


def recipe(**stage: Any) -> dict[str, Any]:
    return {"base_digest": "b", "stages": [{"method": "lora", "rank": 8, "learning_rate": 1e-4, "seed": 1, **stage}]}


def ladder(
    executions: dict[str, dict[str, Any]],
    costs: dict[str, tuple[float, float, float, float]],
    recipes: dict[str, dict[str, Any]] | None = None,
) -> pd.DataFrame:
    """Of arms that are called by their execution; costs are bytes and tokens a second, with the quartiles behind."""
    arms = pd.DataFrame({"arm_id": list(executions), "execution_id": list(executions), "label": list(executions)})
    rows = [
        {
            "arm_id": arm, "run_id": f"run of {arm}", "phase": "train", "purpose": "measure", "exclusive": True,
            "last_stage": True, "latest": True, "status": "ok", "peak_allocated_bytes": None,
            "peak_reserved_bytes": None, "ledger_peak_bytes": memory, "tokens_per_second_median": speed,
            "tokens_per_second_p25": low, "tokens_per_second_p75": high,
        }
        for arm, (memory, speed, low, high) in costs.items()
    ]  # fmt: skip
    known = pd.Series({arm: (recipes or {}).get(arm, recipe()) for arm in executions})
    found = ladders(arms.assign(method="lora"), known, executions, pd.DataFrame(rows))
    return found.set_index("arm_id")


ALIKE = (100.0, 50.0, 49.0, 51.0)


def test_each_row_has_one_change_from_a_row_above_whatever_order_the_arms_come_in() -> None:
    steps = {"compiled": COMPILED, "flash": FLASH, "chunked": CHUNKED, "plain": PLAIN, "patched": PATCHED, "sdpa": SDPA}

    found = ladder(steps, dict.fromkeys(steps, ALIKE))

    assert list(found.index) == ["plain", "sdpa", "chunked", "compiled", "flash", "patched"]
    assert list(found["row"]) == [1, 2, 3, 4, 5, 6]
    assert list(found["than"].dropna()) == [1, 2, 3, 3, 3]
    assert list(found["change"].dropna()) == [
        "attention eager -> sdpa", "loss whole -> chunked", "compile", "attention sdpa -> flash_attention_2",
        "patch none -> mine:apply",
    ]  # fmt: skip


def test_memory_and_speed_are_told_as_differences_to_that_row() -> None:
    found = ladder(
        {"sdpa": SDPA, "chunked": CHUNKED},
        {"sdpa": (100, 50, 48, 52), "chunked": (75, 60, 59, 61)},
    ).loc["chunked"]

    assert (found["memory_change_bytes"], found["memory_ratio"]) == (-25, 0.75)
    assert (found["speed_change"], found["speed_ratio"], found["speed_differs"]) == (10, 1.2, True)


@pytest.mark.parametrize(("speed", "low", "high"), [(55, 51, 59), (45, 41, 49)])
def test_a_speed_within_the_spread_of_the_other_is_no_difference(speed: float, low: float, high: float) -> None:
    found = ladder({"a": SDPA, "b": CHUNKED}, {"a": (100, 50, 48, 52), "b": (100, speed, low, high)})

    assert not found.loc["b", "speed_differs"]


def test_of_speeds_without_quartiles_nobody_can_tell() -> None:
    nan = float("nan")

    found = ladder({"a": SDPA, "b": CHUNKED}, {"a": (100, 50, nan, nan), "b": (100, 90, 89, 91)})

    assert pd.isna(found.loc["b", "speed_differs"])


def test_what_was_not_measured_is_held_against_nothing_and_nothing_against_it() -> None:
    found = ladder({"plain": PLAIN, "sdpa": SDPA, "chunked": CHUNKED}, {"plain": ALIKE, "chunked": ALIKE})

    assert pd.isna(found.loc["sdpa", "memory_change_bytes"])
    assert (found.loc["chunked", "than"], found.loc["chunked", "change"]) == (
        1, "attention eager -> sdpa; loss whole -> chunked",
    )  # fmt: skip


def test_arms_that_learn_something_else_are_on_no_ladder_with_these() -> None:
    executions = {"a": SDPA, "b": CHUNKED, "other": PLAIN}

    found = ladder(executions, dict.fromkeys(executions, ALIKE), {"other": recipe(rank=16)})

    assert list(found.index) == ["a", "b"]


def test_a_rate_and_a_seed_make_no_other_ladder() -> None:
    found = ladder({"a": SDPA, "b": CHUNKED}, {"a": ALIKE, "b": ALIKE}, {"b": recipe(learning_rate=1e-3, seed=2)})

    assert len(found) == 2


def test_two_versions_of_a_patch_of_one_name_are_told_apart() -> None:
    other = {**PATCHED, "patch": {"name": "mine:apply", "source": "2"}}

    found = ladder({"a": PATCHED, "b": other}, {"a": ALIKE, "b": ALIKE})

    assert found.loc["b", "change"] == "the patch's source"
