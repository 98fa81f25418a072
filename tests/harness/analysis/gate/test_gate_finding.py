"""Verdicts add up to one exit code, and nothing measured is never a pass."""

import math

import pytest

from harness.analysis.gate import Finding, Rules, exit_code, judge
from harness.analysis.gate.finding import Worse, verdict_of
from harness.analysis.gate.rules import Effect
from harness.analysis.uncertainty import Interval
from tests.harness.analysis.gate.gate_sides import make_side

RULE = Effect(level=0.01, minimum=0.01, resolution=0.05)


def code(*verdicts: str, allowed: tuple[str, ...] = ()) -> int:
    return exit_code([Finding("speed", "arm", verdict) for verdict in verdicts], allowed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["pass", "pass"], 0),
        (["pass", "improved", "new"], 0),
        (["pass", "regressed"], 1),
        (["regressed", "inconclusive"], 1),
        (["pass", "inconclusive"], 3),
        (["pass", "not measured"], 3),
        (["pass", "missing"], 3),
        (["new"], 3),
        ([], 3),
    ],
)
def test_the_worst_verdict_decides(verdicts, expected):
    assert code(*verdicts) == expected


def test_what_is_open_can_be_allowed_by_verdict_or_by_quantity():
    assert code("pass", "inconclusive", allowed=("inconclusive",)) == 0
    assert code("pass", "inconclusive", allowed=("speed",)) == 0
    assert code("pass", "inconclusive", allowed=("missing", "memory")) == 3


def test_a_regression_can_not_be_allowed():
    assert code("regressed", allowed=("regressed", "speed")) == 1


def test_where_nothing_was_compared_allowing_all_is_still_no_pass():
    assert code("not measured", allowed=("not measured",)) == 3


def test_two_sides_that_are_the_same_pass_as_a_whole():
    assert exit_code(judge(make_side(), make_side(), Rules())) == 0


@pytest.mark.parametrize(
    ("interval", "worst", "p", "verdict"),
    [
        (Interval(0.03, 0.01, 0.05), 0.06, 0.001, "regressed"),
        (Interval(-0.03, -0.05, -0.01), 0.0, 0.001, "improved"),
        (Interval(0.02, -0.01, 0.04), 0.049, 0.2, "pass"),
        (Interval(0.005, 0.001, 0.009), 0.012, 0.001, "pass"),  # certain, and smaller than matters
        (Interval(0.02, -0.01, 0.04), 0.051, 0.2, "inconclusive"),  # narrow, and too bad to be ruled out
        (Interval(-0.2, -0.4, 0.0), 0.04, 0.2, "pass"),  # wide on the better side alone
        (Interval(0.0, -0.01, 0.01), None, 1.0, "inconclusive"),  # no interval at the level used
        (Interval(0.03), None, None, "inconclusive"),
    ],
)
def test_a_change_counts_that_is_certain_and_large_enough_and_a_pass_rules_out_the_resolution(
    interval, worst, p, verdict
):
    assert verdict_of(Worse(interval, worst, p), RULE)[0] == verdict


def test_what_more_it_takes_is_said():
    half_way = Worse(Interval(0.01, -0.07, 0.09), 0.09, 0.5)  # 0.08 to either side, and 0.04 would do
    assert verdict_of(half_way, RULE) == ("inconclusive", "not ruled out; about 4.0 times as many runs would do")


def test_a_resolution_finer_than_what_counts_asks_for_nothing_more():
    coarse = Effect(level=0.01, minimum=0.1, resolution=0.05)
    assert verdict_of(Worse(Interval(0.07, 0.06, 0.08), 0.09, 0.001), coarse)[0] == "pass"


def test_a_number_that_is_not_finite_is_none():
    found = Finding("gradients", "arm", "regressed", change=math.inf, low=math.nan, limit=0.1)
    assert (found.change, found.low, found.limit) == (None, None, 0.1)
