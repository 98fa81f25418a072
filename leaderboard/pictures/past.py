"""A figure over stacks and results, in order of time, with the steps that the data support."""

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.quantities import Quantity
from leaderboard.texts import short

LONGEST_CHANGE = 60


def past(points: pd.DataFrame, quantity: Quantity) -> AnyChart | None:
    """A point each with its interval, joined arm by arm; levels between steps; a dashed line, named, at each step.

    ``points`` as of ``past.table``. Several steps at one place are one line.
    """
    points = points[points["value"].notna()]
    if points.empty:
        return None
    order = list(points.drop_duplicates("slot").sort_values("place")["slot"])
    axis = alt.Axis(labelLimit=160, labelAngle=-40, labelOverlap=True)
    title = "stack and results, in order of time"
    x = alt.X("slot:O", sort=order, title=title, axis=axis, scale=alt.Scale(domain=order))
    y = alt.Y("value:Q", title=quantity.title, scale=alt.Scale(zero=False, padding=16))
    colour, mark = theme.colour(points["method"]), theme.mark(points["method"])
    chart = alt.Chart(points)
    layers: list[alt.Chart] = [
        chart.mark_line(opacity=0.4, strokeWidth=1.5).encode(x=x, y=y, color=colour, detail="arm:N"),
    ]
    if points["low"].notna().any():
        layers.append(chart.mark_rule(opacity=0.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour))
    if points["level"].notna().any():
        levels = alt.Chart(points[points["level"].notna()]).mark_line(
            interpolate="step-after", strokeWidth=3, opacity=0.5
        )
        layers.append(levels.encode(x=x, y=alt.Y("level:Q"), color=colour, detail="arm:N"))
    layers += _steps(points, x)
    dots = chart.mark_point(filled=True, size=90, opacity=1)
    layers.append(dots.encode(x=x, y=y, color=colour, shape=mark, tooltip=_told(quantity)))
    return alt.layer(*layers).properties(height=theme.HEIGHT + 60).configure_legend(orient="top")


def _steps(points: pd.DataFrame, x: alt.X) -> list[alt.Chart]:
    steps = points[points["step"] != ""].drop_duplicates("slot")
    if steps.empty:
        return []
    arm = steps["arm"] + ": " if points["arm"].nunique() > 1 else ""
    steps = steps.assign(named=(arm + steps["changes"]).map(lambda text: short(text, LONGEST_CHANGE)))
    late = steps["place"] > points["place"].max() / 2
    names = [
        alt.Chart(steps[~late]).mark_text(align="left", dx=4, baseline="top", color=theme.LINE),
        alt.Chart(steps[late]).mark_text(align="right", dx=-4, baseline="top", color=theme.LINE),
    ]
    lines = alt.Chart(steps).mark_rule(strokeDash=[5, 4], color=theme.LINE).encode(x=x)
    return [lines, *(name.encode(x=x, y=alt.value(2), text="named:N") for name in names if len(name.data))]


def _told(quantity: Quantity) -> list[alt.Tooltip]:
    figures = [("value", quantity.title), ("low", "lower end of 95 %"), ("high", "upper end of 95 %")]
    words = [("arm", "arm"), ("when", "last run"), ("source", "results"), ("stack", "stack")]
    return [
        *(alt.Tooltip(f"{field}:N", title=title) for field, title in words),
        *(alt.Tooltip(f"{field}:Q", title=title, format=quantity.d3) for field, title in figures),
        alt.Tooltip("changes:N", title="changed since the point before"),
    ]
