"""What follows for a claim: counting, runs within its scope, or nothing yet, and then why."""

import pytest

from harness.claims.evidence import Measured, Place
from harness.claims.verdicts import NO_RULE, NO_RUNS, OPEN, OTHER_SCALE, judge
from tests.harness.claims.made import claim, ruled

SAVED = {"calculate": "bits_saved"}
HALF, LESS = {**SAVED, "claimed": {"about": 0.5}}, {**SAVED, "claimed": {"at_most": 0.5}}
RULED = ruled("gain", {"at_most": 0})


def place(holds, base="pocket-1m", in_scope=True):
    measured = Measured("gain", "points", 0.1, 0.0, 0.2, holds)
    return Place("pocket", "2 cores", base, 900_000, "lora against full_sft", in_scope, (measured,), ("run",))


class TestCounting:
    def test_confirms_what_agrees(self):
        assert judge(claim(figures=[LESS]), []).text == "confirmed (by counting)"

    def test_refutes_what_does_not(self):
        assert judge(claim(figures=[HALF, SAVED]), []).text == "refuted (by counting)"

    def test_says_what_it_depends_on_where_some_does(self):
        assert judge(claim(figures=[LESS, HALF]), []).text == "depends on luck (by counting)"

    def test_is_nothing_where_a_figure_only_stands_beside(self):
        assert judge(claim(figures=[SAVED]), []).word == "not yet measured"


class TestRuns:
    @pytest.mark.parametrize(
        ("held", "text"),
        [
            ([True, True], "confirmed in part (by runs, on a, b only)"),
            ([False, False], "refuted in part (by runs, on a, b only)"),
            ([True, False], "depends on luck (by runs, on a, b only)"),
            ([False, None], "refuted in part (by runs, on a only; open on b)"),
            ([None, True], "confirmed in part (by runs, on b only; open on a)"),
            ([None, None], "not yet measured"),
        ],
    )
    def test_decide_where_their_interval_does(self, held, text):
        verdict = judge(RULED, [place(held[0], "a"), place(held[1], "b")])
        assert verdict.text == text

    def test_decide_with_what_is_counted(self):
        verdict = judge(ruled("gain", {"at_most": 0}, figures=[HALF]), [place(True)])
        assert verdict.text == "depends on luck (by counting and runs, on pocket-1m only)"

    def test_decide_all_of_a_claim_that_speaks_of_their_scale(self):
        assert judge(ruled("gain", {"at_most": 0}, scope={"device": "cpu"}), [place(True)]).text.startswith(
            "confirmed ("
        )

    def test_of_another_scale_decide_nothing(self):
        verdict = judge(RULED, [place(True, in_scope=False)])
        assert (verdict.word, verdict.why) == ("not yet measured", OTHER_SCALE)

    def test_all_conditions_have_to_hold(self):
        both = Place(**{**vars(place(True)), "measured": (*place(True).measured, *place(False).measured)})
        open_ = Place(**{**vars(place(True)), "measured": (*place(True).measured, *place(None).measured)})
        assert (both.holds, open_.holds) == (False, None)


class TestNothingYet:
    def test_for_want_of_a_suite(self):
        assert judge(claim(), []).why == NO_RULE

    def test_for_want_of_runs(self):
        assert judge(RULED, []).why == NO_RUNS

    def test_for_want_of_precision(self):
        assert judge(RULED, [place(None)]).why == OPEN
