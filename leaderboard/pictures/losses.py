"""How the loss fell in training: every arm's on one axis."""

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart


def losses(rows: pd.DataFrame) -> AnyChart | None:
    """A line an arm (``row``) by tokens seen, in its method's colour: of one base, or of several that are drawn alike
    (``panels.Panel``). ``rows`` as of ``rows.losses_of``. None where there is none."""
    if rows.empty:
        return None
    told = [
        alt.Tooltip("name:N", title="arm"),
        alt.Tooltip("tokens_seen:Q", title="real tokens seen", format=",.0f"),
        alt.Tooltip("loss:Q", title="training loss", format=".3f"),
    ]
    chart = alt.Chart(rows).encode(
        x=alt.X("tokens_seen:Q", title="real tokens seen", axis=alt.Axis(format="~s")),
        y=alt.Y("loss:Q", title="training loss", scale=alt.Scale(zero=False)),
        color=theme.colour(rows["method"]),
        detail="row:N",
        tooltip=told,
    )
    line, dots = chart.mark_line(strokeWidth=1.5, opacity=0.85), chart.mark_point(size=12, opacity=0.6, filled=True)
    return alt.layer(line, dots, data=rows).properties(height=theme.HEIGHT)
