"""What of a baseline is compared with what runs now, and what speed without turns does to the exit code."""

from pathlib import Path

import pytest

from harness.commands import check
from harness.commands.check import CheckRequest, run_check
from harness.gate.trial import Reference
from harness.matrix import load_matrix
from harness.session import suite_file
from tests.factory import ARMS, make_database

FEW = {name: ARMS[name] for name in ("base", "full_sft", "lora")}


@pytest.fixture
def baseline(tmp_path):
    return make_database(tmp_path / "baseline.db", bases=["pocket-1m"])


@pytest.fixture
def running(monkeypatch):
    """What would run is there already: a few of the baseline's arms."""

    def run(request, texts, suite, folder, console):
        make_database(folder / "a.db", arms=FEW, bases=["pocket-1m"])
        return True

    monkeypatch.setattr(check, "_run", run)


SCORES = "status,score,matrix_score"


def test_recipes_that_are_not_to_run_are_left_out_and_counted(baseline, running, capsys):
    assert run_check(CheckRequest(Reference(), baseline=baseline, run=True, quantities=SCORES)) != 3
    said = " ".join(capsys.readouterr().out.split())
    assert "missing" not in said
    assert "other recipes of the baseline are left out" in said


def test_reference_cells_that_meet_a_snapshot_are_measured_over_its_steps():
    header = load_matrix(suite_file("pocket"), ()).header
    reference = Reference().measured_as("pocket").found("pocket")
    measured = load_matrix(Path(reference.matrix), reference.overrides).header.measure
    assert measured.steps == header.measure.steps != load_matrix(Path(reference.matrix), ()).header.measure.steps
    assert Reference("my/matrix.yaml").measured_as("pocket").overrides == ()


def test_speed_of_another_hour_is_open_and_can_be_allowed(baseline, running):
    request = {"baseline": baseline, "run": True, "quantities": "memory,speed,matrix_speed"}
    assert run_check(CheckRequest(Reference(), **request)) == 3
    assert run_check(CheckRequest(Reference(), **request, allow=("speed,matrix-speed",))) == 0
