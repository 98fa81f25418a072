"""How a quantity moves with the rank or with the size of the base: one line a method, with its interval as a band."""

from typing import Any

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import positive, tooltips, y
from leaderboard.quantities import Quantity, names_of

WORDS = (
    ("name", "arm"),
    ("base", "base"),
    ("hardware", "hardware"),
    ("stack", "stack"),
    ("memory_measure", "memory is"),
)
PANEL_HEIGHT, MOST_TICKS = 280, 10


def lines(arms: pd.DataFrame, across: Quantity, up: Quantity, line: str) -> AnyChart | None:
    """``up`` against ``across`` (logarithmic), the rows of one ``line`` (a column) joined; intervals as bands, or as a
    rule where a point is alone.

    ``arms`` in units, of one picture or of several that are drawn alike (``panels.Panel``). Rows with no ``across``
    (trained on all weights, so without a rank) are levels right across. None where no row has both quantities.
    """
    rows = arms[arms[up.name].notna()]
    if positive(rows, across, True).empty:
        return None
    colour = theme.colour(rows["method"]).legend(orient="bottom", symbolOpacity=1)
    shape = theme.mark(rows["method"]).legend(orient="bottom", symbolOpacity=1)
    scored = alt.Chart().transform_filter(f"isValid(datum.{up.name})")
    points = scored.transform_filter(f"datum.{across.name} > 0").encode(x=_x(rows, across))
    place = {"y": y(up), "color": colour}
    layers = [
        *_intervals(scored.transform_filter(f"!isValid(datum.{across.name})"), points, up, line, colour),
        scored.transform_filter(f"!isValid(datum.{across.name})")
        .mark_rule(strokeDash=[7, 4], strokeWidth=2)
        .encode(**place, tooltip=tooltips(WORDS, [up], rows)),
        points.mark_line(strokeWidth=2).encode(**place, detail=f"{line}:N"),
        points.mark_point(filled=True, size=80, opacity=1).encode(
            **place, shape=shape, tooltip=tooltips(WORDS, [across, up], rows)
        ),
    ]
    return alt.layer(*layers, data=rows, height=PANEL_HEIGHT)


def _intervals(levels: alt.Chart, points: alt.Chart, up: Quantity, line: str, colour: alt.Color) -> list[alt.Chart]:
    if not up.interval:
        return []
    low, high = names_of(up)[1:]
    ends: dict[str, Any] = {"y": alt.Y(f"{low}:Q", title=up.title), "y2": high, "color": colour}
    known = points.transform_filter(f"isValid(datum.{low})")
    counted = known.transform_joinaggregate(points="count()", groupby=[line])
    return [
        levels.mark_rect(opacity=0.08).encode(**ends),
        counted.transform_filter("datum.points > 1").mark_area(opacity=0.15).encode(**ends, detail=f"{line}:N"),
        counted.transform_filter("datum.points == 1").mark_rule(opacity=0.5).encode(**ends),
    ]


def _x(rows: pd.DataFrame, across: Quantity) -> alt.X:
    """A logarithmic axis with a tick at each value that is there."""
    values = sorted(float(value) for value in positive(rows, across, True)[across.name].unique())
    ticks: dict[str, Any] = {"values": values} if len(values) <= MOST_TICKS else {"tickCount": MOST_TICKS}
    scale = alt.Scale(type="log", base=2, nice=False, padding=16, domain=[values[0], values[-1]])
    axis = alt.Axis(format=f",.{across.decimals}f", grid=False, **ticks)
    return alt.X(f"{across.name}:Q", title=across.title, scale=scale, axis=axis)
