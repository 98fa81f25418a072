"""What did not run, and where: entries against base sizes, rates or ways of failing."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart

ROW_HEIGHT, LONGEST_LABEL, SLANT = 34, 190, 30  # pixels; slanted names take more of the height
# Light enough, both, for the dark figures that stand on them; a background of their own in either theme.
NONE, ALL, FIGURES = "#F3EEE8", "#E8743B", "#222222"


def heatmap(tried: pd.DataFrame, across: str, order: Sequence[str]) -> AnyChart | None:
    """A square an entry (``label``) and ``place``, coloured by the share of its runs that failed, with the counts.

    ``tried`` as of ``failures.tried``, with ``place``, a text; ``order`` is the places' from left to right. None where
    nothing was tried.
    """
    if tried.empty:
        return None
    rows = tried.assign(said=tried["failed"].astype(str) + " of " + tried["runs"].astype(str))
    axis = alt.Axis(labelLimit=LONGEST_LABEL, labelAngle=-30, orient="top")
    chart = alt.Chart(rows).encode(
        x=alt.X("place:N", title=across, sort=list(order), axis=axis),
        y=alt.Y("label:N", title=None, axis=alt.Axis(labelLimit=LONGEST_LABEL)),
        tooltip=[
            alt.Tooltip("label:N", title="entry"),
            alt.Tooltip("place:N", title=across),
            alt.Tooltip("failed:Q", title="failed runs"),
            alt.Tooltip("runs:Q", title="runs that ended"),
            alt.Tooltip("how:N", title="ended as"),
        ],
    )
    colour = alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=[NONE, ALL]), legend=None)
    squares = chart.mark_rect(stroke=theme.LINE, strokeWidth=0.5).encode(color=colour)
    figures = chart.mark_text(color=FIGURES).encode(text="said:N")
    return alt.layer(squares, figures).properties(
        height=ROW_HEIGHT * rows["label"].nunique() + theme.AXIS_HEIGHT + SLANT
    )
