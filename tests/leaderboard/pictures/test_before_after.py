"""A row an arm: the base's bar, the tuned mark with its interval, and a line between."""

import pandas as pd

from leaderboard.pictures.before_after import before_after

TASKS = pd.DataFrame(
    {
        "row": ["lora", "full"],
        "name": ["lora", "full"],
        "base_model": "b",
        "method": ["lora", "full_sft"],
        "base": [97.0, None],
        "score": [92.0, 80.0],
        "score_low": [90.0, None],
        "score_high": [94.0, None],
    }
)


def fields(chart):
    return [(one["mark"]["type"], one["encoding"]["x"]["field"]) for one in chart.to_dict()["layer"]]


def test_before_after_and_what_is_between():
    assert fields(before_after(TASKS, "score (points)")) == [
        ("rule", "score_low"),
        ("rule", "score"),
        ("tick", "base"),
        ("point", "score"),
    ]


def test_rows_stand_in_the_frames_order_and_the_axis_has_its_unit():
    layer = before_after(TASKS, "word perplexity").to_dict()["layer"][-1]
    assert layer["encoding"]["y"]["sort"] == ["lora", "full"]
    assert layer["encoding"]["x"]["title"] == "word perplexity"


def test_without_a_score_there_is_no_picture():
    assert before_after(TASKS.assign(score=None), "score (points)") is None


def test_what_no_row_has_is_no_layer():
    unknown = dict.fromkeys(("score_low", "score_high", "base"))
    assert fields(before_after(TASKS.assign(**unknown), "word perplexity")) == [("point", "score")]
