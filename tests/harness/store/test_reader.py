"""The reader's frames hold what the writer wrote, once each, with bases and choices beside it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from harness.store import reader
from harness.store.database import open_for_reading, open_for_writing
from harness.store.writer import Writer
from tests.factory import ARMS, EVALS, make_database

SMALL = {name: ARMS[name] for name in ("base", "full_sft", "lora", "dpo-lora")}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "results.db", arms=SMALL, bases=["pocket-1m"], seeds=(1, 2))


@pytest.fixture(scope="module")
def db(path):
    return open_for_reading(path)


def test_arms_are_one_row_each_with_their_chosen_rate(db):
    arms = reader.arms(db).set_index("label")
    assert len(arms) == len(SMALL)
    assert arms.loc["lora", "chosen_rate"] == 3e-3
    assert arms.loc["lora", "seeds"] == 2
    assert arms.loc["dpo-lora", "parent_arm_id"] == arms.loc["lora", "arm_id"]
    assert (arms.loc["base", "quantisation"], arms.loc["base", "shots"]) == ("none", 0)
    assert arms.loc["lora", "batch_size"] == 8


def test_the_runners_choice_of_a_rate_stands_over_what_older_grids_would_give(tmp_path):
    path = make_database(tmp_path / "r.db", arms=SMALL, bases=["pocket-1m"], seeds=(1, 2))
    (lora,) = [arm for _, arm in reader.arms(open_for_reading(path)).iterrows() if arm["label"] == "lora"]
    Writer(open_for_writing(path)).choose(lora["stack_id"], {lora["arm_id"]: 1e-3})

    arms = reader.arms(open_for_reading(path)).set_index("label")
    assert (lora["chosen_rate"], arms.loc["lora", "chosen_rate"]) == (3e-3, 1e-3)
    assert arms.loc["full_sft", "chosen_rate"] == 3e-4


def test_an_arm_that_only_failed_says_how(tmp_path):
    arms = {"base": ARMS["base"], "lora": replace(ARMS["lora"], rates=(3e-3,), fails={3e-3: "oom"})}
    db = open_for_reading(make_database(tmp_path / "r.db", arms=arms, bases=["pocket-1m"]))
    found = reader.arms(db).set_index("label")
    assert found.loc["lora", "status"] == "oom"
    assert np.isnan(found.loc["lora", "chosen_rate"])


def test_runs_of_every_purpose_and_status_are_there(db):
    runs = reader.runs(db)
    assert set(runs["purpose"]) == {"quality", "measure"}
    assert set(runs["status"]) == {"ok", "nan"}
    assert not runs.loc[runs["status"] == "nan", "latest"].any()


def test_scores_are_one_row_a_run_moment_eval_and_metric_with_the_base_beside(db):
    scores = reader.scores(db)
    assert not scores.duplicated(["run_id", "moment", "eval_id", "metric"]).any()
    lora = scores[(scores["label"] == "lora") & (scores["task"] == "pocket_target")]
    base = scores[(scores["label"] == "base") & (scores["task"] == "pocket_target")]
    assert (lora["base_value"] == base["value"].item()).all()
    assert set(lora.loc[lora["chosen"], "learning_rate"]) == {3e-3}


def test_a_base_that_ended_after_its_arms_is_still_their_base(tmp_path):
    late = dict(reversed({name: ARMS[name] for name in ("base", "full_sft")}.items()))
    db = open_for_reading(make_database(tmp_path / "r.db", arms=late, bases=["pocket-1m"]))
    assert reader.runs(db)["base_run_id"].isna().all()
    scores = reader.scores(db)
    assert scores.loc[scores["moment"] == "tuned", "base_value"].notna().all()


def test_a_task_scored_later_in_a_run_of_its_own_stands_beside_the_older_scores(path, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    writer = Writer(open_for_writing(copy))
    old = next(writer.db.query("SELECT runs.* FROM runs JOIN cells USING (cell_id) WHERE label = 'base'"))
    eval_id = next(writer.db.query("SELECT eval_id FROM evals WHERE task = 'pocket_facts'"))["eval_id"]
    keys = ("cell_id", "stack_id", "purpose", "exclusive")
    writer.start({"run_id": "rescored", **{key: old[key] for key in keys}})
    key = {"run_id": "rescored", "moment": "base", "eval_id": eval_id}
    writer.db["scores"].insert({**key, "metric": "acc", "value": 0.5, "n_items": 240, "higher_is_better": 1})
    writer.finish("rescored", "ok", None, None, 1.0)
    scores = reader.scores(open_for_reading(copy))
    base = scores[scores["label"] == "base"].set_index("task")
    assert len(base) == len(EVALS)
    assert base.loc["pocket_facts", "value"] == 0.5


def test_items_come_back_as_they_were_packed(db):
    scores = reader.scores(db)
    one = scores[(scores["label"] == "lora") & (scores["task"] == "pocket_refusals")].iloc[0]
    items = reader.items(db, [one["run_id"]], answers=True)
    row = items[(items["eval_id"] == one["eval_id"]) & (items["moment"] == one["moment"])].iloc[0]
    assert row["correct"].mean() == pytest.approx(one["value"])
    assert len(row["values"]) == len(row["answers"]) == one["n_items"]
    assert set(items["run_id"]) == {one["run_id"]}


def test_rates_hold_the_whole_curve_with_the_failed_rate(db):
    lora = reader.rates(db).query("label == 'lora'").set_index("learning_rate")
    assert list(lora.index) == [1e-3, 3e-3, 1e-2]
    assert lora.loc[1e-2, "failures"] == "nan"
    assert np.isnan(lora.loc[1e-2, "validation"])
    assert lora["chosen"].tolist() == [False, True, False]


def test_a_rate_that_diverged_bounds_the_grid_and_an_untried_side_is_an_edge(db):
    rates = reader.rates(db)
    chosen = rates[rates["chosen"]].set_index("label")
    assert chosen["at_edge"].to_dict() == {"dpo-lora": True, "full_sft": False, "lora": False}
    assert chosen.loc["dpo-lora", "edge"] == "highest"


def test_a_single_rate_is_an_edge_of_its_own(tmp_path):
    arms = {"base": ARMS["base"], "lora": replace(ARMS["lora"], rates=(3e-3,), fails={})}
    db = open_for_reading(make_database(tmp_path / "r.db", arms=arms, bases=["pocket-1m"]))
    assert reader.rates(db)["edge"].tolist() == ["only"]


def test_failures_say_where_and_why(db):
    failures = reader.failures(db)
    assert set(failures["status"]) == {"nan"}
    assert failures["reason"].str.contains("step 12").all()
    assert (failures["failed_phase"] == "train").all()
    assert not failures["mended"].any()


def test_phases_know_the_arms_own_stage_and_sum_the_ledger(db):
    phases = reader.phases(db)
    dpo = phases[phases["arm_id"] == reader.arms(db).set_index("label").loc["dpo-lora", "arm_id"]]
    assert (~dpo["last_stage"]).sum() == dpo["run_id"].nunique()
    trained = phases[(phases["phase"] == "train") & phases["last_stage"]]
    assert (trained["ledger_peak_bytes"] == trained["rss_peak_bytes"] - trained["rss_start_bytes"]).all()


def test_a_dpo_seed_whose_sft_stage_was_retrained_at_another_rate_counts_once(tmp_path):
    path = tmp_path / "r.db"
    make_database(path, arms=SMALL, bases=["pocket-1m"])
    moved = {**SMALL, "lora": replace(SMALL["lora"], best_rate=1e-3)}
    later = datetime(2026, 2, 1, tzinfo=UTC) + timedelta()
    make_database(path, seed=1, arms=moved, bases=["pocket-1m"], started=later)
    scores = reader.scores(open_for_reading(path))
    dpo = scores[(scores["label"] == "dpo-lora") & scores["chosen"] & (scores["task"] == "pocket_target")]
    assert sorted(dpo["seed"]) == [1, 2, 3]


def test_a_file_without_runs_gives_empty_frames(tmp_path):
    db = open_for_writing(tmp_path / "empty.db")
    frames = [f(db) for f in (reader.arms, reader.runs, reader.scores, reader.rates, reader.failures, reader.phases)]
    assert all(frame.empty for frame in [*frames, reader.items(db, []), reader.stacks(db)])


def test_curves_are_of_the_chosen_rate_and_of_the_arms_own_stage(db):
    curves = reader.curves(db)
    arms = reader.arms(db).set_index("arm_id")
    assert sorted(arms.loc[curves["arm_id"], "label"]) == ["dpo-lora"] * 2 + ["full_sft"] * 2 + ["lora"] * 2
    assert curves["loss"].tolist() == [2.0] * 6


def test_settled_views_give_the_same_frames(path):
    frames = (reader.arms, reader.runs, reader.scores, reader.rates, reader.phases, reader.failures)
    loose, settled = open_for_reading(path), open_for_reading(path)
    reader.settle(settled)
    for frame in frames:
        pd.testing.assert_frame_equal(frame(loose), frame(settled))


def test_settled_views_stay_as_they_were_and_the_file_untouched(path):
    before = path.read_bytes()
    db = open_for_reading(path)
    reader.settle(db)
    reader.settle(db)  # again is no harm
    assert path.read_bytes() == before
    assert {row["name"] for row in db.query("SELECT name FROM temp.sqlite_master")} == {"latest", "rates", "chosen"}


def test_a_base_as_it_is_is_told_from_a_prompted_one(tmp_path):
    arms = {name: ARMS[name] for name in ("base", "base-4bit", "prompted")}
    runs = reader.runs(open_for_reading(make_database(tmp_path / "r.db", arms=arms, bases=["pocket-1m"])))
    assert runs.loc[runs["bare"], "label"].tolist() == ["base"]


def test_evals_say_what_makes_them_different(db):
    evals = reader.evals(db).set_index("task")
    assert len(evals) == len(EVALS)
    assert evals.loc["pocket_facts", ["task_version", "item_digest"]].tolist() == ["1", "pocket items of pocket_facts"]


class TestSections:
    @pytest.fixture(scope="class")
    def two(self, tmp_path_factory):
        path = tmp_path_factory.mktemp("db") / "two.db"
        make_database(path, arms=SMALL, bases=["pocket-1m"], seeds=(1, 2), suite="first")
        later = datetime(2027, 1, 1, tzinfo=UTC)
        make_database(path, arms=SMALL, bases=["pocket-1m"], seeds=(1, 2), suite="second", started=later, seed=1)
        return open_for_reading(path)

    def test_the_one_that_was_trained_on_last_comes_first(self, two):
        assert list(reader.sections(two)["suite"]) == ["second", "first"]

    def test_runs_are_counted_and_those_under_way_told_apart(self, tmp_path):
        path = make_database(tmp_path / "r.db", arms=SMALL, bases=["pocket-1m"], seeds=(1,))
        db = open_for_writing(path)
        before = reader.sections(db).iloc[0]
        cell, stack = next(iter(db.execute("SELECT cell_id, stack_id FROM runs WHERE purpose = 'quality'")))
        run = {"run_id": "now", "cell_id": cell, "stack_id": stack, "purpose": "quality", "exclusive": 0}
        Writer(db).start({**run, "started_at": "2028-01-01T00:00:00.000000+00:00"})
        after = reader.sections(db).iloc[0]
        assert (after["runs"] - before["runs"], after["unfinished"] - before["unfinished"]) == (1, 1)
        assert list(reader.under_way(db)["run_id"]) == ["now"]

    def test_an_excerpt_holds_what_its_section_holds_and_no_more(self, two):
        reader.settle(two)
        whole = reader.runs(two)
        own = whole[whole["suite"] == "first"]
        reader.excerpt(two, "first", str(own["stack_id"].iloc[0]))
        found = reader.runs(two)
        trained = own[own["method"] != "base"]
        assert set(trained["run_id"]) <= set(found["run_id"]) <= set(whole["run_id"])
        assert set(found["suite"][found["method"] != "base"]) == {"first"}

    def test_frames_are_the_same_cut_before_reading_as_cut_after(self, two):
        suite, stack = "first", str(reader.sections(two).set_index("suite").loc["first", "stack_id"])
        reader.settle(two)
        after = {name: getattr(reader, name)(two) for name in ("arms", "rates", "scores")}
        reader.excerpt(two, suite, stack)
        for name, frame in after.items():
            keys = [column for column in ("arm_id", "learning_rate", "run_id", "eval_id") if column in frame]
            cut = getattr(reader, name)(two)
            cut = cut[cut["suite"] == suite].sort_values(keys, ignore_index=True)
            there = frame[(frame["suite"] == suite) & (frame["stack_id"] == stack)]
            pd.testing.assert_frame_equal(cut, there.sort_values(keys, ignore_index=True))

    def test_unsettled_the_connection_sees_everything_again(self, two):
        count = two.execute("SELECT count(*) FROM main.runs").fetchone()
        reader.excerpt(two, "first", str(reader.sections(two).set_index("suite").loc["first", "stack_id"]))
        reader.unsettle(two)
        assert two.execute("SELECT count(*) FROM runs").fetchone() == count
