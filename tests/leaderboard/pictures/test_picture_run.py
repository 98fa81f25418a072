"""One run in pictures, and none where there is nothing to draw."""

import pandas as pd

from leaderboard.pictures.run import curve, moments, outcomes, phases

STEPS = pd.DataFrame(
    {"step": [1, 2], "loss": [2.0, 1.0], "gradient_norm": [None, None], "tokens_seen": 10, "seconds": 0.1}
)
SCORES = pd.DataFrame(
    {
        "task": ["a", "a", "b"],
        "role": "general",
        "metric": ["acc", "acc", "word_perplexity"],
        "moment": ["base", "tuned", "tuned"],
        "value": [0.5, 0.75, 3.2],
        "n_items": 4,
        "higher_is_better": [True, True, False],
    }
)


def test_a_figure_that_was_logged_is_a_line():
    assert curve(STEPS, "loss", "lora") is not None
    assert curve(STEPS, "gradient_norm", "lora") is None


def test_scores_that_are_no_share_of_1_are_left_to_the_table():
    chart = moments(SCORES, "lora").to_dict()
    drawn = {row["task"] for rows in chart["datasets"].values() for row in rows}
    assert drawn == {"a"}


def test_the_way_from_base_to_tuned_is_a_line():
    marks = [layer["mark"]["type"] for layer in moments(SCORES, "lora").to_dict()["layer"]]
    assert marks == ["rule", "point"]
    assert len(moments(SCORES[SCORES["moment"] == "tuned"], "lora").to_dict()["layer"]) == 1


def test_phases_keep_their_order():
    rows = pd.DataFrame({"place": ["load", "train", "evaluate"], "wall_seconds": [1.0, 5.0, 2.0]})
    assert phases(rows).to_dict()["encoding"]["y"]["sort"] == ["load", "train", "evaluate"]


def test_outcomes_that_are_there_have_their_colours():
    counts = pd.DataFrame({"task": ["a", "a"], "outcome": ["both right", "was right, now wrong"], "items": [3, 1]})
    order = ["was right, now wrong", "was wrong, now right", "both right"]
    assert outcomes(counts, order).to_dict()["encoding"]["color"]["scale"]["domain"] == [order[0], order[2]]


def test_nothing_is_no_picture():
    assert moments(SCORES.head(0), "lora") is None
    assert phases(pd.DataFrame({"place": ["load"], "wall_seconds": [None]})) is None
    assert outcomes(pd.DataFrame(columns=["task", "outcome", "items"]), []) is None
