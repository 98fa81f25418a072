"""What people name becomes pairs: within a base, from the newest stack that holds both, never an arm with itself."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.errors import UserError
from harness.lineup import across_files, within_file
from harness.store.database import open_for_writing
from tests.factory import ARMS, CPU, GPU, make_database

FEW = {name: ARMS[name] for name in ("base", "full_sft", "lora", "qlora")}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "r.db", arms=FEW, seeds=(1, 2))


def names(lineup):
    return [(pair.first_arm.full_name, pair.second_arm.full_name) for pair in lineup.pairs]


def test_two_names_are_compared_on_each_base(path):
    assert names(within_file(path, "lora", "full_sft")) == [
        ("lora r=8 · pocket-0.2m", "full_sft · pocket-0.2m"),
        ("lora r=8 · pocket-1m", "full_sft · pocket-1m"),
    ]


def test_across_bases_only_where_nothing_else_was_meant(path):
    found = within_file(path, "lora · pocket-1m", "lora · pocket-0.2m")
    assert names(found) == [("lora r=8 · pocket-1m", "lora r=8 · pocket-0.2m")]


def test_several_arms_on_both_sides_are_every_pair_once(path):
    found = within_file(path, "method=lora|qlora,base=pocket-1m", "method=lora|qlora,base=pocket-1m")
    assert names(found) == [("lora r=8 · pocket-1m", "qlora r=8 · pocket-1m")]


def test_an_arm_is_not_compared_with_itself(path):
    with pytest.raises(UserError, match="name the same arm"):
        within_file(path, "lora · pocket-1m", "lora r=8 · pocket-1m")


def test_the_newest_stack_that_holds_both_is_taken(tmp_path):
    path = make_database(tmp_path / "r.db", arms=FEW, bases=["pocket-1m"], seeds=(1, 2), facts=CPU)
    later = {name: FEW[name] for name in ("base", "lora")}
    make_database(
        path, arms=later, bases=["pocket-1m"], seeds=(1,), facts=GPU, started=datetime(2026, 6, 1, tzinfo=UTC)
    )
    (pair,) = within_file(path, "lora", "full_sft").pairs
    assert "Test CPU" in pair.first.side.machine


def test_arms_that_never_ran_on_one_stack_have_no_run_in_common(tmp_path):
    path = make_database(tmp_path / "r.db", arms={"base": ARMS["base"], "lora": ARMS["lora"]}, bases=["pocket-1m"])
    make_database(path, arms={"base": ARMS["base"], "full_sft": ARMS["full_sft"]}, bases=["pocket-1m"], facts=GPU)
    with pytest.raises(UserError, match="no run in common"):
        within_file(path, "lora", "full_sft")


def test_two_files_are_compared_arm_by_arm(path, tmp_path):
    other = make_database(tmp_path / "o.db", arms={**FEW, "prompted": ARMS["prompted"]}, seeds=(1, 2), seed=1)
    found = across_files(path, other, None)
    assert len(found.pairs) == 2 * len(FEW)
    assert all(pair.first_arm.arm_id == pair.second_arm.arm_id for pair in found.pairs)
    assert found.pairs[0].sources == ("r.db", "o.db")


def test_of_two_files_some_arms_alone(path, tmp_path):
    other = make_database(tmp_path / "o.db", arms=FEW, seeds=(1, 2), seed=1)
    found = across_files(path, other, "method=lora,base=pocket-1m")
    assert names(found) == [("lora r=8 · pocket-1m", "lora r=8 · pocket-1m")]


def test_two_files_without_a_common_arm_say_what_each_holds(path, tmp_path):
    other = make_database(tmp_path / "o.db", arms={"mine": replace(ARMS["lora"], rank=4)}, bases=["pocket-1m"])
    with pytest.raises(UserError, match=r"no arm in common \(.*r.db holds .*lora r=8.*o.db holds mine r=4"):
        across_files(path, other, None)


def test_items_that_changed_leave_nothing_to_compare_and_are_named(path, tmp_path):
    other = make_database(tmp_path / "o.db", arms=FEW, seeds=(1, 2))
    db = sqlite3.connect(other)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("DROP TRIGGER scores_finished_UPDATE")
    db.execute("UPDATE evals SET eval_id = 'new ' || eval_id, item_digest = 'fedcba9876' WHERE split = 'test'")
    db.execute("UPDATE scores SET eval_id = 'new ' || eval_id WHERE 'new ' || eval_id IN (SELECT eval_id FROM evals)")
    db.commit()
    db.close()
    with pytest.raises(UserError) as caught:
        across_files(path, other, None)
    (line,) = caught.value.lines
    assert "no items in common: pocket_arithmetic: other items (pocket i against fedcba98)" in line


def test_a_file_without_runs_says_so(tmp_path):
    open_for_writing(tmp_path / "empty.db").conn.close()
    with pytest.raises(UserError, match="holds no run that has ended"):
        within_file(tmp_path / "empty.db", "a", "b")
