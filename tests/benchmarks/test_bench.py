"""The benchmark itself, run for a cell with a few steps: both sides, their agreement, the file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.stock_side import ROOT


@pytest.mark.slow
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
    (cell,) = found["cells"]
    for side in ("harness", "stock"):
        assert cell[side]["train_seconds"] > 0
        assert cell[side]["score_seconds"] > 0
        assert cell[side]["wall_seconds"] > cell[side]["train_seconds"] + cell[side]["score_seconds"]
    assert found["ratio"] == pytest.approx(cell["stock"]["wall_seconds"] / cell["harness"]["wall_seconds"])
    assert cell["largest_score_difference"] < 0.01
    assert cell["largest_loss_difference"] < 1e-4
    assert found["targets"]["matrix_ratio"] == {"value": None, "at_least": 10.0, "met": None}
