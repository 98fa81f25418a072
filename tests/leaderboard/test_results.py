"""Sources are found, listed and read without a byte of them changing; what can't be read says so in a sentence."""

import hashlib
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.summary import summarise
from harness.store import reader
from leaderboard import results
from leaderboard.results import Listing
from tests.factory import ARMS, make_database

ROOT = Path(__file__).resolve().parents[2]
SMALL = {name: ARMS[name] for name in ("base", "full_sft", "lora")}


@pytest.fixture
def db(tmp_path):
    return make_database(tmp_path / "mine.db", arms=SMALL, bases=["pocket-1m"], seeds=(1, 2))


class TestListing:
    def test_a_file_has_a_section_for_each_suite_and_stack(self, db):
        later = {"device": "cuda", "gpu": "Test GPU", "gpu_memory_gib": 80, "torch": "2.14.0"}
        make_database(db, arms=SMALL, bases=["pocket-1m"], seeds=(1,), facts=later, seed=1)
        listing = results.list_source(db)
        assert {(key.suite, key.hardware) for key in listing.sections} == {
            ("pocket", "Test GPU 80 GiB"),
            ("pocket", "2 cores of Test CPU"),
        }

    def test_a_snapshot_is_listed_like_a_file(self):
        listing = results.list_source(ROOT / "results" / "pocket-cpu")
        assert (listing.kind, [key.suite for key in listing.sections], listing.problem) == (
            "snapshot",
            ["pocket"],
            None,
        )

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"no database at all, but long enough to be one" * 9, "is no SQLite database"),
            (None, "no such results file"),
        ],
    )
    def test_what_is_no_results_file_says_so(self, tmp_path, content, said):
        path = tmp_path / "x.db"
        if content is not None:
            path.write_bytes(content)
        problem = results.list_source(path).problem
        assert problem is not None
        assert said in problem
        assert "--db" not in problem

    def test_another_programs_database_is_refused(self, tmp_path):
        with sqlite3.connect(tmp_path / "x.db") as other:
            other.execute("CREATE TABLE songs (title)")
        assert "another program's database" in str(results.list_source(tmp_path / "x.db").problem)

    def test_a_half_written_file_is_a_problem_and_no_crash(self, db):
        db.write_bytes(db.read_bytes()[:9000])
        listing = results.list_source(db)
        assert (listing.sections, bool(listing.problem)) == ((), True)

    def test_a_snapshot_that_does_not_verify_is_a_problem(self, tmp_path):
        copy = tmp_path / "copy"
        shutil.copytree(ROOT / "results" / "pocket-cpu", copy)
        (copy / "README.md").write_text("Much better than measured.")
        assert "does not verify" in str(results.list_source(copy).problem)


class TestReading:
    def test_a_part_holds_the_sections_arms_alone(self, db):
        make_database(db, arms=SMALL, bases=["pocket-0.2m"], seeds=(1,), suite="other", seed=1)
        keys = {key.suite: key for key in results.list_source(db).sections}
        part = results.read_part(keys["other"])
        assert set(part.frames.arms["base"]) == {"pocket-0.2m"}
        assert set(part.frames.runs["suite"]) == {"other"}

    def test_reading_changes_nothing(self, db):
        before = hashlib.sha256(db.read_bytes()).hexdigest()
        (key,) = results.list_source(db).sections
        results.read_part(key)
        results.under_way(db)
        assert hashlib.sha256(db.read_bytes()).hexdigest() == before

    def test_a_snapshot_is_read_as_often_as_one_likes(self):
        (key,) = results.list_source(ROOT / "results" / "pocket-cpu").sections
        first, second = results.read_part(key), results.read_part(key)
        assert len(first.frames.arms) == len(second.frames.arms) > 10


class TestVersion:
    def test_it_changes_when_something_is_written(self, db):
        before = results.version(db)
        make_database(db, arms=SMALL, bases=["pocket-0.2m"], seeds=(1,), seed=1)
        assert results.version(db) != before

    def test_a_section_is_the_same_until_one_of_its_runs_ends(self, db):
        (before,) = results.list_source(db).sections
        (again,) = results.list_source(db).sections
        assert before == again
        make_database(db, arms={**SMALL, "qlora": ARMS["qlora"]}, bases=["pocket-0.2m"], seeds=(1,), seed=1)
        assert results.list_source(db).sections[0] != before

    def test_a_section_is_another_once_its_base_was_scored_under_another_suite(self, db):
        make_database(
            db, arms={"base": ARMS["base"], "qlora": ARMS["qlora"]}, bases=["pocket-1m"], suite="other", seed=1
        )
        before = {key.suite: key for key in results.list_source(db).sections}
        make_database(db, arms={"base": ARMS["base"]}, bases=["pocket-1m"], suite="other", seed=2)
        after = {key.suite: key for key in results.list_source(db).sections}
        assert set(before) == set(after) == {"pocket", "other"}
        assert before["pocket"] != after["pocket"] and before["other"] != after["other"]

    def test_it_is_the_same_while_another_suite_trains_other_bases(self, db):
        (before,) = results.list_source(db).sections
        make_database(db, arms=SMALL, bases=["pocket-0.2m"], suite="other", seed=1)
        assert {key.suite: key for key in results.list_source(db).sections}["pocket"] == before

    def test_what_is_not_there_has_none(self, tmp_path):
        assert results.version(tmp_path / "none.db") == ()


class TestAFewArmsPast:
    def test_is_the_summary_of_all_of_the_section(self, db):
        (key,) = results.list_source(db).sections
        part = results.read_part(key)
        lora = part.frames.arms.set_index("label").at["lora", "arm_id"]
        whole, few = summarise(part.frames).set_index("arm_id").loc[lora], results.read_past(key, [lora]).arms.loc[lora]
        same = ["target", "target_low", "gain", "forgetting_high", "memory_bytes", "relative_speed", "chosen_rate"]
        assert list(few[same]) == list(whole[same])

    def test_reads_no_more_runs_than_theirs_and_what_they_are_measured_from(self, tmp_path):
        db = make_database(tmp_path / "more.db", arms=SMALL | {"qlora": ARMS["qlora"]}, seeds=(1,))
        (key,) = results.list_source(db).sections
        arms = results.read_part(key).frames.arms
        wanted = arms[(arms["label"] == "lora") & (arms["base"] == "pocket-1m")]["arm_id"].item()
        held = arms.set_index("arm_id").loc[results.read_past(key, [wanted]).arms.index]
        assert sorted(held["label"]) == ["base", "full_sft", "lora"] and set(held["base"]) == {"pocket-1m"}

    def test_leaves_a_snapshot_as_it_was_for_the_next_reader(self):
        (key,) = results.list_source(ROOT / "results" / "pocket-cpu").sections
        before = len(results.read_part(key).frames.runs)
        results.read_past(key, list(results.read_part(key).frames.arms["arm_id"][:1]))
        assert len(results.read_part(key).frames.runs) == before


class TestToldApart:
    def test_two_files_of_one_name_on_one_stack_are_two_results(self, tmp_path, db):
        other = tmp_path / "after" / "mine.db"
        other.parent.mkdir()
        shutil.copy(db, other)
        keys = [key for path in (db, other) for key in results.list_source(path).sections]
        found = results.told_apart(keys)
        assert list(found.values()) == keys
        assert [str(path) in where for where, path in zip(found, (db, other), strict=True)] == [True, True]

    def test_others_are_called_by_machine_software_and_source_alone(self, db):
        (key,) = results.list_source(db).sections
        assert list(results.told_apart([key])) == [key.where]


def test_a_file_of_an_earlier_version_is_brought_up_to_date_once_and_not_touched(tmp_path):
    path = make_database(tmp_path / "old.db", arms=SMALL, bases=["pocket-1m"], seeds=(1,))
    with sqlite3.connect(path) as old:
        old.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_choices'")
        old.execute("DROP TABLE choices")
    old.close()
    content = path.read_bytes()
    with results.opened(path) as first:
        pass
    with results.opened(path) as again:
        assert again is first
    assert len(results.list_source(path).sections) == 1
    assert path.read_bytes() == content


def test_rows_that_no_run_wrote_are_a_problem_and_no_crash(db):
    with sqlite3.connect(db) as other:
        other.execute("UPDATE stacks SET facts = '3'")
    other.close()
    assert "no run of tunematrix wrote" in str(results.list_source(db).problem)


def test_after_an_error_a_snapshot_shows_all_of_itself_again():
    snapshot = ROOT / "results" / "pocket-cpu"
    (key,) = results.list_source(snapshot).sections
    with pytest.raises(ZeroDivisionError), results.opened(snapshot) as source:
        reader.excerpt(source.db, "no such suite", key.stack_id)
        raise ZeroDivisionError
    assert results.list_source(snapshot).sections == (key,)


def test_arms_are_named_as_their_part_names_them(db):
    (key,) = results.list_source(db).sections
    arms = results.read_part(key).frames.arms
    assert {arm.arm_id: arm.label for arm in results.read_named(key)} == dict(
        zip(arms["arm_id"], arms["label"], strict=True)
    )


def test_ones_own_results_come_first_and_of_published_ones_those_with_scores(tmp_path):
    (key,) = results.list_source(ROOT / "results" / "pocket-cpu").sections
    (costs,) = results.list_source(ROOT / "results" / "cost-cpu").sections
    assert (key.scored, costs.scored) == (True, False)

    own = replace(costs, suite="mine", last_started_at="2026-01-01")
    listings = [
        Listing(tmp_path, "costs", "snapshot", (costs,)),
        Listing(tmp_path, "scores", "snapshot", (key,)),
        Listing(tmp_path, "mine", "file", (own,)),
    ]
    assert costs.last_started_at > key.last_started_at > own.last_started_at
    assert results.in_order(listings) == [own, key, costs]
