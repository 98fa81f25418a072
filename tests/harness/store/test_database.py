"""Opening a results file: made, migrated, read-only, or refused in one line with the file left as it was."""

import sqlite3

import pytest

from harness.errors import UserError
from harness.store.database import open_for_reading, open_for_writing, open_in_memory
from tests.factory import make_database


def test_a_new_file_has_every_table_and_view(tmp_path):
    db = open_for_writing(tmp_path / "t.db")
    assert {"cells", "stages", "runs", "phases", "steps", "scores", "items", "stacks"} <= set(db.table_names())
    assert {"arms", "forgetting"} <= set(db.view_names())


def test_the_view_of_arms_leaves_tuning_time_to_the_report_which_counts_failed_runs(tmp_path):
    assert "tuning_seconds" not in open_for_writing(tmp_path / "t.db")["arms"].columns_dict


@pytest.mark.parametrize(("shares", "median"), [((), 1.0), ((3.0,), 2.0), ((3.0, 9.0), 3.0)])
def test_the_view_of_arms_has_the_median_speed_of_the_measure_runs(tmp_path, shares, median):
    """As ``harness.analysis.costs.measured`` has it; more measure runs at shares of the first one's speed."""
    db = open_for_writing(make_database(tmp_path / "t.db", bases=["pocket-1m"]))
    of_lora = "cell_id IN (SELECT cell_id FROM cells WHERE label = 'lora') AND purpose = 'measure'"
    run = next(db["runs"].rows_where(of_lora))
    (phase,) = db["phases"].rows_where("run_id = ? AND phase = 'train'", [run["run_id"]])
    cell = next(db["cells"].rows_where("cell_id = ?", [run["cell_id"]]))
    stages = list(db["cell_stages"].rows_where("cell_id = ?", [run["cell_id"]]))
    speed = phase["tokens_per_second_median"]
    for n, share in enumerate(shares):
        db["cells"].insert({**cell, "cell_id": f"cell-{n}", "seed": 100 + n})
        db["cell_stages"].insert_all({**stage, "cell_id": f"cell-{n}"} for stage in stages)
        db["runs"].insert({**run, "run_id": f"run-{n}", "cell_id": f"cell-{n}"})
        db["phases"].insert({**phase, "run_id": f"run-{n}", "tokens_per_second_median": share * speed})
    (found,) = db.query("SELECT tokens_per_second FROM arms WHERE arm_id = ?", [cell["arm_id"]])
    assert found["tokens_per_second"] == pytest.approx(median * speed)


def test_an_older_files_view_of_arms_is_renewed(tmp_path):
    path = make_database(tmp_path / "old.db", bases=["pocket-1m"])
    db = open_for_writing(path)
    before = list(db.query("SELECT arm_id, chosen_rate, target, ledger_peak_bytes FROM arms"))
    db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_arms'")
    db.execute("DROP VIEW arms")
    db.execute("CREATE VIEW arms AS SELECT arm_id, wall_seconds AS tuning_seconds FROM latest")
    db.conn.commit()
    db.conn.close()
    renewed = open_for_reading(path)
    assert "tuning_seconds" not in renewed["arms"].columns_dict
    assert list(renewed.query("SELECT arm_id, chosen_rate, target, ledger_peak_bytes FROM arms")) == before


def test_writers_use_wal_foreign_keys_and_wait_when_busy(tmp_path):
    db = open_for_writing(tmp_path / "t.db")
    pragmas = {
        name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "foreign_keys", "busy_timeout")
    }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_reader_cannot_write(tmp_path):
    open_for_writing(tmp_path / "t.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        open_for_reading(tmp_path / "t.db").execute("DELETE FROM runs")


@pytest.fixture
def older(tmp_path):
    """A file of before the runner's choices were written down, and what its arms were."""
    path = make_database(tmp_path / "old.db", bases=["pocket-1m"])
    db = open_for_writing(path)
    before = list(db.query("SELECT arm_id, chosen_rate, target FROM arms"))
    db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_choices'")
    db.execute("DROP TABLE choices")
    db.conn.commit()
    db.conn.close()
    return path, before


def test_an_older_file_is_migrated_when_it_is_written_to_and_keeps_what_it_holds(older):
    path, before = older
    migrated = open_for_writing(path)
    assert "choices" in migrated.table_names()
    assert list(migrated.query("SELECT arm_id, chosen_rate, target FROM arms")) == before


@pytest.mark.parametrize("opened", [open_for_reading, open_for_writing])
class TestRefusals:
    def refusal(self, opened, path) -> str:
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(UserError) as caught:
            opened(path)
        assert (path.read_bytes() if path.is_file() else None) == before
        [line] = caught.value.lines
        return line

    def test_a_newer_version(self, opened, tmp_path):
        path = tmp_path / "new.db"
        db = open_for_writing(path)
        db["_sqlite_migrations"].insert({"migration_set": "tunematrix", "name": "m999_future", "applied_at": "2099"})
        db.conn.close()
        assert "newer tunematrix (m999_future)" in self.refusal(opened, path)

    def test_a_file_that_is_no_database(self, opened, tmp_path):
        (tmp_path / "x.db").write_text("not a database, but long enough to look at " * 50)
        assert "is no SQLite database" in self.refusal(opened, tmp_path / "x.db")

    def test_another_programs_database(self, opened, tmp_path):
        other = sqlite3.connect(tmp_path / "x.db")
        other.execute("CREATE TABLE holidays (day TEXT)")
        other.commit()
        other.close()
        assert "another program's database (tables holidays" in self.refusal(opened, tmp_path / "x.db")

    def test_a_folder(self, opened, tmp_path):
        assert str(tmp_path) in self.refusal(opened, tmp_path)

    def test_a_folder_that_does_not_exist(self, opened, tmp_path):
        assert "x.db" in self.refusal(opened, tmp_path / "absent" / "x.db")


def test_a_database_in_memory_is_of_this_version_or_of_an_earlier_one():
    assert "logits" in open_in_memory().table_names()
    earlier = open_in_memory(["m001_tables", "m002_choices"])
    assert {"choices", "logits"} & set(earlier.table_names()) == {"choices"}


class TestReading:
    def test_an_empty_file_stays_empty(self, tmp_path):
        (tmp_path / "started.db").touch()
        assert not list(open_for_reading(tmp_path / "started.db")["runs"].rows)
        assert (tmp_path / "started.db").stat().st_size == 0

    def test_an_older_file_is_read_as_it_would_be_and_stays_as_it_is(self, older):
        path, before = older
        content = path.read_bytes()

        looked = open_for_reading(path)
        assert list(looked.query("SELECT arm_id, chosen_rate, target FROM arms")) == before
        assert path.read_bytes() == content

    def test_a_locked_file_is_said_to_be_locked_and_soon(self, tmp_path):
        path = make_database(tmp_path / "mine.db", bases=["pocket-1m"])
        other = sqlite3.connect(path)
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UserError, match="is locked by another program"):
            open_for_reading(path, patience=0.1)
        other.close()
