"""Every run is a faint dot, each arm a strong one with its intervals; one click selects the arm."""

import pandas as pd

from leaderboard.pictures.forgotten import forgotten
from leaderboard.pictures.tradeoff import PICK
from leaderboard.quantities import FORGETTING, GAIN, PERPLEXITY

ABOUT = {"arm_id": "a", "section": 0, "name": "lora", "base": "b", "method": "lora"}
ENDS = {"gain_low": 35.0, "gain_high": 45.0, "forgetting_low": 1.0, "forgetting_high": 3.0}
ARMS = pd.DataFrame([{**ABOUT, **ENDS, "gain": 40.0, "forgetting": 2.0, "chosen_rate": 1e-3}])
RUNS = pd.DataFrame(
    [{**ABOUT, "gain": 39.0 + seed, "forgetting": 2.0, "learning_rate": 1e-3, "seed": seed} for seed in (1, 2)]
)


def rows(chart):
    spec = chart.to_dict()
    return spec["datasets"][spec["data"]["name"]]


def dots(chart):
    return chart.to_dict()["layer"][-1]


def test_runs_and_arms_are_dots_told_apart_by_size():
    chart = forgotten(ARMS, RUNS, FORGETTING, GAIN)
    assert [(row["strong"], row["seed"]) for row in rows(chart)] == [
        (False, "1"),
        (False, "2"),
        (True, "mean over seeds"),
    ]
    assert dots(chart)["encoding"]["size"]["condition"]["test"] == "datum.strong"


def test_the_arms_have_intervals_both_ways():
    rules = [one for one in forgotten(ARMS, RUNS, FORGETTING, GAIN).to_dict()["layer"] if "transform" in one]
    assert [sorted(set(one["encoding"]) - {"color"}) for one in rules] == [["x", "x2", "y"], ["x", "y", "y2"]]


def test_a_line_marks_where_nothing_is_forgotten():
    def at(across, arms):
        spec = forgotten(arms, RUNS.assign(perplexity_ratio=None), across, GAIN).to_dict()
        return spec["datasets"][spec["layer"][0]["data"]["name"]]

    assert at(FORGETTING, ARMS) == [{"forgetting": 0.0}]
    assert at(PERPLEXITY, ARMS.assign(perplexity_ratio=1.2)) == [{"perplexity_ratio": 1.0}]


def test_a_click_selects_an_arm():
    (chosen,) = forgotten(ARMS, RUNS, FORGETTING, GAIN).to_dict()["params"]
    assert chosen["name"] == PICK and chosen["select"]["fields"] == ["arm_id", "section"]


def test_without_an_arm_that_has_both_there_is_no_picture():
    assert forgotten(ARMS.assign(gain=None), RUNS, FORGETTING, GAIN) is None
