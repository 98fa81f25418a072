"""One task before and after tuning, an arm on a line of its own: the base's score and the tuned one."""

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import known, names

ROW_HEIGHT = 24


def before_after(tasks: pd.DataFrame, unit: str) -> AnyChart | None:
    """A row an arm (``row``) in the frame's order: a grey bar for ``base``, the method's mark for ``score`` with its
    interval, and a line between, in ``unit``. Of one task, or of several that are drawn alike (``panels.Panel``).

    None where no arm was scored.
    """
    rows = tasks.dropna(subset=["score"])
    if rows.empty:
        return None
    order = list(dict.fromkeys(rows["row"]))
    y = names("row", order)
    x = alt.X("score:Q", title=unit, scale=alt.Scale(zero=False, padding=12))
    colour, mark = (of(rows["method"]).legend(None) for of in (theme.colour, theme.mark))
    told = [
        alt.Tooltip("name:N", title="arm"),
        alt.Tooltip("base_model:N", title="base"),
        *(alt.Tooltip(f"{name}:Q", title=title, format=".2f") for name, title in _FIGURES if rows[name].notna().any()),
    ]
    scored = alt.Chart().transform_filter("isValid(datum.score)").encode(y=y)
    within, both = (scored.transform_filter(f"isValid(datum.{name})") for name in ("score_low", "base"))
    low, before = (alt.X(f"{name}:Q", title=unit) for name in ("score_low", "base"))
    layers: list[alt.Chart] = []
    if known(rows, "score_low"):
        layers += [within.mark_rule(strokeWidth=5, opacity=0.2).encode(x=low, x2="score_high", color=colour)]
    if known(rows, "base"):
        layers += [
            both.mark_rule(strokeWidth=2, color=theme.LINE).encode(x=x, x2="base"),
            both.mark_tick(thickness=3, size=16, color=theme.LINE, opacity=1).encode(x=before, tooltip=told),
        ]
    layers += [scored.mark_point(filled=True, size=90, opacity=1).encode(x=x, color=colour, shape=mark, tooltip=told)]
    return alt.layer(*layers, data=rows, height=ROW_HEIGHT * len(order) + theme.AXIS_HEIGHT)


_FIGURES = (("base", "before"), ("score", "after"), ("score_low", "from"), ("score_high", "to"))
