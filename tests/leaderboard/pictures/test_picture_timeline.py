"""What stands in memory in a step, as a picture."""

import pandas as pd

from harness.analysis.memory import COMPONENTS
from leaderboard.pictures.timeline import timeline
from leaderboard.quantities import MEMORY


def moments(**columns):
    parts = ["data", "forward", "forward", "backward"]
    held = {name: [0, 0, 0, 0] for name in COMPONENTS} | {"weights": [5] * 4, "activation": [0, 2, 9, 1]}
    return pd.DataFrame({"seconds": [0.0, 0.001, 0.5, 1.0], "part": parts, **held, **columns})


def drawn(chart):
    return [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]


def rows(chart):
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def test_components_that_are_never_there_are_not_drawn():
    assert {row["component"] for row in rows(timeline(moments(), MEMORY)) if "component" in row} == {
        "weights",
        "activation",
    }


def test_a_line_stands_where_each_part_begins_and_only_what_has_room_is_named():
    chart = timeline(moments(), MEMORY).to_dict()

    by_mark = {layer["mark"]["type"]: layer for layer in chart["layer"]}
    begins = [row["part"] for row in chart["datasets"][by_mark["rule"]["data"]["name"]]]
    named = [row["part"] for row in chart["datasets"][by_mark["text"]["data"]["name"]]]
    assert begins == ["data", "forward", "backward"]
    assert named == ["forward"]  # the others are over at once


def test_on_a_gpu_the_allocators_bytes_are_a_line_over_the_areas():
    assert "line" not in drawn(timeline(moments(), MEMORY))
    assert "line" in drawn(timeline(moments(allocated=[6, 8, 15, 7]), MEMORY))


def test_without_a_watched_step_there_is_no_picture():
    assert timeline(pd.DataFrame(columns=["seconds", "part"]), MEMORY) is None
