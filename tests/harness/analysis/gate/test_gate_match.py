"""Runs are compared with runs of the same recipe, and what only one side ran is told."""

import pandas as pd

from harness.analysis.gate import match
from tests.harness.analysis.gate.gate_sides import ARMS, SEEDS, make_side, verdicts, with_frame


def test_every_recipe_is_paired_once_and_every_round_with_its_own():
    pairs = match(make_side(rounds=4), make_side(rounds=4)).pairs
    assert (pairs["purpose"].value_counts()).to_dict() == {"measure": 4 * len(ARMS), "quality": len(SEEDS) * len(ARMS)}
    assert (pairs["baseline"] == pairs["candidate"]).all()


def test_the_newest_good_run_counts():
    def run_again_badly(runs: pd.DataFrame) -> pd.DataFrame:
        again = runs[runs["purpose"] == "quality"]
        bad = again.assign(run_id="bad-" + again["run_id"], status="crashed", started_at="9999")
        good = again.assign(run_id="new-" + again["run_id"], started_at="9998")
        return pd.concat([runs, bad, good])

    pairs = match(make_side(), with_frame(make_side(), "runs", run_again_badly)).pairs
    assert pairs.loc[pairs["purpose"] == "quality", "candidate"].str.startswith("new-").all()


def test_the_execution_that_both_sides_have_is_taken():
    def also_otherwise(runs: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([runs, runs.assign(run_id="other-" + runs["run_id"], execution_id="f", started_at="9999")])

    pairs = match(with_frame(make_side(), "runs", also_otherwise), make_side()).pairs
    assert not pairs["baseline"].str.startswith("other-").any()


class TestStatus:
    def test_all_that_ran_before_runs_again(self):
        assert set(verdicts(make_side(), make_side(), "status")) == {"pass"}

    def test_a_cell_that_fails_now_has_regressed_and_the_reverse_has_improved(self):
        def fail(runs: pd.DataFrame) -> None:
            runs.loc[runs["run_id"] == "lora-quality-1", ["status", "reason"]] = ["oom", "too large"]

        failing = with_frame(make_side(), "runs", fail)
        assert verdicts(make_side(), failing, "status").count("regressed") == 1
        assert verdicts(failing, make_side(), "status").count("improved") == 1

    def test_what_one_side_alone_ran_is_missing_or_new(self):
        fewer = make_side(arms=ARMS[:3])
        assert verdicts(make_side(), fewer, "status") == ["pass"] * 3 + ["missing"]
        assert verdicts(fewer, make_side(), "status") == ["pass"] * 3 + ["new"]
