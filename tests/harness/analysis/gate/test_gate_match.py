"""Runs are compared with runs of the same recipe, and what only one side ran is told."""

import pandas as pd
import pytest

from harness.analysis.gate import match
from tests.harness.analysis.gate.gate_sides import ARMS, SEEDS, make_side, verdicts, with_frame


def test_every_recipe_is_paired_once_and_every_round_with_its_own():
    pairs = match(make_side(rounds=4), make_side(rounds=4)).pairs
    quality = len(SEEDS) * len(ARMS) + 1  # the base's own
    assert (pairs["purpose"].value_counts()).to_dict() == {"measure": 4 * len(ARMS), "quality": quality}
    assert (pairs["baseline"] == pairs["candidate"]).all()


class TestRounds:
    """Measure runs are pairs where they took turns, and only there."""

    def rounds(self, candidate) -> pd.DataFrame:
        pairs = match(make_side(rounds=4), candidate).pairs
        return pairs[(pairs["arm"] == "lora") & (pairs["purpose"] == "measure")].dropna(subset="round")

    def test_a_run_that_failed_takes_its_round_along_and_shifts_no_other(self):
        def fail(runs: pd.DataFrame) -> None:
            runs.loc[runs["run_id"] == "lora-measure-1", "status"] = "crashed"

        rounds = self.rounds(with_frame(make_side(rounds=4), "runs", fail))
        assert rounds["baseline"].tolist() == rounds["candidate"].tolist() == [f"lora-measure-{n}" for n in (0, 2, 3)]

    @pytest.mark.parametrize("source", ["local", "snapshot:other", "check:another-trial:0"])
    def test_runs_of_another_time_are_no_rounds_but_still_pairs(self, source):
        other = with_frame(make_side(rounds=4), "runs", lambda runs: runs.assign(source=source))
        assert self.rounds(other).empty
        assert (match(make_side(rounds=4), other).pairs["purpose"] == "measure").sum() == 4 * len(ARMS)

    def test_runs_over_other_steps_are_not_compared(self):
        def longer(runs: pd.DataFrame) -> None:
            runs.loc[runs["purpose"] == "measure", "order_digest"] = "thirty steps"

        other = with_frame(make_side(rounds=4), "runs", longer)
        assert set(match(make_side(rounds=4), other).pairs["purpose"]) == {"quality"}
        assert set(verdicts(make_side(), other, "memory")) == {"not measured"}


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
        assert verdicts(make_side(), fewer, "status") == ["pass"] * 4 + ["missing"]
        assert verdicts(fewer, make_side(), "status") == ["pass"] * 4 + ["new"]
