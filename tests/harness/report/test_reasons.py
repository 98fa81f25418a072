"""What is said of an arm and of limits: in words that claim no more than the data do."""

import pandas as pd
import pytest

from harness.analysis.recommend import Check, Choice, Recommendation
from harness.report.reasons import LIMITS, binding, forgets, missed, perplexity, small_models, standing, why

GIB = 2**30


def choice(name, place=1, checks=(), **figures):
    figures = {"memory_bytes": None, "forgetting": None, "target": 0.9, "whole_tuning_seconds": 1.0, **figures}
    return Choice({"arm_id": name, "name": name, "base": "b", **figures}, tuple(checks), place)


def lost(estimate, low, high):
    return {"forgetting": estimate, "forgetting_low": low, "forgetting_high": high}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (lost(0.05, 0.02, 0.08), "It forgets +5.0 [+2.0, +8.0] points over the general tasks: more than nothing"),
        (lost(0.02, -0.01, 0.05), "the data do not tell that from nothing"),
        (lost(-0.05, -0.08, -0.02), "It forgets nothing"),
        (lost(0.05, None, None), "nothing tells how sure that is"),
        (lost(None, None, None), "What it forgets is not known"),
    ],
)
def test_what_is_forgotten_is_as_certain_as_its_interval(row, says):
    assert says in forgets(row)


def test_a_perplexity_is_a_ratio_and_unknown_is_not_said():
    row = {"perplexity_ratio": 1.2, "perplexity_ratio_low": 1.1, "perplexity_ratio_high": 1.3}
    assert perplexity(row) == "Perplexity on general text is 1.20x [1.10, 1.30] the base's."
    assert perplexity({"perplexity_ratio": None}) is None


class TestWhy:
    def found(self, *choices):
        return Recommendation(choices, (), {})

    def test_one_arm_alone(self):
        assert why(choice("a"), self.found(choice("a")), "target") == "No other arm is within the limits."

    def test_one_supported_as_the_best(self):
        assert "supported as the best" in why(choice("a"), self.found(choice("a"), choice("c", 2)), "target")

    def test_several_that_cannot_be_told_apart(self):
        a = choice("a", memory_bytes=1.0)
        said = why(a, self.found(a, choice("c"), choice("d", 3)), "memory_bytes")
        assert said == (
            "The target scores of 2 of the 3 arms within the limits can't be told apart; of these it takes the least "
            "memory."
        )

    def test_no_reason_is_made_up_where_the_figure_is_unknown(self):
        said = why(choice("a"), self.found(choice("a"), choice("c")), "memory_bytes")
        assert "least" not in said and "is not known" in said


def test_what_is_missed_is_said_with_how_far():
    checks = [
        Check("memory_bytes", 24 * GIB, 25 * GIB, "broken"),
        Check("gain", 0.10, 0.04, "broken"),
        Check("forgetting", 0.02, 0.01, "met"),
        Check("whole_tuning_seconds", 60.0, None, "unknown"),
    ]
    assert missed(choice("a", checks=checks)) == (
        "memory: 25.0 GiB, 1.0 GiB too much; gain: +4.0 points, 6.0 points too little; tuning time: not measured"
    )


def test_an_arm_that_is_within_by_the_estimate_alone_is_said_to_be():
    near = choice("a", checks=[Check("forgetting", 0.02, 0.01, "met by the estimate"), Check("gain", 0.1, 0.2, "met")])
    found = Recommendation((near,), (), {})
    assert standing(near, found) == "within the limit on forgetting by the estimate, not by the whole 95 % interval"
    assert standing(choice("a"), found) == ""


def test_limits_are_called_what_the_reader_set_them_by():
    broken = choice("a", None, [Check("memory_bytes", 1.0, 2 * GIB, "broken")])
    lines = binding(Recommendation((), (broken,), {"memory_bytes": 1}), LIMITS)
    assert lines[1].startswith(
        "the memory limit alone lifted would let 1 through; the nearest that breaks it has 2.0 GiB"
    )


class TestSmallModels:
    ARMS = pd.DataFrame({"memory_bytes": [2.0**20], "base_parameters": [900_000.0]})

    def test_it_says_what_was_measured_and_what_that_does_not_say(self):
        said = small_models(self.ARMS, 24e9)
        assert "at most 1.0 MiB on bases of at most 900 K parameters" in said and "an 8 B model" in said

    def test_nothing_where_the_limit_is_near(self):
        assert small_models(self.ARMS, 2.0**21) is None

    def test_a_base_of_unknown_size_is_none_that_is_made_up(self):
        assert "parameters" not in small_models(self.ARMS.assign(base_parameters=None), 24e9).split("far less")[0]
