"""How a quantity moves with the rank or with the size of the base: one line a method, with its interval as a band."""

from typing import Any

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures.axes import positive, tooltips, y
from leaderboard.quantities import RANK, Quantity, names_of

WORDS = (("name", "arm"), ("base", "base"), ("hardware", "hardware"))
PANEL_HEIGHT, MOST_TICKS, MOST_DASHES = 260, 10, 6


def lines(arms: pd.DataFrame, across: Quantity, up: Quantity, line: str) -> alt.TopLevelMixin | None:
    """``up`` against ``across`` (logarithmic), the rows of one ``line`` (a column) joined.

    ``arms`` in units. Against the rank, arms that have none (all weights are trained) are levels right across; lines of
    several bases are dashed apart. None where no row has both quantities.
    """
    rows, levels = positive(arms, across, True), arms.iloc[:0]
    rows = rows[rows[up.name].notna()]
    if rows.empty:
        return None
    if across.name == RANK.name:
        levels = arms[arms[across.name].isna() & arms[up.name].notna()]
    methods = pd.concat([rows["method"], levels["method"]])
    told = tooltips(WORDS, [across, up], rows)
    layers = [*_levels(levels, up, methods), *_bands(rows, across, up, methods, line)]
    place = {"x": _x(rows, across), "y": y(up)}
    drawn = {"color": theme.colour(methods), "detail": f"{line}:N"}
    if across.name == RANK.name and 1 < rows["base"].nunique() <= MOST_DASHES:
        drawn["strokeDash"] = alt.StrokeDash("base:N", title="base")
    chart = alt.Chart(rows)
    layers.append(chart.mark_line(strokeWidth=2).encode(**place, **drawn))
    layers.append(
        chart.mark_point(filled=True, size=80, opacity=1).encode(
            **place, color=theme.colour(methods), shape=theme.mark(methods), tooltip=told
        )
    )
    return alt.layer(*layers).properties(height=PANEL_HEIGHT)


def _bands(rows: pd.DataFrame, across: Quantity, up: Quantity, methods: pd.Series, line: str) -> list[alt.Chart]:
    """The interval of each line as a band, that of a point alone as a rule."""
    if not up.interval:
        return []
    low, high = names_of(up)[1:]
    known = rows.dropna(subset=[low, high])
    alone = known.groupby(line)[line].transform("size") == 1
    ends = {"y": alt.Y(f"{low}:Q", title=up.title), "y2": f"{high}:Q", "color": theme.colour(methods)}
    place = _x(rows, across)
    band = alt.Chart(known[~alone]).mark_area(opacity=0.15).encode(x=place, **ends, detail=f"{line}:N")
    rule = alt.Chart(known[alone]).mark_rule(opacity=0.5).encode(x=place, **ends)
    return [chart for chart, own in ((band, known[~alone]), (rule, known[alone])) if len(own)]


def _levels(levels: pd.DataFrame, up: Quantity, methods: pd.Series) -> list[alt.Chart]:
    if levels.empty:
        return []
    chart, colour = alt.Chart(levels), theme.colour(methods)
    told = tooltips(WORDS, [up], levels)
    found = [chart.mark_rule(strokeDash=[7, 4], strokeWidth=2).encode(y=y(up), color=colour, tooltip=told)]
    if up.interval:
        low, high = names_of(up)[1:]
        ends: dict[str, Any] = {"y": alt.Y(f"{low}:Q", title=up.title), "y2": f"{high}:Q"}
        found.insert(0, chart.mark_rect(opacity=0.08).encode(**ends, color=colour))
    return found


def _x(rows: pd.DataFrame, across: Quantity) -> alt.X:
    """A logarithmic axis with a tick at each value that is there."""
    values = sorted(float(value) for value in rows[across.name].unique())
    ticks = {"values": values} if len(values) <= MOST_TICKS else {"tickCount": MOST_TICKS}
    scale = alt.Scale(type="log", base=2, nice=False, padding=16)
    axis = alt.Axis(format=f",.{across.decimals}f", grid=False, **ticks)
    return alt.X(f"{across.name}:Q", title=across.title, scale=scale, axis=axis)
