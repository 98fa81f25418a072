"""The leaderboard's picture: in the frame's order, drawn up once for all frames that have the same to show."""

import json

import altair as alt
import pandas as pd

from leaderboard.pictures.lineup import _form, lineup
from leaderboard.quantities import GAIN, MEMORY

ARMS = pd.DataFrame(
    {
        "row": ["b <script>", "a"],
        "name": ["b", "a"],
        "base": ["m", "m"],
        "letters": ["a", "b"],
        "method": ["lora", "base"],
        "gain": [1.0, None],
        "gain_low": [0.5, None],
        "gain_high": [1.5, None],
        "memory_bytes": [3.0, 2.0],
    }
)


def scales(spec):
    return [layer["encoding"]["y"]["scale"]["domain"] for panel in spec["hconcat"] for layer in panel["layer"]]


def test_every_panel_has_the_rows_in_the_frames_order():
    for frame in (ARMS, ARMS.iloc[::-1]):
        panel = lineup(frame, [GAIN, MEMORY])
        assert scales(panel.spec) == [list(frame["row"])] * 3
        assert list(panel.rows["row"]) == list(frame["row"])


def test_another_order_is_drawn_from_the_same_form():
    _form.cache_clear()
    lineup(ARMS, [GAIN, MEMORY])
    lineup(ARMS.iloc[::-1], [GAIN, MEMORY])
    assert _form.cache_info().misses == 1


def test_a_cost_that_nobody_measured_is_in_no_tooltip():
    nothing = ARMS.assign(gain_low=None, gain_high=None)
    told = json.dumps(lineup(nothing, [GAIN]).spec)
    assert '"field": "gain", "format"' in told
    assert "lower end" not in told
    assert "lower end" in json.dumps(lineup(ARMS, [GAIN]).spec)


def test_an_interval_that_nobody_has_is_not_drawn():
    (panel,) = lineup(ARMS.assign(gain_low=None, gain_high=None), [GAIN]).spec["hconcat"]
    assert [layer["mark"]["type"] for layer in panel["layer"]] == ["point"]


def test_it_is_a_picture_of_vega_lite():
    alt.Chart.from_dict(lineup(ARMS, [GAIN, MEMORY]).whole())  # raises where its schema forbids it


def test_without_arms_or_figures_there_is_none():
    assert lineup(ARMS.head(0), [GAIN]) is None
    assert lineup(ARMS, []) is None
