"""Pictures that are alike are made once and drawn of each one's own rows."""

import altair as alt
import pandas as pd
import pytest

from leaderboard.pictures.before_after import before_after
from leaderboard.pictures.kept import kept, parts_of
from leaderboard.pictures.lines import lines
from leaderboard.pictures.panels import panels, spec_of
from leaderboard.pictures.rates import rate_curve
from leaderboard.quantities import RANK, TARGET

ROWS = pd.DataFrame({"task": ["a", "b", "a"], "value": [1.0, 2.0, 3.0], "unshown": "x"})
SCORED = {"row": "r", "name": "n", "base_model": "b", "method": "lora", "base": 9.0, "score": 8.0}
ANSWERED = {"row": "r", "name": "n", "base": "b", "title": "t"}
RATE = {"learning_rate": 1e-3, "chosen": True, "edge": None, "seeds": 1, "failed_runs": 0, "failures": None}
PICTURES = {
    "before and after": lambda: before_after(pd.DataFrame([{**SCORED, "score_low": 7.0, "score_high": 9.0}]), "points"),
    "kept": lambda: kept(parts_of(pd.DataFrame([{**ANSWERED, "kept": 90, "lost": 10, "won": 0, "never": 0}]))),
    "lines": lambda: lines(
        pd.DataFrame([{"rank": 2.0, "target": 1.0, "target_low": 0.0, "target_high": 2.0, "method": "lora", "f": "f",
                       "results": "1"}]),
        RANK, TARGET, "f",
    ),
    "rates": lambda: rate_curve(
        pd.DataFrame([{**RATE, "method": "lora", "higher_is_better": 1, "validation": 1.0, "test": 1.0,
                       "test_lowest": 0.0, "test_highest": 2.0}])
    ),
}  # fmt: skip


def bars():
    return alt.layer(alt.Chart().mark_bar().encode(x="value:Q"), alt.Chart().mark_tick().encode(x="value:Q"), data=ROWS)


def test_a_panel_has_its_own_rows_and_the_columns_that_are_shown():
    found = panels(bars(), ROWS, "task")
    assert [(one.title, list(one.rows["value"]), list(one.rows)) for one in found] == [
        ("a", [1.0, 3.0], ["value"]),
        ("b", [2.0], ["value"]),
    ]


def test_without_a_chart_there_is_no_panel():
    assert panels(None, ROWS, "task") == []


@pytest.mark.parametrize("name", PICTURES)
def test_no_part_of_a_panels_specification_has_rows_of_its_own(name):
    def parts(spec):
        yield spec
        for layer in spec.get("layer", []):
            yield from parts(layer)

    assert not [part for part in parts(spec_of(PICTURES[name]())) if "data" in part or "datasets" in part]


def test_a_layer_that_would_be_empty_in_a_panel_is_left_out_there_alone():
    tasks = pd.DataFrame([{**SCORED, "task": "a", "score_low": 7.0, "score_high": 9.0},
                          {**SCORED, "task": "b", "score_low": None, "score_high": None}])  # fmt: skip
    first, second = panels(before_after(tasks, "points"), tasks, "task")
    assert (len(first.spec["layer"]), len(second.spec["layer"])) == (4, 3)
    assert all(layer["encoding"]["x"]["field"] != "score_low" for layer in second.spec["layer"])
