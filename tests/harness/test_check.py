"""`tunematrix check` as a whole, from outside: real cells, planted faults, another interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factory import make_database
from tests.small_suite import small_suite

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
QUICK = (
    *("--set", "budget.steps=6", "--set", "seeds=1", "--set", "methods.full_sft.learning_rate=3e-4"),
    *("--set", "measure.warmup_steps=2", "--set", "measure.steps=3", "--only", "method=full_sft"),
)
NUMERICS = ("--quantities", "status,logits,gradients,first_losses")
FAULT = """\
def scaled(model):
    for parameter in model.model.layers[1].parameters():
        parameter.register_hook(lambda gradient: gradient * 1.01)

def broken(model):
    raise ValueError("no such layer")
"""


class Folder:
    """A folder with a suite and the module of a patch, and the command in it."""

    def __init__(self, path: Path) -> None:
        self.path, self.suite = path, small_suite(path / "suite")
        (path / "own_fault.py").write_text(FAULT)

    def check(self, *words: str, cells: bool = True) -> tuple[int, str]:
        """Returns the exit code and everything that was said."""
        of = [str(self.suite), *QUICK] if cells else []
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli", "check", *of, *words], cwd=self.path, text=True, timeout=300,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "140"}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Folder:
    return Folder(tmp_path_factory.mktemp("check"))


@pytest.fixture(scope="module")
def twice(folder) -> tuple[int, str]:
    """The same code on both sides, kept."""
    return folder.check("--ab", "", "", "--rounds", "2", *NUMERICS, "--keep", "kept", "--json", "check.json")


def test_the_same_code_twice_passes_to_the_last_bit(folder, twice):
    assert twice[0] == 0, twice[1]
    findings = json.loads((folder.path / "check.json").read_text())["findings"]
    assert {one["change"] for one in findings if one["quantity"] != "status"} == {0.0}


def test_what_was_kept_can_be_judged_again(folder, twice):
    assert {path.name for path in (folder.path / "kept").glob("*.db")} == {"a.db", "b.db"}
    sides = ("--baseline", "kept/a.db", "--candidate", "kept/b.db")
    code, said = folder.check(*sides, "--quantities", "speed", cells=False)
    assert code == 3, said
    assert "2 rounds; 6 more would do" in said  # of a single arm


def test_a_baseline_is_held_against_what_runs_now(folder, twice):
    code, said = folder.check("--baseline", "kept/a.db", "--run", "--rounds", "1", *NUMERICS)
    assert code == 0, said


def test_another_kernel_in_another_interpreter_passes(folder):
    other = folder.path / "python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    code, said = folder.check("--ab", "", f"python={other} kernels.attention=eager", "--rounds", "1", *NUMERICS)
    assert code == 0, said
    assert "attention: sdpa -> eager" in said


def test_a_patch_that_scales_one_layers_gradient_is_found(folder):
    code, said = folder.check("--ab", "", "kernels.patch=own_fault:scaled", "--rounds", "1", *NUMERICS)
    assert code == 1, said
    assert "model.layers.1." in said
    assert "patch: None -> own_fault:scaled" in said


@pytest.mark.extended  # half a check, for a line that harness.patches makes
def test_a_patch_that_raises_is_one_line(folder):
    code, said = folder.check("--ab", "kernels.patch=own_fault:broken", "", "--rounds", "1")
    assert code == 2
    assert said.splitlines()[-1].endswith("own_fault:broken raised ValueError: no such layer")
    assert "Traceback" not in said


def test_a_mistake_in_a_setting_is_told_as_that_settings(folder):
    code, said = folder.check("--ab", "", "kernels.attention=quick", "--rounds", "1")
    assert code == 2
    assert said.strip().startswith('tunematrix: --ab "kernels.attention=quick": kernels.attention: ')
    assert "--set" not in said


def test_a_mistake_in_what_both_sides_share_is_told_as_that(folder):
    code, said = folder.check("--set", "kernels.attention=quick", "--ab", "", "threads=2", "--rounds", "1")
    assert code == 2
    assert said.strip().startswith("tunematrix: --set: kernels.attention: ")


def test_a_baseline_of_another_suite_is_refused_before_anything_runs(folder):
    make_database(folder.path / "third.db", suite="third")
    code, said = folder.check("--baseline", "third.db", "--run")
    assert code == 2
    assert said.strip().startswith("tunematrix: third.db: no runs of the suite ")
    assert "training" not in said


def test_a_baseline_of_another_suite_is_refused(folder):
    make_database(folder.path / "pocket.db", suite="pocket")
    make_database(folder.path / "other.db", suite="other")
    code, said = folder.check("--baseline", "pocket.db", "--candidate", "other.db", cells=False)
    assert code == 2
    assert said.strip() == "tunematrix: other.db: no runs of the suite pocket; it holds other"
