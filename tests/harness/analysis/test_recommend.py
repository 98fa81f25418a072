"""Recommended is what keeps the limits, best first; what was not measured keeps none."""

from dataclasses import replace

import pytest

from harness.analysis.recommend import binding_limit, far_below, nearest_first, preferred, recommend
from harness.analysis.summary import summarise
from tests.factory import ARMS, Truth

MIB = 2**20


@pytest.fixture(scope="module")
def summary(section):
    return summarise(section)


@pytest.fixture(scope="module")
def ask(section, summary):
    return lambda **limits: recommend(section, summary, limits)


def labels(choices):
    return [choice.row["label"] for choice in choices]


def test_without_limits_every_trained_arm_is_there_best_first(ask):
    found = ask()
    assert labels(found.choices) == ["full_sft", "lora", "dpo-lora", "qlora"]
    assert not found.others


def test_memory_keeps_the_arms_that_fit(ask):
    assert sorted(labels(ask(memory_bytes=12.5 * MIB).choices)) == ["lora", "qlora"]


def test_what_is_needed_is_judged_over_all_phases(section, summary):
    scoring = section.phases["phase"] == "evaluate"
    device = (section.phases["ledger_peak_bytes"].fillna(0) + 1 * MIB).mask(scoring, 13 * MIB)
    with_scoring = replace(section, phases=section.phases.assign(peak_device_bytes=device))
    found = recommend(with_scoring, summary, {"needed_bytes": 12.5 * MIB})
    assert not found.choices
    assert {c.row["needed_bytes"] for c in found.others if c.row["label"] in ("lora", "qlora")} == {13 * MIB}
    assert {c.row["needed_measure"] for c in found.others} == {"device"}


def test_forgetting_is_at_most_and_gain_at_least(ask):
    assert "full_sft" not in labels(ask(forgetting=0.08).choices)
    assert labels(ask(gain=0.79).choices) == ["full_sft"]


def test_tuning_time_counts_a_dpo_arms_sft_stage(ask):
    assert "dpo-lora" in labels(ask(whole_tuning_seconds=105.0).choices)
    assert "dpo-lora" not in labels(ask(whole_tuning_seconds=104.0).choices)


def test_arms_that_cannot_be_told_apart_share_a_place_and_a_letter(ask):
    places = {choice.row["label"]: choice for choice in ask().choices}
    assert places["full_sft"].place == places["lora"].place == 1
    assert set(places["full_sft"].letters) & set(places["lora"].letters)


def test_a_place_is_one_more_than_the_number_of_better_arms_within_the_limits(ask):
    assert {c.row["label"]: c.place for c in ask(memory_bytes=12.5 * MIB).choices} == {"lora": 1, "qlora": 2}


def test_a_limit_that_the_interval_reaches_beyond_is_kept_by_the_estimate_alone(ask):
    (check,) = next(c for c in ask(forgetting=0.06).choices if c.row["label"] == "lora").checks
    assert check.state == "met by the estimate"
    (check,) = next(c for c in ask(forgetting=0.5).choices if c.row["label"] == "lora").checks
    assert check.state == "met"


def test_what_was_not_measured_is_unknown_and_keeps_no_limit(section, summary):
    unmeasured = summary.assign(memory_bytes=summary["memory_bytes"].where(summary["label"] != "lora"))
    found = recommend(section, unmeasured, {"memory_bytes": 1e12})
    assert labels(found.others) == ["lora"]
    assert found.others[0].checks[0].state == "unknown"


def test_the_limit_that_binds_is_the_one_that_lets_arms_through_when_lifted(ask):
    found = ask(memory_bytes=1 * MIB, forgetting=0.08)
    assert not found.choices
    assert found.binding == {"memory_bytes": 3, "forgetting": 0}


def test_an_arm_that_is_beaten_in_everything_is_said_to_be(make_section):
    good = Truth("full_sft", 0.95, 0.95, preference=0.9, safety=0.96, memory_mib=8.0)
    bad = replace(ARMS["lora"], target=0.5, general=0.5, preference=0.4, safety=0.5, memory_mib=30.0, fails={})
    section = make_section(arms={"base": ARMS["base"], "good": good, "bad": bad})
    found = {c.row["label"]: c for c in recommend(section, summarise(section), {}).choices}
    assert found["bad"].dominated_by == (found["good"].row["arm_id"],)
    assert found["good"].dominated_by == ()


class TestPreferred:
    @pytest.mark.parametrize(
        ("by", "label"), [("target", "full_sft"), ("memory_bytes", "lora"), ("forgetting", "lora")]
    )
    def test_of_arms_that_cannot_be_told_apart_the_one_with_the_least_or_the_most_target(self, ask, by, label):
        assert preferred(ask(), by).row["label"] == label

    def test_an_arm_that_is_supported_as_worse_is_never_preferred(self, ask):
        assert preferred(ask(), "memory_bytes").row["label"] != "qlora"

    def test_what_is_not_known_comes_last(self, section, summary):
        unmeasured = summary.assign(memory_bytes=summary["memory_bytes"].where(summary["label"] != "lora"))
        assert preferred(recommend(section, unmeasured, {}), "memory_bytes").row["label"] == "full_sft"

    def test_none_within_the_limits_is_none(self, ask):
        assert preferred(ask(memory_bytes=1.0), "target") is None


class TestNearMisses:
    def test_arms_outside_stand_by_how_many_limits_they_miss_and_then_by_how_far(self, ask):
        others = ask(memory_bytes=7 * MIB, forgetting=0.08).others
        assert labels(nearest_first(others)) == ["qlora", "lora", "dpo-lora", "full_sft"]

    def test_what_is_not_known_is_missed_by_the_most(self, section, summary):
        unmeasured = summary.assign(memory_bytes=summary["memory_bytes"].where(summary["label"] != "qlora"))
        found = recommend(section, unmeasured, {"memory_bytes": 1 * MIB})
        assert labels(nearest_first(found.others))[-1] == "qlora"

    def test_the_limit_that_keeps_most_arms_out_binds(self, ask):
        assert binding_limit(ask(memory_bytes=1 * MIB, forgetting=0.08)) == "memory_bytes"

    def test_none_binds_where_all_are_within(self, ask):
        assert binding_limit(ask(memory_bytes=1e12)) is None
        assert binding_limit(ask()) is None


class TestFarBelow:
    def test_under_a_tenth_of_the_limit(self, summary):
        most = summary["memory_bytes"].max()
        assert far_below(summary, 11 * most)
        assert not far_below(summary, 9 * most)

    def test_unknown_memory_is_not_far_below(self, summary):
        assert not far_below(summary.assign(memory_bytes=float("nan")), 1e12)
