"""Two sides against each other: their differences with intervals about a line of none, and their losses on one axis."""

import altair as alt
import pandas as pd

from harness.analysis.verdicts import A_BETTER, ALIKE, B_BETTER, NOT_ENOUGH, SAME
from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import names
from leaderboard.pictures.lineup import ROW_HEIGHT

NOT_JUDGED = "not judged"
HOLLOW = "transparent"
VERDICTS = {  # line, mark, filling
    A_BETTER: (theme.BETTER, "triangle-up", theme.BETTER),
    B_BETTER: (theme.WORSE, "triangle-down", theme.WORSE),
    ALIKE: (theme.LINE, "circle", HOLLOW),
    SAME: (theme.LINE, "circle", HOLLOW),
    NOT_ENOUGH: (theme.LINE, "circle", HOLLOW),
    NOT_JUDGED: (theme.LINE, "stroke", HOLLOW),
}
AXES_HEIGHT = 90  # and the legend's
LINES = {"points": (0.0, "A minus B (points)"), "ratio": (1.0, "A over B (ratio)")}
TOLD = (
    ("row", "compared"),
    ("shown_a", "A"),
    ("shown_b", "B"),
    ("shown_difference", "A to B"),
    ("p", "p"),
    ("said", "verdict"),
)


def forest(rows: pd.DataFrame, unit: str) -> AnyChart | None:
    """A row a difference of one ``unit`` (points or ratio), in the frame's order: a mark with its 95 % interval.

    ``rows`` as of ``versus.for_people``, with ``row``, a name that no other has. A supported difference is a filled
    triangle that points up where A is better, down where B is; any other mark is hollow.
    """
    rows = rows[(rows["unit"] == unit) & rows["estimate"].notna()]
    if rows.empty:
        return None
    rows = rows.assign(stands=rows["verdict"].fillna(NOT_JUDGED))
    none, title = LINES[unit]
    order = list(rows["row"])
    scale = alt.Scale(type="log", nice=False, padding=14) if unit == "ratio" else alt.Scale(zero=True, padding=14)
    y = names("row", order)
    x = alt.X("estimate:Q", title=title, scale=scale)
    line, mark, filling = (_look(rows, n) for n in range(3))
    told = [alt.Tooltip(f"{field}:N", title=name) for field, name in TOLD]
    zero = alt.Chart(pd.DataFrame({"none": [none]})).mark_rule(strokeDash=[4, 3], color=theme.LINE).encode(x="none:Q")
    stroke = alt.Stroke("stands:N", scale=line, title="verdict")
    within = rows.dropna(subset=["low", "high"])
    rules = [alt.Chart(within).mark_rule(opacity=0.7, strokeWidth=2).encode(y=y, x="low:Q", x2="high:Q", stroke=stroke)]
    marks = alt.Chart(rows).mark_point(size=110, opacity=1, strokeWidth=1.5)
    return alt.layer(
        zero,
        *(rules if len(within) else []),
        marks.encode(
            y=y, x=x, tooltip=told,
            stroke=stroke,
            shape=alt.Shape("stands:N", scale=mark, title="verdict"),
            fill=alt.Fill("stands:N", scale=filling, title="verdict"),
        ),
    ).properties(height=ROW_HEIGHT * len(order) + AXES_HEIGHT).configure_legend(orient="top")  # fmt: skip


def losses(curves: pd.DataFrame) -> AnyChart | None:
    """Both sides' losses by tokens seen: thin lines a run, a thick one their mean; A solid, B dashed.

    ``curves`` as of ``versus.curves``. The colour is the method's.
    """
    if curves.empty:
        return None
    x = alt.X("tokens_seen:Q", title="real tokens seen", axis=alt.Axis(format="~s"))
    y = alt.Y("loss:Q", title="training loss (nats a token)", scale=alt.Scale(zero=False))
    colour = theme.colour(curves["method"])
    side = alt.StrokeDash("side:N", title="side", scale=alt.Scale(domain=["A", "B"], range=[[1, 0], [6, 4]]))
    told = [alt.Tooltip("side:N"), alt.Tooltip("method:N"), alt.Tooltip("tokens_seen:Q", format=",.0f"),
            alt.Tooltip("loss:Q", format=".3f")]  # fmt: skip
    means = curves.groupby(["side", "method", "step"], as_index=False)[["tokens_seen", "loss"]].mean()
    layers = [alt.Chart(means).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, strokeDash=side, tooltip=told)]
    if curves.groupby("side")["run_id"].nunique().max() > 1:
        thin = alt.Chart(curves).mark_line(opacity=0.3, strokeWidth=1)
        layers.insert(0, thin.encode(x=x, y=y, color=colour, strokeDash=side, detail="run_id:N"))
    return alt.layer(*layers).properties(height=theme.HEIGHT).configure_legend(orient="top")


def _look(rows: pd.DataFrame, which: int) -> alt.Scale:
    there = {verdict: look for verdict, look in VERDICTS.items() if verdict in set(rows["stands"])}
    return alt.Scale(domain=list(there), range=[look[which] for look in there.values()])
