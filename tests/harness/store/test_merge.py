"""Another results file's runs come into one once, whole, and over nothing that is there; it stays as it was."""

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlite_utils import Database

from harness.errors import UserError
from harness.events import Artifact, Step, Trained
from harness.report import build_report
from harness.snapshot import import_snapshot
from harness.store.database import open_for_reading, open_for_writing
from harness.store.merge import merge_file
from harness.store.writer import Writer
from tests.factory import GPU, make_database
from tests.harness.snapshot.published import SMALL, publish, small_database

N_RUNS = 21


@pytest.fixture
def gpu(tmp_path) -> Path:
    """The file that comes back from a GPU machine."""
    return small_database(tmp_path / "gpu.db", facts=GPU)


@pytest.fixture
def mine(tmp_path) -> Path:
    """One's own."""
    return small_database(tmp_path / "mine.db")


def rows(path: Path) -> dict[str, list]:
    db = open_for_reading(path)
    found = {name: list(db[name].rows) for name in db.table_names() if not name.startswith("_")}
    return {name: sorted(of_table, key=repr) for name, of_table in found.items()}


def tables(path: Path) -> list:
    return [section.tables[0].rows() for section in build_report(open_for_reading(path)).sections]


def change(path: Path, *statements: str) -> None:
    """Whatever a guard says."""
    db = open_for_writing(path)
    for table in db.table_names():
        for verb in ("UPDATE", "DELETE"):
            db.execute(f"DROP TRIGGER IF EXISTS {table}_finished_{verb}")
    for statement in statements:
        db.execute(statement)
    db.conn.commit()
    db.close()


def an_ended_run(path: Path) -> str:
    query = "SELECT run_id FROM scores JOIN runs USING (run_id) WHERE base_run_id NOT NULL ORDER BY run_id LIMIT 1"
    return str(next(open_for_reading(path).query(query))["run_id"])


def refusal(source: Path, target: Path) -> str:
    """One line, and the target as it was."""
    before = rows(target) if target.exists() else None
    with pytest.raises(UserError) as caught:
        merge_file(source, target)
    assert (rows(target) if target.exists() else None) == before
    [line] = caught.value.lines
    return line


class TestWhatComesAlong:
    def test_into_a_new_file_it_gives_the_same_rows_and_tables(self, gpu, tmp_path):
        merged = merge_file(gpu, tmp_path / "new.db")
        assert (merged.new, merged.known, merged.unfinished, merged.artifacts) == (N_RUNS, 0, 0, 0)
        there, here = rows(gpu), rows(tmp_path / "new.db")
        assert {name for name, of_table in there.items() if of_table} > {"runs", "phases", "steps", "scores", "items"}
        for run in here["runs"]:
            assert run.pop("source") == "file:gpu.db"
        for run in there["runs"]:
            assert run.pop("source") == "local"
        assert here == there
        assert tables(tmp_path / "new.db") == tables(gpu)

    def test_it_stands_beside_ones_own_runs(self, gpu, mine):
        before = rows(mine)
        assert merge_file(gpu, mine).summary == f"{N_RUNS} runs of {gpu} imported into {mine}, 0 were there already"
        after = rows(mine)
        assert all(row in after[table] for table, of_table in before.items() for row in of_table)
        assert len(after["runs"]) == 2 * N_RUNS
        assert len(build_report(open_for_reading(mine)).sections) == 2

    def test_a_second_time_changes_nothing_and_says_so(self, gpu, mine):
        merge_file(gpu, mine)
        before = rows(mine)
        assert merge_file(gpu, mine).summary == f"nothing new: {mine} holds all {N_RUNS} runs of {gpu} that have ended"
        assert rows(mine) == before

    def test_after_another_visit_only_the_new_runs_come(self, gpu, mine):
        merge_file(gpu, mine)
        make_database(gpu, arms=SMALL, bases=["pocket-0.2m"], facts=GPU, seed=1)
        merged = merge_file(gpu, mine)
        assert (merged.new, merged.known) == (N_RUNS, N_RUNS)

    def test_a_run_keeps_where_it_was_from_unless_it_was_made_there(self, gpu, mine, tmp_path):
        merge_file(gpu, mine)
        merge_file(mine, tmp_path / "all.db")
        found = {run["source"] for run in rows(tmp_path / "all.db")["runs"]}
        assert found == {"file:gpu.db", "file:mine.db"}

    @pytest.mark.parametrize(
        ("table", "values"),
        [
            ("predictions", "'train', 'weights', 5, NULL, 'v'"),
            ("step_parts", "'s', 'forward', 0.1, 0.1, 0.1, 1, 1, 1, 1, 1.0"),
            ("ceilings", "1e12, 1e11, 1e12, 1e-5, 1e11, 1e11, 1e11"),
            ("step_work", "1e9, 1e9, 1e6, 100, 'v'"),
            ("timelines", "'s', '{}'"),
        ],
    )
    def test_what_was_predicted_and_what_a_step_is_made_of_come_along(self, gpu, mine, table, values):
        change(gpu, f"INSERT INTO {table} VALUES ('{an_ended_run(gpu)}', {values})")
        merge_file(gpu, mine)
        assert rows(mine)[table] == rows(gpu)[table] != []

    @pytest.mark.parametrize("column", ["run_id TEXT NOT NULL", "of_run TEXT NOT NULL REFERENCES runs (run_id)"])
    def test_so_does_whatever_table_hangs_on_runs(self, gpu, mine, column):
        for path in (gpu, mine):
            change(path, f"CREATE TABLE later ({column}, value REAL) STRICT")
        change(gpu, f"INSERT INTO later VALUES ('{an_ended_run(gpu)}', 0.5)")
        merge_file(gpu, mine)
        assert [row["value"] for row in rows(mine)["later"]] == [0.5]
        change(gpu, "UPDATE later SET value = 0.75")
        assert "with other later" in refusal(gpu, mine)

    def test_weights_stay_where_they_are_and_that_is_said(self, gpu, mine):
        run_id = an_ended_run(gpu)
        stage = next(open_for_reading(gpu).query("SELECT stage_id FROM stages LIMIT 1"))["stage_id"]
        event = Artifact(stage_id=stage, path="/there/x", sha256="0" * 64, size_bytes=1)
        db = open_for_writing(gpu)
        Writer(db).artifact(run_id, "e", "s", event)
        db.close()
        assert "the weights that it names (1) are not imported" in merge_file(gpu, mine).summary
        assert rows(mine)["artifacts"] == []

    def test_what_has_not_ended_is_left_out_and_counted(self, gpu, mine):
        run_id = an_ended_run(gpu)
        change(gpu, f"UPDATE runs SET status = 'running', ended_at = NULL WHERE run_id = '{run_id}'")
        merged = merge_file(gpu, mine)
        assert (merged.new, merged.unfinished) == (N_RUNS - 1, 1)
        assert merged.summary.endswith("; 1 unfinished left out")
        assert not any(row["run_id"] == run_id for table in ("runs", "scores", "items") for row in rows(mine)[table])

    def test_a_count_of_items_that_was_not_known_here_is_known_then(self, gpu, mine):
        change(mine, "UPDATE evals SET n_items = 0")
        merge_file(gpu, mine)
        assert all(row["n_items"] for row in rows(mine)["evals"])


class TestChoices:
    """Which rate an arm has chosen is told by the file that has all of its runs."""

    def choose(self, path: Path, rate: float) -> None:
        db = open_for_writing(path)
        arm = next(db.query("SELECT arm_id, stack_id FROM runs JOIN cells USING (cell_id) WHERE label = 'lora'"))
        Writer(db).choose(arm["stack_id"], {arm["arm_id"]: rate})
        db.close()

    def chosen(self, path: Path) -> list[float]:
        return [row["learning_rate"] for row in rows(path)["choices"]]

    def test_it_comes_with_the_runs(self, gpu, mine):
        self.choose(gpu, 1e-3)
        merge_file(gpu, mine)
        assert self.chosen(mine) == [1e-3]

    def test_a_later_one_comes_with_later_runs(self, gpu, mine):
        self.choose(gpu, 1e-3)
        merge_file(gpu, mine)
        self.choose(gpu, 3e-3)
        merge_file(gpu, mine)
        assert self.chosen(mine) == [1e-3]  # no new run: what is here stays
        change(gpu, _ANOTHER)
        merge_file(gpu, mine)
        assert self.chosen(mine) == [3e-3]

    def test_one_that_knows_of_more_runs_stays(self, gpu, tmp_path):
        other = Path(shutil.copy(gpu, tmp_path / "other.db"))
        self.choose(other, 3e-3)
        change(other, _ANOTHER)
        self.choose(gpu, 1e-3)
        change(gpu, _ANOTHER.replace("more", "again"))
        merge_file(gpu, other)
        assert self.chosen(other) == [3e-3]


_COLUMNS = "cell_id, stack_id, purpose, exclusive, status, started_at"
_ANOTHER = f"""INSERT INTO runs (run_id, {_COLUMNS})
    SELECT 'more', {_COLUMNS} FROM runs JOIN cells USING (cell_id) WHERE label = 'lora' LIMIT 1"""


class TestOtherContentUnderTheSameId:
    @pytest.fixture
    def both(self, gpu, tmp_path) -> tuple[Path, Path, str]:
        """The file, a copy of it, and a run of both."""
        return gpu, Path(shutil.copy(gpu, tmp_path / "copy.db")), an_ended_run(gpu)

    @pytest.mark.parametrize(
        ("table", "edit"),
        [
            ("runs", "UPDATE runs SET wall_seconds = 1e6 WHERE run_id = '{}'"),
            ("scores", "UPDATE scores SET value = 0.123 WHERE run_id = '{}'"),
            ("scores", "DELETE FROM scores WHERE run_id = '{}'"),
            ("predictions", "INSERT INTO predictions VALUES ('{}', 'train', 'weights', 5, NULL, 'v')"),
        ],
    )
    def test_is_refused_by_its_name_on_either_side(self, both, table, edit):
        source, target, run_id = both
        change(source, edit.format(run_id))
        for one, other in ((source, target), (target, source)):
            assert f"{one}: run {run_id} is there already with other {table}" in refusal(one, other)

    def test_where_it_was_from_and_when_it_was_last_heard_of_make_no_difference(self, both):
        source, target, _ = both
        change(source, "UPDATE runs SET source = 'elsewhere', heartbeat_at = '2030'")
        assert merge_file(source, target).known == N_RUNS

    def test_a_snapshot_that_left_out_answers_and_scores_is_the_same_run(self, gpu, mine, tmp_path):
        import_snapshot(publish(gpu, tmp_path / "results"), mine)
        change(mine, "DELETE FROM scores WHERE metric = 'refused' ")
        assert merge_file(gpu, mine).known == N_RUNS

    def test_a_snapshot_with_other_scores_is_not(self, gpu, mine, tmp_path):
        import_snapshot(publish(gpu, tmp_path / "results"), mine)
        change(mine, f"UPDATE scores SET value = 0.123 WHERE run_id = '{an_ended_run(gpu)}'")
        assert "with other scores" in refusal(gpu, mine)


class TestTheSource:
    def test_is_never_written_to_and_nothing_is_left_beside_it(self, gpu, mine):
        before = (gpu.read_bytes(), gpu.stat().st_mtime_ns, sorted(gpu.parent.iterdir()))
        merge_file(gpu, mine)
        assert (gpu.read_bytes(), gpu.stat().st_mtime_ns, sorted(gpu.parent.iterdir())) == before

    def test_of_an_older_version_is_migrated_in_a_copy(self, gpu, tmp_path):
        db = open_for_writing(gpu)
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_choices'")
        db.execute("DROP TABLE choices")
        db.conn.commit()
        db.close()
        before = gpu.read_bytes()
        assert merge_file(gpu, tmp_path / "new.db").new == N_RUNS
        assert gpu.read_bytes() == before

    def test_that_somebody_writes_to_is_read_with_its_newest_rows(self, gpu, mine):
        writer = Writer(open_for_writing(gpu))
        writer.db.execute("PRAGMA wal_autocheckpoint = 0")
        writer.db.execute(_ANOTHER)
        writer.db.conn.commit()
        assert merge_file(gpu, mine).new == N_RUNS + 1
        writer.db.close()

    def test_that_was_copied_with_its_log_is_read_with_it(self, gpu, mine, tmp_path):
        db = open_for_writing(gpu)
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute(_ANOTHER)
        db.conn.commit()
        (tmp_path / "carried").mkdir()
        for end in ("", "-wal"):
            shutil.copy(f"{gpu}{end}", tmp_path / "carried")
        assert merge_file(tmp_path / "carried" / "gpu.db", mine).new == N_RUNS + 1
        assert len(list((tmp_path / "carried").iterdir())) == 2
        db.close()

    def test_of_a_newer_version_is_refused(self, gpu, tmp_path):
        db = open_for_writing(gpu)
        db["_sqlite_migrations"].insert({"migration_set": "tunematrix", "name": "m999_future", "applied_at": "2099"})
        db.close()
        assert refusal(gpu, tmp_path / "new.db") == (
            f"{gpu}: written by a newer tunematrix (m999_future); upgrade this one to read it"
        )
        assert not (tmp_path / "new.db").exists()

    def test_that_is_no_results_file_is_refused(self, tmp_path):
        (tmp_path / "x.db").write_text("something else")
        (tmp_path / "cut.db").write_bytes(b"SQLite format 3\0 and no more")
        sqlite3.connect(tmp_path / "bare.db").execute("PRAGMA user_version = 1")
        other = sqlite3.connect(tmp_path / "other.db")
        other.execute("CREATE TABLE holidays (day TEXT)")
        other.close()
        for name, says in (
            ("x", "is no SQLite database"), ("cut", "is no SQLite database"), ("bare", "it has no tables"),
            ("other", "is another program's database (tables holidays"), ("absent", "is no SQLite database"),
        ):  # fmt: skip
            line = refusal(tmp_path / f"{name}.db", tmp_path / "new.db")
            assert line.startswith(f"{tmp_path / name}.db: ") and says in line
        assert not (tmp_path / "new.db").exists()

    def test_that_is_damaged_is_refused(self, gpu, tmp_path):
        content = bytearray(gpu.read_bytes())
        content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
        gpu.write_bytes(content)
        assert refusal(gpu, tmp_path / "new.db").startswith(f"{gpu}: ")

    def test_whose_rows_refer_to_nothing_is_refused(self, gpu, tmp_path):
        db = sqlite3.connect(gpu)
        db.execute("DELETE FROM stacks")
        db.commit()
        db.close()
        assert refusal(gpu, tmp_path / "new.db").endswith("rows of runs refer to stacks that are not there")

    def test_whose_columns_are_not_those_of_its_version_is_refused(self, gpu, mine):
        change(gpu, "ALTER TABLE phases RENAME COLUMN energy_joules TO joules")
        assert "its table phases has other columns" in refusal(gpu, mine)


def test_a_failure_on_the_way_leaves_the_file_as_it_was(gpu, mine):
    change(mine, "CREATE TRIGGER no BEFORE INSERT ON items BEGIN SELECT RAISE(ABORT, 'not this one'); END")
    assert refusal(gpu, mine).endswith("nothing was imported: not this one")


def test_a_full_disk_leaves_the_file_as_it_was(gpu, mine, monkeypatch):
    def with_little_room(path: Path) -> Database:
        db = open_for_writing(path)
        db.execute("PRAGMA max_page_count = 10")  # no fewer than it has
        return db

    monkeypatch.setattr("harness.store.merge.open_for_writing", with_little_room)
    assert "no space left for the database" in refusal(gpu, mine)


def test_a_runner_goes_on_writing_while_it_is_imported_into(tmp_path, mine):
    """Both wait for each other, a transaction at a time; neither loses a row."""
    gpu = make_database(tmp_path / "gpu.db", arms=SMALL, facts=GPU, seeds=range(8))
    cell = next(open_for_reading(mine).query("SELECT cell_id, stack_id FROM runs WHERE purpose = 'quality' LIMIT 1"))
    stage = next(open_for_reading(mine).query("SELECT stage_id FROM stages LIMIT 1"))["stage_id"]
    curve = [Step(step=n, loss=1.0, gradient_norm=1.0, tokens_seen=n, seconds=0.1) for n in range(64)]
    told = Trained(
        stage_id=stage, order_digest="o", real_tokens=1, loss_tokens=1, trainable_parameters=1, total_parameters=1,
        effective={}, reused=False, steps=curve, fingerprint={}, logits=[],
    )  # fmt: skip
    started, ended, written = threading.Event(), threading.Event(), []

    def run() -> None:
        writer = Writer(open_for_writing(mine))
        while not (ended.is_set() and len(written) > 3):
            run_id = f"runner-{len(written)}"
            writer.start({"run_id": run_id, **cell, "purpose": "quality", "exclusive": 0})
            writer.trained(run_id, told)
            writer.finish(run_id, "ok", None, None, 1.0)
            written.append(run_id)
            started.set()
        writer.db.close()

    runner = threading.Thread(target=run)
    runner.start()
    started.wait()
    merged = merge_file(gpu, mine)
    ended.set()
    runner.join()

    after = rows(mine)
    assert {run["run_id"] for run in after["runs"]} >= {*written, *(run["run_id"] for run in rows(gpu)["runs"])}
    assert len(after["runs"]) == N_RUNS + len(written) + merged.new
    assert sum(row["run_id"].startswith("runner-") for row in after["steps"]) == 64 * len(written)
    assert merge_file(gpu, mine).new == 0


def test_two_imports_at_once_bring_each_run_once(gpu, mine):
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(merge_file(gpu, mine).new)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 0, N_RUNS]
