"""One line a method with its interval as a band; arms without a rank are levels right across."""

import pandas as pd

from leaderboard.pictures.lines import lines
from leaderboard.quantities import BASE_SIZE, MEMORY, RANK, TARGET

ARMS = pd.DataFrame(
    {
        "name": ["lora r=2", "lora r=8", "full_sft"],
        "base": "b",
        "method": ["lora", "lora", "full_sft"],
        "family": ["lora", "lora", "full"],
        "rank": [2.0, 8.0, None],
        "target": [60.0, 70.0, 75.0],
        "target_low": [55.0, 66.0, 70.0],
        "target_high": [65.0, 74.0, 80.0],
        "memory_bytes": [10.0, 12.0, 30.0],
    }
)


def marks(chart):
    return [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]


def test_a_line_a_method_with_a_band_for_its_interval():
    spec = lines(ARMS, RANK, TARGET, "family").to_dict()
    (line,) = (one for one in spec["layer"] if one["mark"]["type"] == "line")
    (band,) = (one for one in spec["layer"] if one["mark"]["type"] == "area")
    assert line["encoding"]["detail"]["field"] == "family"
    assert (band["encoding"]["y"]["field"], band["encoding"]["y2"]["field"]) == ("target_low", "target_high")


def test_full_weights_are_a_level_without_a_place_on_the_axis():
    spec = lines(ARMS, RANK, TARGET, "family").to_dict()
    (level,) = (one for one in spec["layer"] if "strokeDash" in one["mark"])
    assert "x" not in level["encoding"]
    assert level["transform"][-1]["filter"] == "!isValid(datum.rank)"


def test_the_axis_has_a_tick_at_each_rank_that_was_tried():
    spec = lines(ARMS, RANK, TARGET, "family").to_dict()
    axes = [one["encoding"]["x"] for one in spec["layer"] if "x" in one["encoding"]]
    assert axes[0]["axis"]["values"] == [2.0, 8.0] and axes[0]["scale"]["type"] == "log"


def test_a_quantity_without_an_interval_has_no_band():
    assert "area" not in marks(lines(ARMS, RANK, MEMORY, "family"))


def test_a_lone_point_has_a_rule_in_place_of_a_band():
    spec = lines(ARMS, RANK, TARGET, "family").to_dict()
    alone = [one for one in spec["layer"] if {"filter": "datum.points == 1"} in one.get("transform", [])]
    assert [one["mark"]["type"] for one in alone] == ["rule"]


def test_nothing_to_draw_is_none():
    assert lines(ARMS[ARMS["rank"].isna()], RANK, TARGET, "family") is None
    assert lines(ARMS.assign(target=None), RANK, TARGET, "family") is None
    assert lines(ARMS.assign(base_parameters=None), BASE_SIZE, TARGET, "family") is None
