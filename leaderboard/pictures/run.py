"""One run in pictures: how it learned, what its phases took, how it scored at every moment."""

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import names

CURVE_HEIGHT, ROW_HEIGHT = 240, 26
LEGEND, LEGEND_ROW = 50, 16  # what it takes of a picture's height, in all or a row
FIGURES = {"loss": "training loss", "gradient_norm": "gradient norm"}
MOMENTS = {"base": "circle", "prompted": "cross", "tuned": "square", "merged": "diamond",
           "merged_requantised": "triangle-up"}  # fmt: skip
_BELOW = alt.Legend(orient="bottom", columns=2)  # a narrow screen has no room beside a picture
_IN_A_COLUMN = alt.Legend(orient="bottom", columns=1)


def curve(steps: pd.DataFrame, figure: str, method: str) -> AnyChart | None:
    """One of ``FIGURES`` over the steps of one stage; ``steps`` as of ``one_run.steps``. None where none was logged."""
    rows = steps.dropna(subset=[figure])
    if rows.empty:
        return None
    colour = theme.looks([method])[method][0]
    chart = alt.Chart(rows).encode(
        x=alt.X("step:Q", title="step"),
        y=alt.Y(f"{figure}:Q", title=FIGURES[figure], scale=alt.Scale(zero=False)),
        tooltip=[
            alt.Tooltip("step:Q"),
            alt.Tooltip("loss:Q", title=FIGURES["loss"], format=".4~g"),
            alt.Tooltip("gradient_norm:Q", title=FIGURES["gradient_norm"], format=".4~g"),
            alt.Tooltip("tokens_seen:Q", title="tokens seen", format=","),
            alt.Tooltip("seconds:Q", title="seconds since the stage began", format=".1f"),
        ],
    )
    line, dots = chart.mark_line(color=colour, strokeWidth=1.5), chart.mark_point(color=colour, filled=True, size=18)
    return alt.layer(line, dots).properties(height=CURVE_HEIGHT)


def phases(rows: pd.DataFrame) -> AnyChart | None:
    """Seconds by phase, in the order in which they ran: ``place`` (a text) and ``wall_seconds``."""
    rows = rows.dropna(subset=["wall_seconds"])
    if rows.empty:
        return None
    order = list(rows["place"])
    chart = alt.Chart(rows).mark_bar(color=theme.BETTER, opacity=0.85).encode(
        x=alt.X("wall_seconds:Q", title="seconds"),
        y=names("place", order),
        tooltip=[alt.Tooltip("place:N", title="phase"), alt.Tooltip("wall_seconds:Q", title="seconds", format=".2f")],
    )  # fmt: skip
    return chart.properties(height=ROW_HEIGHT * len(order) + theme.AXIS_HEIGHT)


def moments(scores: pd.DataFrame, method: str) -> AnyChart | None:
    """A row a task, a mark a moment: scores between 0 and 1 as points, 100 is all. None where there is no such score.

    ``scores`` has ``task, metric, moment, value``; ``base`` among the moments is what the others are read against.
    """
    rows = scores[scores["higher_is_better"] & scores["value"].between(0, 1)]
    if rows.empty:
        return None
    rows = rows.assign(points=100 * rows["value"])
    there = [moment for moment in MOMENTS if moment in set(rows["moment"])]
    colour = theme.looks([method])[method][0]
    colours = [theme.LINE if moment in ("base", "prompted") else colour for moment in there]
    y = names("task", list(dict.fromkeys(rows["task"])))
    x = alt.X("points:Q", title="score (points)", scale=alt.Scale(domain=[0, 100]))
    ends = rows[rows["moment"].isin(["base", "tuned"])].pivot_table(index="task", columns="moment", values="points")
    layers: list[alt.Chart] = []
    if {"base", "tuned"} <= set(ends.columns):
        way = alt.Chart(ends.dropna().reset_index())
        layers.append(way.mark_rule(color=theme.LINE, opacity=0.5).encode(y=y, x=alt.X("base:Q"), x2="tuned:Q"))
    layers.append(
        alt.Chart(rows).mark_point(filled=True, size=90, opacity=0.9).encode(
            y=y,
            x=x,
            color=alt.Color("moment:N", title=None, scale=alt.Scale(domain=there, range=colours), legend=_BELOW),
            shape=alt.Shape("moment:N", title=None, legend=_BELOW,
                            scale=alt.Scale(domain=there, range=[MOMENTS[moment] for moment in there])),
            tooltip=[
                alt.Tooltip("task:N"),
                alt.Tooltip("role:N"),
                alt.Tooltip("moment:N"),
                alt.Tooltip("metric:N"),
                alt.Tooltip("points:Q", title="score (points)", format=".1f"),
                alt.Tooltip("n_items:Q", title="items"),
            ],
        )
    )  # fmt: skip
    return alt.layer(*layers).properties(height=ROW_HEIGHT * rows["task"].nunique() + theme.AXIS_HEIGHT + LEGEND)


def outcomes(counts: pd.DataFrame, order: list[str]) -> AnyChart | None:
    """A bar a task: how many of its items were won, lost, and stayed. ``task, outcome, items``; ``order`` of the
    outcomes from the left."""
    if counts.empty:
        return None
    there = [one for one in order if one in set(counts["outcome"])]
    rows = counts.assign(place=counts["outcome"].map(there.index))
    chart = alt.Chart(rows).mark_bar().encode(
        y=names("task", list(dict.fromkeys(rows["task"]))),
        x=alt.X("items:Q", title="items", stack="zero"),
        color=alt.Color("outcome:N", title=None, legend=_IN_A_COLUMN,
                        scale=alt.Scale(domain=there, range=[OUTCOME_COLOURS.get(one, theme.LINE) for one in there])),
        order=alt.Order("place:Q"),
        tooltip=[alt.Tooltip("task:N"), alt.Tooltip("outcome:N"), alt.Tooltip("items:Q")],
    )  # fmt: skip
    return chart.properties(
        height=ROW_HEIGHT * rows["task"].nunique() + theme.AXIS_HEIGHT + LEGEND_ROW * (1 + len(there))
    )


OUTCOME_COLOURS = {
    "was right, now wrong": theme.WORSE,
    "was wrong, now right": theme.BETTER,
    "both right": "#9DB9CE",
    "both wrong": "#D9B8A3",
    "right": "#9DB9CE",
    "wrong": "#D9B8A3",
    "neither right nor wrong": theme.LINE,
}
