"""Which arms are within someone's limits: gain against a limited cost, with the limits as lines."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import known, positive, tooltips, x, y
from leaderboard.quantities import Quantity, names_of

WORDS = (("name", "arm"), ("base", "base"), ("outcome", "outcome"))
LOG_FROM = 8  # times the largest value: a limit further off than that would press all arms into a corner


def within_limits(
    arms: pd.DataFrame, across: Quantity, up: Quantity, limits: Mapping[str, float], said: Mapping[str, str]
) -> AnyChart | None:
    """A dot an arm with the interval of ``up``: filled within the limits, hollow outside; the one to take ringed.

    ``arms`` and ``limits`` (by the quantities' names) in units, ``said`` these in words; arms with ``within``, ``pick``
    and ``outcome``, in words. Across is logarithmic where its limit is far off. None where no arm has both quantities.
    """
    largest, limit = arms[across.name].max(), limits.get(across.name)
    log = limit is not None and largest > 0 and limit > LOG_FROM * largest
    rows = positive(positive(arms, across, log), up, False)
    if rows.empty:
        return None
    methods = rows["method"]
    place: dict[str, Any] = {"x": x(across, log).axis(grid=False), "y": y(up)}
    told = tooltips(WORDS, [up, across], rows)
    layers: list[Any] = [_interval(rows, up, place["x"])] if up.interval and known(rows, *names_of(up)[1:]) else []
    for axis, name in (("x", across.name), ("y", up.name)):
        if name in limits:
            layers.append(_line(name, limits[name], said[name], axis, place))
    for within in (False, True):
        own = rows[rows["within"] == within]
        if len(own):
            dots = alt.Chart(own).mark_point(size=120, opacity=1, filled=within)
            layers.append(dots.encode(**place, color=theme.colour(methods), shape=theme.mark(methods), tooltip=told))
    if not rows["pick"].any():
        return alt.layer(*layers).properties(height=theme.HEIGHT)
    picked = alt.Chart(rows[rows["pick"]])
    layers.append(picked.mark_point(shape="circle", size=420, strokeWidth=2, color=theme.LINE).encode(**place))
    layers.append(picked.mark_text(dy=-20, fontWeight="bold", color=theme.LINE).encode(**place, text="name:N"))
    return alt.layer(*layers).properties(height=theme.HEIGHT)


def _interval(rows: pd.DataFrame, up: Quantity, across: Any) -> alt.Chart:
    low, high = names_of(up)[1:]
    chart = alt.Chart(rows.dropna(subset=[low])).mark_rule(opacity=0.35)
    return chart.encode(x=across, y=alt.Y(f"{low}:Q", title=up.title), y2=high, color=theme.colour(rows["method"]))


def _line(name: str, limit: float, said: str, axis: str, place: Mapping[str, Any]) -> AnyChart:
    """A limit on an axis, x or y, across the whole picture, with what it is at its end."""
    chart = alt.Chart(pd.DataFrame({name: [limit], "limit": [said]})).encode(**{axis: place[axis]})
    rule = chart.mark_rule(strokeDash=[6, 4], strokeWidth=1.5, color=theme.LINE)
    if axis == "x":
        words = chart.mark_text(color=theme.LINE, align="right", dx=-6).encode(y=alt.value(10))
    else:
        words = chart.mark_text(color=theme.LINE, align="left", dy=-7).encode(x=alt.value(4))
    return alt.layer(rule, words.encode(text="limit:N"))
