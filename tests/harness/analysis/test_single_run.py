"""One run as a contender: its own answers at its own rate, whatever rate its arm chose."""

import pytest

from harness.analysis.comparison import compare_arms
from harness.analysis.single_run import single_run
from harness.lineup import entries_of, pair_of
from harness.sections import Contents
from harness.store import reader
from harness.store.database import open_for_reading
from tests.factory import ARMS, make_database

WORLD = {name: ARMS[name] for name in ("base", "full_sft", "lora")}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    path = make_database(tmp_path_factory.mktemp("db") / "r.db", arms=WORLD, bases=["pocket-1m"])
    return open_for_reading(path)


@pytest.fixture(scope="module")
def part(db):
    (part,) = Contents(db).parts()
    return part


def arm_of(part, label):
    return part.frames.arms.set_index("label").at[label, "arm_id"]


def of_run(db, part, label, rate, seed):
    """The section as if of the arm this run alone were there, and the run's id."""
    arm, runs = arm_of(part, label), part.frames.runs
    chosen = (runs["arm_id"] == arm) & (runs["learning_rate"] == rate) & (runs["seed"] == seed)
    run_id = runs[chosen & (runs["purpose"] == "quality")]["run_id"].item()
    return single_run(part.frames, arm, rate, seed, reader.items(db, [run_id])), run_id


def test_its_answers_are_those_of_the_run_alone(db, part):
    section, run_id = of_run(db, part, "full_sft", 3e-4, 2)
    target = section.evals("target")
    (outcomes,) = section.of(arm_of(part, "full_sft"), target)
    scores = part.frames.scores
    score = scores.loc[(scores["run_id"] == run_id) & (scores["task"] == "pocket_target"), "value"].item()
    assert outcomes.seeds == (2,) and outcomes.table.mean() == pytest.approx(score)


def test_a_rate_that_was_not_chosen_has_its_items_too(db, part):
    section, _ = of_run(db, part, "full_sft", 1e-3, 1)
    (outcomes,) = section.of(arm_of(part, "full_sft"), section.evals("target"))
    assert outcomes.table.shape == (1, 240)


def test_other_arms_stay_as_they_are(db, part):
    section, _ = of_run(db, part, "full_sft", 1e-3, 1)
    lora = arm_of(part, "lora")
    assert section.score(lora, section.evals("target")) == part.frames.score(lora, part.frames.evals("target"))


def test_two_runs_are_compared_item_by_item_whatever_their_seeds(db, part):
    from dataclasses import replace

    sides = [replace(part, frames=of_run(db, part, label, 3e-4 if label == "full_sft" else 3e-3, seed)[0])
             for label, seed in (("full_sft", 1), ("lora", 2))]  # fmt: skip
    entries = [entries_of(side)[arm_of(part, label)] for side, label in zip(sides, ("full_sft", "lora"), strict=True)]
    pair = pair_of(*entries)
    rows = compare_arms([(pair.first, pair.second)]).set_index("quantity")
    assert (rows.at["pocket_target", "seeds"], rows.at["pocket_target", "items"]) == (1, 240)


def test_what_tuning_took_is_not_told_of_one_run(db, part):
    section, _ = of_run(db, part, "full_sft", 3e-4, 1)
    entry = entries_of(part)[arm_of(part, "full_sft")]
    whole = pair_of(entry, entry).first.side.costs[entry.arm.arm_id]["whole_tuning_seconds"]
    from harness.analysis.contender import Side

    alone = Side(section).costs[entry.arm.arm_id]
    assert whole > 0 and alone["whole_tuning_seconds"] != alone["whole_tuning_seconds"]  # NaN
    assert alone["memory_bytes"] == part.frames.phases["ledger_peak_bytes"].max()
