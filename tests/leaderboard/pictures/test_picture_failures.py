"""What did not run, as a heat map: a square for what was tried, its counts in it."""

import pandas as pd

from leaderboard.pictures.failures import heatmap

TRIED = pd.DataFrame(
    {"label": "lora", "place": ["1m", "7b"], "runs": 3, "failed": [0, 2], "share": [0.0, 2 / 3], "how": [None, "2 oom"]}
)


def test_a_square_says_how_many_of_how_many():
    chart = heatmap(TRIED, "base", ["1m", "7b"]).to_dict()
    assert [row["said"] for rows in chart["datasets"].values() for row in rows] == ["0 of 3", "2 of 3"]


def test_places_are_in_the_order_that_was_given():
    chart = heatmap(TRIED, "base", ["7b", "1m"]).to_dict()
    assert chart["layer"][0]["encoding"]["x"]["sort"] == ["7b", "1m"]


def test_nothing_tried_is_no_picture():
    assert heatmap(TRIED.head(0), "base", []) is None
