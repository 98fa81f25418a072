"""One task before and after tuning, an arm on a line of its own: the base's score and the tuned one."""

import altair as alt
import pandas as pd

from leaderboard import theme

ROW_HEIGHT, LONGEST_LABEL = 24, 170


def before_after(tasks: pd.DataFrame, unit: str) -> alt.TopLevelMixin | None:
    """A row an arm (``row``) in the frame's order, of one task, in ``unit``: a grey bar for ``base``, the method's mark
    for ``score`` with its interval, and a line between. None where no arm was scored."""
    rows = tasks.dropna(subset=["score"])
    if rows.empty:
        return None
    order = list(dict.fromkeys(rows["row"]))
    y = alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=LONGEST_LABEL, ticks=False, domain=False))
    x = alt.X("score:Q", title=unit, scale=alt.Scale(zero=False, padding=12))
    methods = rows["method"]
    colour, mark = theme.colour(methods), theme.mark(methods)
    if methods.nunique() == 1:
        colour, mark = colour.legend(None), mark.legend(None)
    told = [
        alt.Tooltip("name:N", title="arm"),
        alt.Tooltip("base_model:N", title="base"),
        *(alt.Tooltip(f"{name}:Q", title=title, format=".2f") for name, title in _FIGURES if rows[name].notna().any()),
    ]
    chart, both = alt.Chart(rows), alt.Chart(rows.dropna(subset=["base"]))
    layers = [
        alt.Chart(rows.dropna(subset=["score_low"]))
        .mark_rule(strokeWidth=5, opacity=0.2)
        .encode(y=y, x=alt.X("score_low:Q", title=unit), x2="score_high:Q", color=colour),
        both.mark_rule(strokeWidth=2, color=theme.LINE).encode(y=y, x=x, x2="base:Q"),
        both.mark_tick(thickness=3, size=16, color=theme.LINE, opacity=1).encode(
            y=y, x=alt.X("base:Q", title=unit), tooltip=told
        ),
        chart.mark_point(filled=True, size=90, opacity=1).encode(y=y, x=x, color=colour, shape=mark, tooltip=told),
    ]
    return alt.layer(*(layer for layer in layers if len(layer.data))).properties(
        height=ROW_HEIGHT * len(order) + theme.AXIS_HEIGHT
    )


_FIGURES = (("base", "before"), ("score", "after"), ("score_low", "from"), ("score_high", "to"))
