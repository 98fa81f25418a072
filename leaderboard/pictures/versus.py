"""Two sides against each other: their differences with intervals about a line of none, and their losses on one axis."""

import altair as alt
import pandas as pd

from harness.analysis.verdicts import A_BETTER, ALIKE, B_BETTER, NOT_ENOUGH, SAME
from leaderboard import theme
from leaderboard.pictures.lineup import LONGEST_LABEL, ROW_HEIGHT

NOT_JUDGED = "not judged"
VERDICTS = {
    A_BETTER: (theme.BETTER, "triangle-up", True),
    B_BETTER: (theme.WORSE, "triangle-down", True),
    ALIKE: (theme.LINE, "circle", False),
    SAME: (theme.LINE, "circle", False),
    NOT_ENOUGH: (theme.LINE, "circle", False),
    NOT_JUDGED: (theme.LINE, "stroke", False),
}
LINES = {"points": (0.0, "A minus B (points)"), "ratio": (1.0, "A over B (ratio)")}
TOLD = (
    ("row", "compared"),
    ("shown_a", "A"),
    ("shown_b", "B"),
    ("shown_difference", "A to B"),
    ("p", "p"),
    ("said", "verdict"),
)


def forest(rows: pd.DataFrame, unit: str) -> alt.TopLevelMixin | None:
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
    axis = alt.Axis(labelLimit=LONGEST_LABEL, ticks=False, domain=False)
    y = alt.Y("row:N", sort=order, title=None, axis=axis, scale=alt.Scale(domain=order))
    colour, shape = _looks(rows)
    told = [alt.Tooltip(f"{field}:N", title=name) for field, name in TOLD]
    line = alt.Chart(pd.DataFrame({"none": [none]})).mark_rule(strokeDash=[4, 3], color=theme.LINE).encode(x="none:Q")
    known = alt.Chart(rows.dropna(subset=["low", "high"]))
    interval = known.mark_rule(opacity=0.7, strokeWidth=2).encode(y=y, x="low:Q", x2="high:Q", color=colour)
    marks = [
        alt.Chart(own)
        .mark_point(filled=filled, size=110, opacity=1, strokeWidth=1.5)
        .encode(y=y, x=alt.X("estimate:Q", title=title, scale=scale), color=colour, shape=shape, tooltip=told)
        for filled, own in rows.groupby(rows["stands"].map(lambda verdict: VERDICTS[verdict][2]))
    ]
    return alt.layer(line, interval, *marks).properties(height=ROW_HEIGHT * len(order))


def losses(curves: pd.DataFrame) -> alt.TopLevelMixin | None:
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
    return alt.layer(*layers).properties(height=theme.HEIGHT)


def _looks(rows: pd.DataFrame) -> tuple[alt.Color, alt.Shape]:
    there = {verdict: look for verdict, look in VERDICTS.items() if verdict in set(rows["stands"])}
    colours = alt.Scale(domain=list(there), range=[colour for colour, _, _ in there.values()])
    shapes = alt.Scale(domain=list(there), range=[shape for _, shape, _ in there.values()])
    return alt.Color("stands:N", title="verdict", scale=colours), alt.Shape("stands:N", title="verdict", scale=shapes)
