"""Everything of one run, with what it took over from the runs before it."""

from datetime import UTC, datetime

import numpy as np
import pytest

from harness.store import one_run
from harness.store.database import open_for_reading
from tests.factory import ARMS, make_database

WORLD = {name: ARMS[name] for name in ("base", "base-4bit", "lora", "dpo-lora")}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return open_for_reading(make_database(tmp_path_factory.mktemp("db") / "r.db", arms=WORLD, bases=["pocket-1m"]))


def run_id(db, label, **wanted):
    """The first run of an entry whose columns are as wanted."""
    wanted = {"purpose": "quality", **wanted}
    where = " AND ".join(f"{name} = :{name}" for name in wanted)
    sql = f"SELECT run_id FROM runs JOIN cells USING (cell_id) WHERE label = :label AND {where} ORDER BY started_at"
    return next(db.query(sql, {"label": label, **wanted}))["run_id"]


@pytest.fixture
def dpo(db):
    return one_run.about(db, run_id(db, "dpo-lora", seed=2, learning_rate=1e-3))


def test_it_says_what_ran_and_on_what(dpo):
    assert (dpo["label"], dpo["seed"], dpo["learning_rate"], dpo["status"]) == ("dpo-lora", 2, 1e-3, "ok")
    assert dpo["facts"]["torch"] == "2.13.0"
    assert [stage["method"] for stage in dpo["recipe"]["stages"]] == ["lora", "dpo"]


def test_a_run_that_is_not_there_is_none(db):
    assert one_run.about(db, "no such run") is None


def test_an_earlier_stage_is_named_by_the_entry_that_trains_it(db, dpo):
    stages = one_run.stages(db, dpo)
    assert [(one.position, one.kind, one.label) for one in stages] == [
        (0, "sft", "lora"),
        (1, "preference", "dpo-lora"),
    ]


def test_the_curve_of_a_stage_that_was_taken_over_is_that_of_the_run_that_trained_it(db, dpo):
    steps = one_run.steps(db, dpo)
    assert list(steps["kind"]) == ["sft", "preference"]
    assert steps["loss"].notna().all()


def test_a_base_has_no_curve(db):
    base = one_run.about(db, run_id(db, "base"))
    assert one_run.steps(db, base).empty


def test_scores_come_with_what_they_are_of(db, dpo):
    scores = one_run.scores(db, dpo["run_id"]).set_index("task")
    assert scores.loc["pocket_refusals", ["moment", "role", "metric"]].to_list() == ["tuned", "safety", "refused"]
    assert not scores.loc["pocket_perplexity", "higher_is_better"]
    assert np.isnan(scores.loc["pocket_facts", "chance"])


def test_it_is_compared_with_the_bare_base(db, dpo):
    assert one_run.base_runs(db, dpo) == [run_id(db, "base")]


def test_the_bare_base_is_compared_with_nothing(db):
    assert one_run.base_runs(db, one_run.about(db, run_id(db, "base"))) == []


def test_a_run_that_ended_before_its_base_is_compared_with_the_one_that_came(db, dpo):
    assert one_run.base_runs(db, {**dpo, "base_run_id": None}) == [run_id(db, "base")]


def test_a_base_that_was_scored_for_another_suite_last_is_compared_with_task_by_task(tmp_path):
    path = tmp_path / "r.db"
    for n, suite in enumerate(("first", "second", "first")):  # whose last runs are compared with what came in between
        started = datetime(2026, 1 + n, 1, tzinfo=UTC)
        arms = {"lora": ARMS["lora"]} if n == 2 else {name: ARMS[name] for name in ("base", "lora")}
        make_database(path, seed=n, arms=arms, bases=["pocket-1m"], seeds=(1,), suite=suite, started=started)
    db = open_for_reading(path)
    newest = max(row["run_id"] for row in db.query("SELECT run_id FROM runs WHERE started_at LIKE '2026-03%'"
                                                   " AND status = 'ok' AND purpose = 'quality'"))  # fmt: skip
    run = one_run.about(db, newest)
    own = one_run.scores(db, newest)
    test = set(own.loc[own["moment"] == "tuned", "eval_id"])
    assert not set(one_run.scores(db, run["base_run_id"])["eval_id"]) & test
    assert test <= set(one_run.base_scores(db, run)["eval_id"])
    assert test <= set(one_run.base_items(db, run)["eval_id"])


def test_items_come_with_the_answers(db, dpo):
    items = one_run.items(db, dpo["run_id"])
    generated = items[items["answers"].notna()]["answers"].iloc[0]
    assert set(generated) <= {"no .", "yes ."}
