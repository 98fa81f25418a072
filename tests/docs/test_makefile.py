"""The Makefile's targets: what they would run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def would_run(*words: str) -> str:
    """What `make` says that it would do, on one line."""
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    told = subprocess.run(["make", "-n", *words], cwd=ROOT, env=alone, capture_output=True, text=True, check=True)
    return " ".join(told.stdout.replace("\\\n", " ").split())


def test_the_board_shows_the_results_file_that_is_named_beside_the_snapshots():
    told = would_run("board", "DB=mine.db")
    assert "tunematrix board mine.db results/" in told
    assert "results/pocket-cpu/" in told


def test_without_one_the_board_shows_what_is_at_hand():
    assert would_run("board").endswith("tunematrix board")


def test_check_takes_more_arguments():
    told = would_run("check", "BASELINE=results/pocket-cpu", "CHECK_ARGS=--allow memory")
    assert "--baseline results/pocket-cpu --run --allow speed,matrix-speed --allow memory" in told


def test_clean_keeps_results_and_weights():
    removed = would_run("clean").split()
    assert ".venv" in removed
    assert not {"tunematrix.db", ".tunematrix", "results"} & set(removed)


def test_the_gpu_targets_take_a_budget_a_file_and_more_arguments():
    for target in ("gpu-matrix", "gpu-pocket"):
        told = would_run(target, "BUDGET_S=60", "GPU_DB=mine.db", "GPU_ARGS=--device cpu")
        assert told.endswith(f"-m scripts.{target.replace('-', '_')} --db mine.db --budget 60 --device cpu")


def test_peers_take_a_budget_and_more_arguments():
    told = would_run("gpu-peers", "BUDGET_S=60", "GPU_ARGS=--device cpu")
    assert told.endswith("-m scripts.gpu_peers --budget 60 --device cpu")
