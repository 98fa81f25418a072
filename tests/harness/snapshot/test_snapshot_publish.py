"""A snapshot is whole, the same every time, never changed, and honest about what it should not have."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.errors import UserError
from harness.snapshot import verify_snapshot
from harness.snapshot.manifest import read_manifest
from harness.store.database import open_for_reading, open_for_writing
from tests.factory import GPU
from tests.harness.snapshot.published import expected_of, publish, small_database


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_one_open(db_path: Path) -> list:
    first, *rest = expected_of(open_for_reading(db_path))
    return [first.model_copy(update={"state": "left"}), *rest]


@pytest.fixture
def dirty(tmp_path) -> Path:
    path = small_database(tmp_path / "r.db")
    db = open_for_writing(path)
    run = next(iter(db["runs"].rows))
    db["runs"].insert(run | {"run_id": "dirty", "git_dirty": 1})
    return path


@pytest.fixture
def mixed(tmp_path) -> Path:
    return small_database(small_database(tmp_path / "r.db"), facts=GPU, seed=1)


def test_the_same_runs_give_the_same_bytes(snapshot, db_path, tmp_path):
    assert content(publish(db_path, tmp_path / "again")) == content(snapshot)


def test_it_holds_what_its_readme_names(snapshot):
    names = {path.split("/")[0] for path in content(snapshot)}
    assert names == {
        *("tables", "report", "figures", "matrix.yaml", "recipes.json", "stacks.json"),
        *("LICENCES.md", "README.md", "manifest.json"),
    }
    for name in names - {"README.md"}:
        assert name in (snapshot / "README.md").read_text()


def test_it_verifies(snapshot):
    assert verify_snapshot(snapshot).problems == []


def test_every_table_is_there_as_parquet_and_as_csv_with_the_same_rows(snapshot):
    rows = read_manifest(snapshot).rows
    for name, count in rows.items():
        with (snapshot / "tables" / f"{name}.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == count
        assert pq.read_table(snapshot / "tables" / f"{name}.parquet").num_rows == count
    assert rows["runs"] == 21


def test_the_manifest_has_the_digest_of_every_other_file(snapshot):
    assert set(read_manifest(snapshot).files) == set(content(snapshot)) - {"manifest.json"}


def test_the_manifest_says_what_was_asked_for(snapshot):
    manifest = read_manifest(snapshot)
    assert manifest.seeds == [1, 2, 3]
    assert len(manifest.expected) == 21
    assert {cell.state for cell in manifest.expected} == {"done", "failed"}


def test_the_matrix_file_is_published_as_it_is(db_path, tmp_path):
    text = "# a remark\r\nsuite:   pocket\n"
    folder = publish(db_path, tmp_path / "results", matrix=text)
    assert (folder / "matrix.yaml").read_bytes() == text.encode()


def test_generated_answers_are_nowhere_in_it(snapshot):
    assert b"yes ." not in b"".join(content(snapshot).values())


def test_the_text_is_published_where_it_is_asked_for(db_path, tmp_path):
    folder = publish(db_path, tmp_path / "results", with_text=True)
    assert "yes ." in (folder / "tables" / "items.csv").read_text()


def test_figures_are_embedded_in_the_readme(snapshot):
    figures = {f"figures/{path.name}" for path in (snapshot / "figures").iterdir()}
    assert figures == {f"figures/{n}.svg" for n in ("gain-memory", "gain-forgetting", "score-rank", "loss")}
    assert all(f"]({name})" in (snapshot / "README.md").read_text() for name in figures)


class TestRefusals:
    def refused(self, results: Path, db_path: Path, **options) -> str:
        before = content(results) if results.exists() else None
        with pytest.raises(UserError) as error:
            publish(db_path, results, **options)
        assert (content(results) if results.exists() else None) == before
        assert len(error.value.lines) == 1
        return error.value.lines[0]

    def test_cells_without_a_result(self, db_path, tmp_path):
        line = self.refused(tmp_path / "results", db_path, expected=with_one_open(db_path))
        assert "1 of 21 cells have no result, the first " in line
        assert "--allow unfinished" in line

    def test_runs_made_with_uncommitted_changes(self, dirty, tmp_path):
        assert "1 of 22 runs were made with uncommitted" in self.refused(tmp_path / "results", dirty)

    def test_uncommitted_changes_now(self, db_path, tmp_path):
        line = self.refused(tmp_path / "results", db_path, changed_files=("harness/cell.py",))
        assert "changed when it was published: harness/cell.py" in line

    def test_runs_of_several_stacks(self, mixed, tmp_path):
        assert "runs of 2 stacks" in self.refused(tmp_path / "results", mixed)

    @pytest.mark.parametrize("name", ["../out", "a/b", "", ".", "..", ".hidden", "-x", "a b", "a\n", "/x", "x" * 101])
    def test_a_name_that_is_no_plain_folder(self, db_path, tmp_path, name):
        assert "no name for a snapshot" in self.refused(tmp_path / "results", db_path, name=name)
        assert list(tmp_path.iterdir()) == []

    def test_a_name_that_is_taken(self, snapshot, db_path):
        assert "never changes" in self.refused(snapshot.parent, db_path)

    def test_a_suite_without_runs(self, db_path, tmp_path):
        assert "no runs of suite 'absent'" in self.refused(tmp_path / "results", db_path, suite="absent")

    def test_a_failure_on_the_way_leaves_nothing(self, db_path, tmp_path, monkeypatch):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("harness.snapshot.publish.write_manifest", full)
        with pytest.raises(OSError, match="No space"):
            publish(db_path, tmp_path / "results")
        assert list((tmp_path / "results").iterdir()) == []


class TestAllowed:
    def faces(self, folder: Path) -> list[str]:
        report = json.loads((folder / "report" / "report.json").read_text())
        return [(folder / "README.md").read_text(), (folder / "report" / "report.md").read_text(), *report["notes"]]

    def test_an_incomplete_one_says_so_on_its_face(self, db_path, tmp_path):
        allow = frozenset({"unfinished"})
        folder = publish(db_path, tmp_path / "results", expected=with_one_open(db_path), allow=allow)
        assert all("NOT COMPLETE: 1 of 21 cells have no result" in face for face in self.faces(folder))
        assert read_manifest(folder).allowed == ["unfinished"]
        assert verify_snapshot(folder).problems == []
        assert "not complete" in (folder.parent / "README.md").read_text()

    def test_one_of_uncommitted_changes_says_so_on_its_face(self, dirty, tmp_path):
        folder = publish(dirty, tmp_path / "results", changed_files=("a.py",), allow=frozenset({"dirty"}))
        assert all("UNCOMMITTED CHANGES: 1 of 22 runs" in face for face in self.faces(folder))
        assert read_manifest(folder).git_changed_files == ["a.py"]

    def test_one_of_several_stacks_has_the_figures_of_each(self, mixed, tmp_path):
        folder = publish(mixed, tmp_path / "results", allow=frozenset({"mixed-stacks"}))
        assert all("MIXED STACKS: runs of 2 stacks" in face for face in self.faces(folder))
        assert len(list((folder / "figures").iterdir())) == 8
        assert verify_snapshot(folder).problems == []

    def test_what_was_allowed_and_did_not_occur_is_not_said(self, db_path, tmp_path):
        folder = publish(db_path, tmp_path / "results", allow=frozenset({"unfinished", "dirty"}))
        assert read_manifest(folder).allowed == []


def test_the_index_lists_the_snapshots_newest_run_first(db_path, tmp_path):
    results = tmp_path / "results"
    publish(db_path, results, "older")
    (results / "notes").mkdir()
    gpu = small_database(tmp_path / "gpu.db", facts=GPU)
    db = open_for_writing(gpu)
    db["runs"].insert(
        next(iter(db["runs"].rows)) | {"run_id": "last", "started_at": "2026-03-01T00:00:00.000000+00:00"}
    )
    publish(gpu, results, "newer")
    rows = [line for line in (results / "README.md").read_text().splitlines() if line.startswith("| [")]
    assert rows == [
        "| [newer](newer/README.md) | pocket | Test GPU | 22 | 2026-03-01 |  |",
        "| [older](older/README.md) | pocket | Test CPU | 21 | 2026-01-01 |  |",
    ]
