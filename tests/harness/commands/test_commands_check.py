"""What of a baseline is compared with what runs now, and what speed without turns does to the exit code."""

from pathlib import Path

import pytest

from harness.commands import check
from harness.commands.check import CheckRequest, run_check
from harness.errors import UserError
from harness.gate.reference import Reference
from harness.matrix import load_matrix
from harness.matrix_files import suite_file
from tests.factory import ARMS, make_database
from tests.small_suite import small_suite

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


class TestWhichCells:
    @pytest.fixture
    def suite(self, tmp_path):
        """A suite of one's own, with a few of its cells as reference."""
        matrix = small_suite(tmp_path / "suite")
        few = matrix.read_text().replace("[1e-4, 3e-4, 1e-3]", "1e-3") + "measure: {steps: 5}\n"
        (matrix.parent / "reference.yaml").write_text(few)
        return matrix.parent

    def test_a_suites_folder_means_its_reference_cells_measured_over_the_steps_of_the_whole(self, suite):
        reference = Reference(str(suite)).measured_as("small").found("small")
        assert Path(reference.matrix) == suite / "reference.yaml"
        measured = load_matrix(Path(reference.matrix), reference.overrides).header.measure
        assert measured == load_matrix(suite / "matrix.yaml", ()).header.measure

    def test_so_does_an_installed_suites_name(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert Path(Reference("pocket").found("").matrix) == suite_file("pocket").parent / "reference.yaml"

    def test_a_file_that_is_named_is_that_file(self, suite):
        reference = Reference(str(suite / "matrix.yaml")).measured_as("small")
        assert Path(reference.found("small").matrix) == suite / "matrix.yaml"
        assert reference.overrides == ()

    def test_a_suite_without_any_runs_whole(self, suite):
        (suite / "reference.yaml").unlink()
        assert Path(Reference(str(suite)).found("small").matrix) == suite / "matrix.yaml"

    def test_the_suite_is_that_of_the_cells(self, suite):
        assert (Reference(str(suite)).suite, Reference().suite) == ("small", None)

    def test_a_suite_that_is_not_installed_must_be_named(self):
        with pytest.raises(UserError, match="no installed suite mine; name a matrix file"):
            Reference().found("mine")


def test_speed_of_another_hour_is_open_and_can_be_allowed(baseline, running):
    request = {"baseline": baseline, "run": True, "quantities": "memory,speed,matrix_speed"}
    assert run_check(CheckRequest(Reference(), **request)) == 3
    assert run_check(CheckRequest(Reference(), **request, allow=("speed,matrix-speed",))) == 0
