"""The benchmark itself, run for a cell with a few steps: both sides, their agreement, the file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench import costs_of, same_work_seconds
from benchmarks.stock_side import ROOT


def test_merged_models_are_no_part_of_the_same_work() -> None:
    phases = {"load": 0.25, "train": 4.0, "evaluate": 1.0, "merge": 0.25, "evaluate_merged": 1.0, "requantise": 0.5}

    assert same_work_seconds(8.0, phases) == 6.25


def test_costs_are_those_of_the_last_script_and_of_lm_eval() -> None:
    cells = [cell("full_sft"), cell("lora"), cell("qlora"), cell("dpo", scripts=2), cell("lora", "pocket-0.2m")]

    found = costs_of(cells)

    assert found is not None
    assert found.training["dpo", "pocket-1m"].seconds(100) == pytest.approx(22.0)
    assert found.scoring["four_bit"].seconds(1000) == pytest.approx(15.0)


def test_without_every_pocket_cell_there_are_no_costs() -> None:
    assert costs_of([cell("lora")]) is None


def cell(method: str, base: str = "pocket-1m", scripts: int = 1) -> dict[str, Any]:
    """A timed cell as far as its costs go; each script took two seconds more than the one before."""
    took = [{"wall_seconds": 20.0 + 2 * i, "train_seconds": 8.0, "steps": 100} for i in range(scripts)]
    stock = {"scripts": took, "lm_eval_wall_seconds": 15.0, "score_seconds": 1.0, "items": 1000}
    return {"suite": "pocket", "method": method, "base": base, "stock": stock}


@pytest.mark.extended
@pytest.mark.timeout(600)
def test_a_quick_run_times_both_sides_and_they_agree(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.bench",
        "--quick",
        "--skip-matrix",
        "--cells",
        "lora r=8 · pocket-0.2m",
    ]

    ended = subprocess.run([*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(out.read_text())
    (only,) = found["cells"]
    for side in ("harness", "stock"):
        assert only[side]["train_seconds"] > 0
        assert only[side]["score_seconds"] > 0
        assert only[side]["wall_seconds"] > only[side]["train_seconds"] + only[side]["score_seconds"]
    assert found["ratio"] == pytest.approx(only["stock"]["wall_seconds"] / only["harness"]["same_work_seconds"])
    assert found["ratio_whole_cell"] < found["ratio"]
    assert only["largest_score_difference"] < 0.01
    assert only["largest_loss_difference"] < 1e-4
    assert found["targets"]["matrix_ratio"] == {"value": None, "at_least": 10.0, "met": None}
