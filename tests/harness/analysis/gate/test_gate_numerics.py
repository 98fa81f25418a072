"""The fingerprint: nothing moves but by rounding, and whatever moves further is found and named."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harness.analysis.gate.gate_sides import ARMS, FACTS, findings, make_side, rules, verdicts, with_frame

QUANTITIES = ("logits", "gradients", "first_losses")
VALUES = {
    "logits": ("logits", "value"),
    "gradients": ("gradients", "gradient_norm"),
    "first_losses": ("losses", "loss"),
}


def moved(quantity: str, share: float, arm: str = ""):
    name, column = VALUES[quantity]

    def change(frame: pd.DataFrame) -> None:
        frame.loc[frame["run_id"].str.startswith(arm), column] *= 1 + share

    return with_frame(make_side(), name, change)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_same_code_passes(quantity):
    assert verdicts(make_side(), make_side(), quantity) == ["pass"] * len(ARMS)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_rounding_passes(quantity):
    assert set(verdicts(make_side(), moved(quantity, 1e-6), quantity)) == {"pass"}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_one_per_cent_in_one_arm_is_found_there(quantity):
    found = findings(make_side(), moved(quantity, 0.01, "lora"), quantity)
    assert [one.where for one in found if one.verdict == "regressed"] == ["lora"]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize(("share", "verdict"), [(4e-5, "pass"), (2e-3, "regressed")])
def test_another_kind_of_processor_may_round_otherwise_but_not_reckon_otherwise(quantity, share, verdict):
    other = replace(moved(quantity, share), facts={**FACTS, "processor": "Another CPU"})
    assert set(verdicts(make_side(), other, quantity)) == {verdict}


def test_the_module_and_the_step_are_named():
    def change(frame: pd.DataFrame) -> None:
        frame.loc[frame["module"] == "layers.1", "gradient_norm"] *= 1.01

    found = findings(make_side(), with_frame(make_side(), "gradients", change), "gradients")
    assert {one.detail for one in found} == {"layers.1"}
    assert {one.detail for one in findings(make_side(), moved("first_losses", 0.01), "first_losses")} <= {
        "step 1",
        "step 2",
        "step 3",
    }


def test_a_small_module_is_held_against_the_whole_gradient():
    def tiny(factor: float):
        def change(frame: pd.DataFrame) -> None:
            frame.loc[frame["module"] == "layers.1", "gradient_norm"] = 1e-9 * factor

        return with_frame(make_side(), "gradients", change)

    assert set(verdicts(tiny(1), tiny(2), "gradients")) == {"pass"}


def test_a_gradient_that_is_no_number_on_one_side_alone_is_found():
    def lost(frame: pd.DataFrame) -> None:
        frame.loc[0, "gradient_norm"] = np.nan

    side = with_frame(make_side(), "gradients", lost)
    found = [one for one in findings(make_side(), side, "gradients") if one.verdict == "regressed"]
    assert [(one.change, one.why) for one in found] == [(None, "the candidate has no number for it")]
    assert set(verdicts(side, side, "gradients")) == {"pass"}


def test_a_module_that_is_gone_is_found():
    side = with_frame(make_side(), "gradients", lambda frame: frame[frame["module"] == "layers.0"])
    assert set(verdicts(make_side(), side, "gradients")) == {"regressed"}


def test_the_limit_is_that_of_the_type_computed_in():
    def in_bfloat16(runs: pd.DataFrame) -> None:
        runs["compute"] = "bfloat16"

    sides = [with_frame(side, "runs", in_bfloat16) for side in (make_side(), moved("logits", 0.005))]
    assert set(verdicts(*sides, "logits")) == {"pass"}
    assert set(verdicts(make_side(), moved("logits", 0.005), "logits")) == {"regressed"}


def test_a_stage_that_starts_from_a_trained_one_may_move_further():
    def second_stage(runs: pd.DataFrame) -> None:
        runs["stages"] = 2

    later = [with_frame(side, "runs", second_stage) for side in (make_side(), moved("gradients", 0.001))]
    assert set(verdicts(*later, "gradients")) == {"pass"}
    assert set(verdicts(make_side(), moved("gradients", 0.001), "gradients")) == {"regressed"}


def test_where_the_baselines_own_runs_spread_that_is_allowed():
    def spread(frame: pd.DataFrame) -> None:
        odd = frame["run_id"].str.contains("measure-[13579]")
        frame.loc[odd, "value"] *= 1.02

    assert set(verdicts(with_frame(make_side(), "logits", spread), moved("logits", 0.02), "logits")) == {"pass"}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_nothing_recorded_is_not_measured(quantity):
    empty = with_frame(make_side(), VALUES[quantity][0], lambda frame: frame.head(0))
    assert set(verdicts(make_side(), empty, quantity)) == {"not measured"}
    assert set(verdicts(empty, empty, quantity)) == {"not measured"}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_run_of_which_the_candidate_says_nothing_is_missing(quantity):
    fewer = with_frame(make_side(), VALUES[quantity][0], lambda frame: frame[frame["run_id"] != "lora-quality-1"])
    found = findings(make_side(), fewer, quantity)
    assert [(one.where, one.detail) for one in found if one.verdict == "missing"] == [("lora", "1 of 13 runs")]


def test_only_the_first_losses_count():
    def late(frame: pd.DataFrame) -> None:
        frame.loc[frame["step"] == 20, "loss"] *= 1.05

    side = with_frame(make_side(), "losses", late)
    assert set(verdicts(make_side(), side, "first_losses")) == {"pass"}
    assert set(verdicts(make_side(), side, "first_losses", rules(first_losses={"steps": 20}))) == {"regressed"}
