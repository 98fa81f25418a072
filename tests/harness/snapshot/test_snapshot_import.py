"""A snapshot's runs come into a results file once, whole, and over nothing that is there."""

import shutil
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.report import build_report
from harness.snapshot import import_snapshot
from harness.store.database import open_for_reading, open_for_writing
from tests.factory import GPU
from tests.harness.snapshot.published import copied, edit_manifest, publish, small_database


@pytest.fixture
def own(db_path, tmp_path) -> Path:
    """A copy of the results file that the snapshot was published from."""
    return Path(shutil.copy(db_path, tmp_path / "own.db"))


def dump(path: Path) -> dict:
    db = open_for_reading(path)
    return {name: list(db[name].rows) for name in db.table_names() if not name.startswith("_")}


def main_rows(path: Path) -> list:
    return [section.tables[0].rows() for section in build_report(open_for_reading(path)).sections]


def test_into_a_new_file_it_gives_the_same_tables(snapshot, db_path, tmp_path):
    brought = import_snapshot(snapshot, tmp_path / "new.db")
    assert brought.summary == "21 runs of snapshot one imported, 0 were there already"
    assert main_rows(tmp_path / "new.db") == main_rows(db_path)


def test_its_runs_say_where_they_are_from(snapshot, tmp_path):
    import_snapshot(snapshot, tmp_path / "new.db")
    assert {run["source"] for run in open_for_reading(tmp_path / "new.db")["runs"].rows} == {"snapshot:one"}


def test_a_second_time_changes_nothing(snapshot, tmp_path):
    import_snapshot(snapshot, tmp_path / "new.db")
    before = dump(tmp_path / "new.db")
    assert import_snapshot(snapshot, tmp_path / "new.db").new == 0
    assert dump(tmp_path / "new.db") == before


def test_into_the_file_that_it_was_published_from_it_changes_nothing(snapshot, own):
    before = dump(own)
    assert import_snapshot(snapshot, own).new == 0
    assert dump(own) == before


def test_paths_and_answers_that_were_not_published_make_no_difference(tmp_path):
    own = small_database(tmp_path / "own.db")
    db = open_for_writing(own)
    run = next(iter(db["runs"].rows))
    db["runs"].insert(run | {"run_id": "bad", "status": "crashed", "reason": "no file /home/ann/x"})
    assert import_snapshot(publish(own, tmp_path / "results"), own).known == 22


def test_it_stands_beside_other_runs(snapshot, tmp_path):
    other = small_database(tmp_path / "other.db", facts=GPU, seed=1)
    before = dump(other)
    assert import_snapshot(snapshot, other).new == 21
    after = dump(other)
    assert all(row in after[table] for table, rows in before.items() for row in rows)
    assert len(build_report(open_for_reading(other)).sections) == 2


def test_a_run_that_is_there_with_other_results_is_refused_by_its_name(snapshot, own):
    db = open_for_writing(own)
    score = next(iter(db["scores"].rows))
    db.execute("DROP TRIGGER scores_finished_UPDATE")
    db.execute("UPDATE scores SET value = 0.5 WHERE run_id = ?", [score["run_id"]])
    db.conn.commit()
    before = dump(own)
    with pytest.raises(UserError, match=f"run {score['run_id']}: is there already with other scores"):
        import_snapshot(snapshot, own)
    assert dump(own) == before


def test_what_does_not_verify_is_refused_and_no_file_is_made(snapshot, tmp_path):
    copy = copied(snapshot, tmp_path / "copy")
    (copy / "README.md").write_text("")
    with pytest.raises(UserError, match=r"does not verify, and is not imported: README\.md: changed"):
        import_snapshot(copy, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_a_file_name_that_climbs_is_refused_and_no_file_is_made(snapshot, tmp_path):
    copy = copied(snapshot, tmp_path / "copy")
    edit_manifest(copy, files={"../../etc/passwd": {"sha256": "0" * 64, "size_bytes": 0}})
    with pytest.raises(UserError, match="leads out of the snapshot"):
        import_snapshot(copy, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_a_failure_on_the_way_leaves_the_file_as_it_was(snapshot, tmp_path):
    other = small_database(tmp_path / "other.db", facts=GPU, seed=1)
    db = open_for_writing(other)
    db.execute("CREATE TRIGGER full BEFORE INSERT ON items BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
    before = dump(other)
    with pytest.raises(Exception, match="full"):
        import_snapshot(snapshot, other)
    assert dump(other) == before
