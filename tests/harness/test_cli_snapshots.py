"""`publish`, `verify`, `import` and `report` of a snapshot, from the user's side."""

import hashlib
from pathlib import Path

import pytest

from harness.matrix import load_matrix
from harness.session import session_on_stack
from tests.harness.snapshot.pretended import pretend_to_run
from tests.harness.snapshot.published import edit_manifest, edit_rows
from tests.small_suite import small_suite


@pytest.fixture(autouse=True)
def clean_checkout(monkeypatch):
    """Whatever this checkout has uncommitted, the tests publish from a clean one."""
    monkeypatch.setattr("harness.stack.git_changes", lambda folder: [])


@pytest.fixture
def suite(tmp_path) -> Path:
    return small_suite(tmp_path / "suite")


@pytest.fixture
def ran(suite, tmp_path) -> Path:
    """A results file in which the whole small suite has run."""
    db = tmp_path / "tunematrix.db"
    pretend_to_run(session_on_stack(load_matrix(suite), db, '{"device": "cpu", "processor": "Test CPU"}', "code"), db)
    return db


def test_a_matrix_that_has_run_is_published_verified_read_and_imported(tunematrix, suite, ran):
    code, output, errors = tunematrix("publish", "mine", str(suite))
    assert (code, errors) == (0, [])
    assert output.splitlines()[0].endswith("runs in results/mine")
    assert Path("results/mine/matrix.yaml").read_text() == suite.read_text()
    assert "| [mine](mine/README.md) | small | Test CPU |" in Path("results/README.md").read_text()

    code, output, _ = tunematrix("verify", "results/mine")
    assert code == 0
    assert output.startswith("ok: ")

    code, output, _ = tunematrix("report", "results/mine")
    assert code == 0
    assert output.startswith("small · ")

    code, output, _ = tunematrix("import", "results/mine", "--db", "other.db")
    assert code == 0
    assert output.endswith("runs of snapshot mine imported, 0 were there already\n")


def test_another_results_file_is_known_by_its_content_and_imported(tunematrix, ran):
    code, output, errors = tunematrix("import", ran.name, "--db", "mine.db")
    assert (code, errors) == (0, [])
    assert output.endswith(" runs of tunematrix.db imported into mine.db, 0 were there already\n")
    assert tunematrix("import", ran.name, "--db", "mine.db")[1].startswith("nothing new: mine.db holds all ")


def test_publish_and_verify_print_the_digest_that_a_snapshot_is_cited_by(tunematrix, suite, ran):
    published = tunematrix("publish", "mine", str(suite))[1].splitlines()
    digest = hashlib.sha256(Path("results/mine/manifest.json").read_bytes()).hexdigest()
    assert f"manifest.json: SHA-256 {digest}" in published
    assert f"manifest.json: SHA-256 {digest}" in tunematrix("verify", "results/mine")[1].splitlines()
    Path("results/mine/README.md").write_text("")
    assert digest not in tunematrix("verify", "results/mine")[1]


def test_verify_exits_with_1_and_names_what_was_changed(tunematrix, suite, ran):
    tunematrix("publish", "mine", str(suite))
    Path("results/mine/README.md").write_text("")
    code, output, errors = tunematrix("verify", "results/mine")
    assert (code, errors) == (1, [])
    assert output.startswith("README.md: changed: 0 bytes, published with ")
    assert output.count("\n") == 1


def test_overrides_are_in_the_manifest_and_must_be_those_of_the_run(tunematrix, suite, ran):
    code, _, errors = tunematrix("publish", "mine", str(suite), "--set", "seeds=5")
    assert code == 2
    assert "cells have no result" in errors[0]
    assert tunematrix("publish", "mine", str(suite), "--set", "seeds=5", "--allow", "unfinished")[0] == 0
    assert '"seeds=5"' in Path("results/mine/manifest.json").read_text()


def test_a_matrix_file_that_names_paths_of_this_machine_is_pointed_out(tunematrix, suite, ran):
    suite.write_text(suite.read_text() + "# from /home/ann/notes\n")
    assert "names paths of this machine" in tunematrix("publish", "mine", str(suite))[1]


def test_snapshots_themselves_are_no_uncommitted_changes(tunematrix, suite, ran, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.commands.snapshots.CHECKOUT", tmp_path)
    monkeypatch.setattr("harness.stack.git_changes", lambda folder: ["results/README.md"])
    assert tunematrix("publish", "mine", str(suite))[0] == 0


def test_a_manifests_key_is_quoted_and_obeyed_nowhere(tunematrix, suite, ran):
    tunematrix("publish", "mine", str(suite))
    edit_manifest(Path("results/mine"), **{"a\x1b[31m\u202eb": 1})
    code, _, errors = tunematrix("verify", "results/mine")
    assert code == 2
    assert errors == ["tunematrix: results/mine/manifest.json: a [31m b: unknown key"]


@pytest.mark.parametrize(
    "words",
    [
        ("report", "{}"),
        ("compare", "{}", "{}"),
        ("check", "--baseline", "{}", "--candidate", "{}"),
        ("diff", "{}", "{}"),
    ],
)
def test_rows_that_no_run_leaves_behind_are_one_line(tunematrix, suite, ran, words):
    tunematrix("publish", "mine", str(suite))
    edit_rows(Path("results/mine"), "stacks", lambda rows: [{**rows[0], "facts": "3"}])
    code, _, errors = tunematrix(*(word.format("results/mine") for word in words))
    assert (code, len(errors)) == (2, 1)
    assert errors[0].endswith("facts is no JSON object")


class TestWrongInput:
    def mistake(self, tunematrix, *words: str) -> str:
        code, output, errors = tunematrix(*words)
        assert code == 2, (output, errors)
        assert len(errors) == 1, errors
        assert errors[0].startswith("tunematrix: ")
        assert not Path("results").exists()
        return errors[0]

    def test_a_name_that_climbs(self, tunematrix, suite, ran):
        assert "no name for a snapshot" in self.mistake(tunematrix, "publish", "../mine", str(suite))

    def test_a_folder_with_a_readme_of_ones_own(self, tunematrix, suite, ran):
        Path("README.md").write_text("# Mine\n")
        assert "README.md: is not a list of snapshots" in self.mistake(
            tunematrix, "publish", "mine", str(suite), "--results", "."
        )
        assert Path("README.md").read_text() == "# Mine\n"
        assert not Path("mine").exists()

    def test_an_unknown_allowance(self, tunematrix, suite, ran):
        line = self.mistake(tunematrix, "publish", "mine", str(suite), "--allow", "everything")
        assert line == "tunematrix: --allow everything: expected unfinished, dirty or mixed-stacks"

    def test_uncommitted_changes(self, tunematrix, suite, ran, monkeypatch):
        monkeypatch.setattr("harness.stack.git_changes", lambda folder: ["harness/cell.py"])
        assert "harness/cell.py: commit, then run" in self.mistake(tunematrix, "publish", "mine", str(suite))

    def test_a_results_file_that_is_not_there(self, tunematrix, suite):
        assert "no such results file" in self.mistake(tunematrix, "publish", "mine", str(suite))

    def test_a_matrix_that_has_no_runs(self, tunematrix, ran):
        assert "no runs of suite 'pocket'" in self.mistake(tunematrix, "publish", "mine")

    def test_a_folder_for_results_in_one_that_is_not_there(self, tunematrix, suite, ran):
        line = self.mistake(tunematrix, "publish", "mine", str(suite), "--results", "absent/results")
        assert "--results absent/results: the folder absent does not exist" in line

    @pytest.mark.parametrize("words", [("verify",), ("import",), ("push",)])
    def test_a_folder_that_is_no_snapshot(self, tunematrix, words, tmp_path):
        more = ("org/name",) if words == ("push",) else ()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HF_HUB_OFFLINE", "0")
            assert "is no snapshot: it has no manifest.json" in self.mistake(tunematrix, *words, str(tmp_path), *more)

    def test_a_file_to_import_that_is_nothing_known(self, tunematrix):
        Path("x.json").write_text("{}")
        line = self.mistake(tunematrix, "import", "x.json")
        assert line == (
            "tunematrix: x.json: is neither results file nor snapshot; if others made it: "
            "--format peft-method-comparison or lm-eval"
        )
        assert "x.json: is no results file" in self.mistake(tunematrix, "import", "x.json", "--format", "results")
        assert "absent.db: no such results file or snapshot" in self.mistake(tunematrix, "import", "absent.db")
        assert not Path("tunematrix.db").exists()

    def test_a_report_of_a_source_that_is_not_there(self, tunematrix):
        assert "absent: no such results file or snapshot" in self.mistake(tunematrix, "report", "absent")
