"""What the stock way would have taken for a matrix: every process counted once, none left out."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from benchmarks.arithmetic import ScoringCost, TrainingCost
from benchmarks.whole_matrix import Costs, Work, form, stock_seconds, work_done

COSTS = Costs(
    "pocket-1m",
    {
        ("full_sft", "pocket-1m"): TrainingCost(10.0, 0.4),
        ("lora", "pocket-1m"): TrainingCost(10.0, 0.2),
        ("lora", "pocket-0.2m"): TrainingCost(10.0, 0.1),
        ("dpo", "pocket-1m"): TrainingCost(12.0, 0.3),
    },
    {"model": ScoringCost(20.0, 0.01), "adapter": ScoringCost(21.0, 0.02), "four_bit": ScoringCost(22.0, 0.03)},
)


def work(**given: Any) -> Work:
    """A LoRA run of 100 steps, scored on 100 items as trained."""
    plain = {
        "purpose": "quality", "method": "lora", "base": "pocket-1m", "four_bit": False, "adapter": True, "steps": 100,
        "items": {"tuned": 100},
    }  # fmt: skip
    return Work(**{**plain, **given})


def test_a_trained_run_is_a_script_and_a_command() -> None:
    assert stock_seconds([work()], COSTS)["total"] == pytest.approx((10 + 20) + (21 + 2))


def test_each_moment_is_a_command_of_its_own() -> None:
    found = stock_seconds([work(items={"tuned": 100, "merged": 100})], COSTS)

    assert found["lm_eval_commands"] == pytest.approx((21 + 2) + (20 + 1))
    assert found["tuned_only_total"] == pytest.approx(30 + 23)


def test_a_base_row_is_a_command_alone() -> None:
    base = work(method="base", adapter=False, steps=0, items={"base": 100})

    assert stock_seconds([base], COSTS) == pytest.approx(
        {"training_scripts": 0, "lm_eval_commands": 21, "total": 21, "tuned_only_total": 21}
    )


def test_a_measure_run_is_a_script_alone() -> None:
    assert stock_seconds([work(purpose="measure", steps=35, items={})], COSTS)["total"] == pytest.approx(10 + 7)


def test_another_base_takes_the_ratio_that_lora_has() -> None:
    assert COSTS.script(work(method="full_sft", base="pocket-0.2m")) == pytest.approx(10 + 100 * 0.4 / 2)


def test_what_is_loaded_follows_from_the_moment() -> None:
    qlora = work(method="qlora", four_bit=True)

    assert [form(qlora, moment) for moment in ("tuned", "merged", "merged_requantised")] == [
        "four_bit",
        "model",
        "four_bit",
    ]
    assert form(work(), "tuned") == "adapter"
    assert form(work(method="full_sft", adapter=False), "tuned") == "model"


def test_runs_are_read_from_the_database_and_failed_ones_left_out(tmp_path: Path) -> None:
    base = {"method": "base", "parameters": {"quantisation": "nf4", "shots": 0}}
    sft = {"method": "lora", "parameters": {"rank": 8}, "steps": 100}
    dpo = {"method": "dpo", "parameters": {"beta": 0.1}, "steps": 60}
    path = database(
        tmp_path,
        [("base", [base], "quality", "ok", {"base": 70}), ("dpo", [sft, dpo], "quality", "ok", {"tuned": 80}),
         ("lora", [sft], "quality", "nan", {}), ("lora", [sft], "measure", "ok", {})],
    )  # fmt: skip

    found = work_done(path, measure_steps=35)

    assert found == [
        work(method="base", adapter=False, four_bit=True, steps=0, items={"base": 70}),
        work(method="dpo", steps=60, items={"tuned": 80}),
        work(purpose="measure", steps=35, items={}),
    ]


def database(folder: Path, runs: list[tuple[str, list[Any], str, str, dict[str, int]]]) -> Path:
    """The columns that are read, of (method, stages, purpose, status, items by moment)."""
    path = folder / "runs.db"
    rows = sqlite3.connect(path)
    rows.execute("CREATE TABLE cells (cell_id, method, base, recipe)")
    rows.execute("CREATE TABLE runs (run_id, cell_id, purpose, status, started_at)")
    rows.execute("CREATE TABLE scores (run_id, moment, n_items)")
    for place, (method, stages, purpose, status, items) in enumerate(runs):
        rows.execute("INSERT INTO cells VALUES (?, ?, 'pocket-1m', ?)", (place, method, json.dumps({"stages": stages})))
        rows.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?)", (place, place, purpose, status, place))
        for moment, count in items.items():
            rows.executemany("INSERT INTO scores VALUES (?, ?, ?)", [(place, moment, count - 10), (place, moment, 10)])
    rows.commit()
    rows.close()
    return path
