"""What became of the items that the base had right, and of those that it had not: a bar an arm."""

import altair as alt
import pandas as pd

from leaderboard import theme

KINDS = {  # words, colour, and a colour to write on it with
    "kept": ("kept: right before and after", theme.BETTER, "white"),
    "lost": ("lost: right before, wrong after", theme.WORSE, "black"),
    "won": ("won: wrong before, right after", "#56B4E9", "black"),
    "never": ("never right", "#A6A6A6", "black"),
}
ROW_HEIGHT, LONGEST_LABEL = 26, 170
LEAST_LABELLED = 6.0  # % of the bar


def kept(rows: pd.DataFrame) -> alt.TopLevelMixin | None:
    """A bar a row (``row``) in the frame's order, of ``kept, lost, won, never`` in %; its parts always in that order,
    with their share written in. None where there is none."""
    if rows.empty:
        return None
    order = list(dict.fromkeys(rows["row"]))
    parts = _parts(rows)
    y = alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=LONGEST_LABEL, ticks=False, domain=False))
    scale = alt.Scale(domain=[words for words, *_ in KINDS.values()], range=[colour for _, colour, _ in KINDS.values()])
    told = [
        alt.Tooltip("name:N", title="arm"),
        alt.Tooltip("base:N", title="base"),
        alt.Tooltip("kind:N", title="items"),
        alt.Tooltip("share:Q", title="share (%)", format=".1f"),
    ]
    x = alt.X("start:Q", title="items (%)", scale=alt.Scale(domain=[0, 100]))
    bars = alt.Chart(parts).mark_bar(height=16, stroke="white", strokeWidth=1)
    bars = bars.encode(y=y, x=x, x2="end:Q", tooltip=told,
                       color=alt.Color("kind:N", title=None, scale=scale, legend=_legend()))  # fmt: skip
    labels = alt.Chart(parts[parts["share"] >= LEAST_LABELLED]).mark_text(fontSize=11)
    labels = labels.encode(y=y, x=alt.X("middle:Q", title="items (%)"), text=alt.Text("share:Q", format=".0f"),
                           color=alt.Color("ink:N", scale=None))  # fmt: skip
    return alt.layer(bars, labels).properties(height=ROW_HEIGHT * len(order) + theme.AXIS_HEIGHT)


def _legend() -> alt.Legend:
    return alt.Legend(orient="bottom", columns=2, labelLimit=260)


def _parts(rows: pd.DataFrame) -> pd.DataFrame:
    """A row an arm and kind, with where its part of the bar begins and ends."""
    ends = rows[list(KINDS)].cumsum(axis=1)
    about = rows[["row", "name", "base"]]
    parts = [
        about.assign(kind=words, ink=ink, share=rows[kind], start=ends[kind] - rows[kind], end=ends[kind])
        for kind, (words, _, ink) in KINDS.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    return found[found["share"] > 0].assign(middle=lambda part: (part["start"] + part["end"]) / 2)
