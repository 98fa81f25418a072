"""How a quantity moves with the rank or with the size of the base: one line a method, with its interval as a band."""

from typing import Any

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import known, positive, tooltips
from leaderboard.quantities import ENDS, Quantity, names_of

WORDS = (
    ("name", "arm"),
    ("base", "base"),
    ("hardware", "hardware"),
    ("stack", "stack"),
    ("memory_measure", "memory is"),
)
PANEL_HEIGHT, MOST_TICKS = 280, 10
DASHES = ([1, 0], [7, 4], [2, 2], [9, 3, 2, 3], [14, 4])  # of one results after the other
MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "stroke")


def lines(arms: pd.DataFrame, across: Quantity, up: Quantity, line: str) -> AnyChart | None:
    """``up`` against ``across`` (logarithmic), the rows of one ``line`` (a column) joined; intervals as bands, or as a
    rule where a point is alone.

    ``arms`` in units, of one picture or, as ``placed`` gives them, of several that are drawn alike (``panels.Panel``).
    Rows with no ``across`` (trained on all weights, so without a rank) are levels right across. Of several ``results``
    each has a dash and a mark of its own. None where no row has both quantities.
    """
    rows = placed(arms, across, up, line)
    if not known(rows, "point"):
        return None
    colour = theme.colour(rows["method"]).legend(orient="bottom", symbolOpacity=1)
    shape, dash = _told_apart(rows)
    x = _x(rows, across)
    level, point = (_drawn(name, up, colour) for name in ("level", "point"))
    joined = point.encode(x=x)
    layers = [
        *_intervals(up, line, colour, x),
        level.mark_rule(strokeDash=[7, 4], strokeWidth=2).encode(**dash, tooltip=tooltips(WORDS, [up], rows)),
        joined.mark_line(strokeWidth=2).encode(**dash, detail=f"{line}:N"),
        joined.mark_point(filled=True, size=80, opacity=1).encode(
            shape=shape, tooltip=tooltips(WORDS, [across, up], rows)
        ),
    ]
    return alt.layer(*layers, data=rows, height=PANEL_HEIGHT)


def placed(arms: pd.DataFrame, across: Quantity, up: Quantity, line: str) -> pd.DataFrame:
    """The arms that have ``up``, once more in a column for each kind of mark: ``level`` where there is no ``across``,
    else ``point``; and the ends of its interval as those of a ``level``, of a ``band`` where points of one line are
    joined, or of a ``bar`` where one is alone."""
    rows = arms[arms[up.name].notna()]
    has, at = rows[across.name].notna(), rows[across.name] > 0
    rows = rows.assign(level=rows[up.name].where(~has), point=rows[up.name].where(at))
    if not up.interval:
        return rows
    ends = names_of(up)[1:]
    alone = rows[ends[0]].where(at).groupby(rows[line]).transform("count") == 1
    kinds = {"level": ~has, "band": at & ~alone, "bar": at & alone}
    found = {
        f"{kind}{end}": rows[name].where(those)
        for kind, those in kinds.items()
        for end, name in zip(ENDS, ends, strict=True)
    }
    return rows.assign(**found)


def _intervals(up: Quantity, line: str, colour: alt.Color, x: alt.X) -> list[alt.Chart]:
    if not up.interval:
        return []
    level, band, bar = (
        _drawn(f"{kind}_low", up, colour).encode(y2=f"{kind}_high") for kind in ("level", "band", "bar")
    )
    return [
        level.mark_rect(opacity=0.08),
        band.mark_area(opacity=0.15).encode(x=x, detail=f"{line}:N"),
        bar.mark_rule(opacity=0.5).encode(x=x),
    ]


def _drawn(field: str, up: Quantity, colour: alt.Color) -> alt.Chart:
    """What stands at a field of ``placed``, of the rows that have it."""
    scale = alt.Scale(zero=False, padding=12)
    chart = alt.Chart().transform_filter(f"isValid(datum.{field})")
    return chart.encode(y=alt.Y(f"{field}:Q", title=up.title, scale=scale), color=colour)


def _told_apart(rows: pd.DataFrame) -> tuple[alt.Shape, dict[str, alt.StrokeDash]]:
    """Marks, and dashes if any: of methods, or of results where there are several."""
    results = sorted(rows["results"].unique(), key=int)
    if len(results) == 1:
        return theme.mark(rows["method"]).legend(orient="bottom", symbolOpacity=1), {}
    looks = [(MARKS[n % len(MARKS)], DASHES[n % len(DASHES)]) for n in range(len(results))]
    marks, dashes = (alt.Scale(domain=results, range=list(several)) for several in zip(*looks, strict=True))
    below = alt.Legend(orient="bottom", symbolFillColor=theme.LINE, symbolStrokeColor=theme.LINE)
    return (
        alt.Shape("results:N", title="results", scale=marks, legend=below),
        {"strokeDash": alt.StrokeDash("results:N", title="results", scale=dashes, legend=below)},
    )


def _x(rows: pd.DataFrame, across: Quantity) -> alt.X:
    """A logarithmic axis with a tick at each value that is there."""
    values = sorted(float(value) for value in positive(rows, across, True)[across.name].unique())
    ticks: dict[str, Any] = {"values": values} if len(values) <= MOST_TICKS else {"tickCount": MOST_TICKS}
    scale = alt.Scale(type="log", base=2, nice=False, padding=16, domain=[values[0], values[-1]])
    axis = alt.Axis(format=f",.{across.decimals}f", grid=False, **ticks)
    return alt.X(f"{across.name}:Q", title=across.title, scale=scale, axis=axis)
