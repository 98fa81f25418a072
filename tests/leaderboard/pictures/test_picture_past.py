"""The picture of a history: points in order of time, a line at each step with what changed beside it."""

import pandas as pd

from leaderboard.pictures.past import past
from leaderboard.quantities import MEMORY, TARGET


def points(steps, lows=True):
    """A point a place, of one arm; ``steps`` are the places at which one is."""
    return pd.DataFrame(
        [
            {
                **{"arm": "lora r=8", "method": "lora", "place": n, "slot": f"day {n}", "when": f"day {n}"},
                **{"source": "mine", "stack": f"stack {n}", "value": 10.0 + n, "level": 10.0 if steps else None},
                **{"low": 9.0 if lows else None, "high": 12.0 if lows else None},
                **{"step": "up" if n in steps else "", "changes": f"torch {n}"},
            }
            for n in range(1, 7)
        ]
    )


def layers(chart, mark):
    drawn = chart.to_dict()
    found = [layer for layer in drawn["layer"] if layer["mark"]["type"] == mark]
    return [drawn["datasets"][layer["data"]["name"]] for layer in found]


def test_a_step_has_a_line_and_its_name():
    (names,) = filter(None, layers(past(points({5}), TARGET), "text"))
    assert [row["named"] for row in names] == ["torch 5"]


def test_names_of_early_and_late_steps_stand_on_the_side_where_there_is_room():
    drawn = past(points({2, 6}), TARGET).to_dict()
    assert [layer["mark"]["align"] for layer in drawn["layer"] if layer["mark"]["type"] == "text"] == ["left", "right"]


def test_without_a_step_nothing_is_marked():
    assert layers(past(points(set()), TARGET), "text") == []


def test_points_stand_in_order_of_time():
    drawn = past(points(set()).iloc[::-1], TARGET).to_dict()
    assert drawn["layer"][-1]["encoding"]["x"]["sort"] == [f"day {n}" for n in range(1, 7)]


def test_figures_without_intervals_are_points_alone():
    assert layers(past(points(set(), lows=False), MEMORY), "rule") == []


def test_without_a_value_there_is_no_picture():
    assert past(points(set()).assign(value=None), TARGET) is None
