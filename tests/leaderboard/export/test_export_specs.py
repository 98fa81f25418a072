"""Charts as JSON: the same each time, and no more data than is drawn."""

import json

import altair as alt
import pandas as pd

from leaderboard.export.specs import spec

ROWS = pd.DataFrame({"value": [1.0, None], "secret": ["a", "b"], "kind": ["view_1", "view_2"]})


def chart():
    picked = alt.Chart(ROWS).mark_point().encode(x="value:Q", color="kind:N").add_params(alt.selection_point("arm"))
    return alt.layer(picked, alt.Chart(ROWS).mark_rule().encode(x="value:Q"))


def test_it_is_the_same_however_many_charts_came_before():
    assert spec(chart()) == spec(chart())


def test_data_that_nothing_draws_are_left_out():
    (rows,) = json.loads(spec(chart()))["datasets"].values()
    assert rows == [{"value": 1.0, "kind": "view_1"}, {"value": None, "kind": "view_2"}]


def test_a_chart_is_as_wide_as_the_page_and_panels_keep_their_width():
    assert json.loads(spec(chart()))["width"] == "container"
    assert "width" not in json.loads(spec(alt.hconcat(chart(), alt.Chart(ROWS).mark_bar())))


def test_more_rows_than_altair_takes_by_itself_are_drawn():
    rows = pd.DataFrame({"value": range(6000)})
    (data,) = json.loads(spec(alt.Chart(rows).mark_point().encode(x="value:Q")))["datasets"].values()
    assert len(data) == 6000
