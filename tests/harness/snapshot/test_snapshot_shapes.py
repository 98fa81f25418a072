"""Columns of JSON hold objects, columns of numbers finite ones, in what this program writes and in what it accepts."""

import pytest

from harness.snapshot.shapes import OBJECTS, shape_problems
from harness.store.database import open_for_reading, open_for_writing, open_in_memory
from tests.factory import ARMS, make_database


@pytest.fixture
def db(tmp_path):
    return open_for_writing(make_database(tmp_path / "r.db", arms={"base": ARMS["base"]}, bases=["pocket-1m"]))


def test_what_runs_leave_behind_has_none(db_path):
    db = open_for_reading(db_path)
    assert list(shape_problems(db, db.table_names())) == []


def test_the_first_row_is_named_and_the_others_counted(db):
    for stack in ("b", "a"):
        db["stacks"].insert({"stack_id": stack * 20, "facts": "3", "code_digest": ""})
    (problem,) = shape_problems(db, ["stacks"])
    assert problem == "tables/stacks.parquet: aaaaaaaaaaaa (and 1 more): facts is no JSON object"


def test_a_number_without_end_is_named(db):
    run = next(iter(db["runs"].rows))
    db["runs"].insert({**run, "run_id": "endless", "wall_seconds": float("-inf")})
    assert list(shape_problems(db, ["runs"])) == ["tables/runs.parquet: endless: wall_seconds is no finite number"]


def test_every_table_and_column_is_one_that_there_is():
    db = open_in_memory()
    for table, columns in OBJECTS.items():
        assert set(columns) <= set(db[table].columns_dict)
