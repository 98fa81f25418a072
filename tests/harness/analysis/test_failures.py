"""Failures: those alike in one row, and counted against all that was tried."""

from dataclasses import replace

import pytest

from harness.analysis.failures import grouped, tried
from harness.store import reader
from harness.store.database import open_for_reading
from tests.factory import ARMS, make_database

# 1e-3 is out of memory and 1e-2 no number, at three seeds each, on both bases; 3e-3 goes well.
WORLD = {"base": ARMS["base"], "lora": replace(ARMS["lora"], fails={1e-3: "oom", 1e-2: "nan"})}


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    db = open_for_reading(make_database(tmp_path_factory.mktemp("db") / "r.db", arms=WORLD))
    return reader.runs(db), reader.failures(db)


@pytest.fixture
def runs(frames):
    return frames[0]


@pytest.fixture
def failures(frames):
    return frames[1]


def test_runs_that_failed_alike_are_a_row_with_their_seeds(failures):
    table = grouped(failures)
    assert len(table) == 4  # two rates on two bases
    assert set(table["seeds"]) == {"1, 2, 3"}
    assert set(table["runs"]) == {3}


def test_a_row_leads_to_the_newest_of_its_runs(failures):
    row = grouped(failures).iloc[0]
    assert row["run_id"] == failures["run_id"].iloc[0]


def test_no_failures_are_no_rows(failures):
    assert list(grouped(failures.head(0)).columns) == list(grouped(failures).columns)
    assert grouped(failures.head(0)).empty


def test_each_base_has_its_share_of_all_runs_that_ended(runs, failures):
    lora = tried(runs, failures, "base").query("label == 'lora'")
    assert list(lora["failed"]) == [6, 6]
    assert list(lora["runs"]) == [10, 10]  # nine of quality, and one of measuring
    assert list(lora["share"]) == [0.6, 0.6]


def test_what_never_failed_is_there_with_none(runs, failures):
    base = tried(runs, failures, "base").query("label == 'base'")
    assert list(base["failed"]) == [0, 0]
    assert base["how"].isna().all()


def test_each_rate_says_how_its_runs_failed(runs, failures):
    rates = tried(runs, failures, "learning_rate").query("label == 'lora'").set_index("learning_rate")
    assert rates.loc[1e-3, "how"] == "6 oom"
    assert rates.loc[1e-2, "how"] == "6 nan"
    assert rates.loc[3e-3, "failed"] == 0


def test_across_how_it_failed_all_runs_of_the_entry_are_the_whole(runs, failures):
    ways = tried(runs, failures, "status").set_index("status")
    assert list(ways.loc[["oom", "nan"], "failed"]) == [6, 6]
    assert list(ways.loc[["oom", "nan"], "runs"]) == [20, 20]


def test_a_failure_that_was_mended_counts_for_nothing(runs, failures):
    mended = failures.assign(mended=failures["status"] == "nan")
    lora = tried(runs, mended, "base").query("label == 'lora'")
    assert list(lora["failed"]) == [3, 3]
    assert list(lora["runs"]) == [7, 7]
