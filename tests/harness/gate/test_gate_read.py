"""A side of a check is the newest stack's runs of a suite, and nothing else is read for it."""

from datetime import UTC, datetime

import pytest

from harness.errors import UserError
from harness.gate.read import read_side
from harness.sources import open_source
from harness.store import reader
from tests.factory import ARMS, CPU, make_database

WORLD = {name: ARMS[name] for name in ("base", "lora")}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two suites on two stacks, of the first the second stack last."""
    found = tmp_path_factory.mktemp("db") / "r.db"
    for month, (suite, torch) in enumerate(
        (("first", "2.12"), ("second", "2.12"), ("second", "2.13"), ("first", "2.13"))
    ):
        make_database(
            found, seed=month, arms=WORLD, bases=["pocket-1m"], seeds=(1,), suite=suite, facts={**CPU, "torch": torch},
            started=datetime(2026, 1 + month, 1, tzinfo=UTC),
        )  # fmt: skip
    return found


def test_it_is_the_newest_stacks(path):
    side = read_side(open_source(path), "second")
    assert (side.suite, side.facts["torch"]) == ("second", "2.13")
    assert set(side.runs["method"]) == {"base", "lora"} and set(side.runs["stack_id"]) == {side.stack_id}


def test_without_a_suite_it_is_the_newest_suites(path):
    assert read_side(open_source(path)).suite == "first"


def test_no_other_runs_are_read(path, monkeypatch):
    read = []
    monkeypatch.setattr(reader, "runs", lambda db, whole=reader.runs: read.append(whole(db)) or read[-1])
    side = read_side(open_source(path), "second")
    assert {stack for frame in read for stack in frame["stack_id"]} == {side.stack_id}
    assert {suite for frame in read for suite in frame.loc[frame["method"] != "base", "suite"]} == {"second"}


def test_a_suite_that_is_not_there_is_told_with_those_that_are(path):
    with pytest.raises(UserError, match=r"no runs of the suite third; it holds first, second"):
        read_side(open_source(path), "third")
