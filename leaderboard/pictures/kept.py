"""What became of the items that the base had right, and of those that it had not: a bar an arm."""

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import names

KINDS = {  # what it means, its colour, and a colour to write on it with
    "kept": ("right before and after", theme.BETTER, "white"),
    "lost": ("right before, wrong after", theme.WORSE, "black"),
    "won": ("wrong before, right after", "#56B4E9", "black"),
    "never": ("right neither before nor after", "#A6A6A6", "black"),
}
ROW_HEIGHT = 26
LEGEND_HEIGHT = 45
LEAST_LABELLED = 6.0  # % of the bar


def parts_of(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a part of a bar, with where it begins, ends and has its middle, of rows with ``kept, lost, won, never`` in
    % and ``row, name, base, title``."""
    ends = rows[list(KINDS)].cumsum(axis=1)
    about = rows[["row", "name", "base", "title"]]
    parts = [
        about.assign(kind=kind, ink=ink, share=rows[kind], start=ends[kind] - rows[kind], end=ends[kind])
        for kind, (_, _, ink) in KINDS.items()
    ]
    found = pd.concat(parts, ignore_index=True)
    return found[found["share"] > 0].assign(middle=lambda part: (part["start"] + part["end"]) / 2)


def kept(parts: pd.DataFrame) -> AnyChart | None:
    """A bar a row (``row``) in the frame's order, its parts (``parts_of``) in one order always, with their shares
    written in. Of one task, or of several that are drawn alike (``panels.Panel``). None where there is none."""
    if parts.empty:
        return None
    order = list(dict.fromkeys(parts["row"]))
    y = names("row", order)
    scale = alt.Scale(domain=list(KINDS), range=[colour for _, colour, _ in KINDS.values()])
    colour = alt.Color("kind:N", title=None, scale=scale, legend=alt.Legend(orient="bottom", columns=2))
    told = [
        alt.Tooltip("name:N", title="arm"),
        alt.Tooltip("base:N", title="base"),
        alt.Tooltip("kind:N", title="items"),
        alt.Tooltip("share:Q", title="share (%)", format=".1f"),
    ]
    begin, middle = (alt.X(f"{name}:Q", title="items (%)", scale=alt.Scale(domain=[0, 100]))
                     for name in ("start", "middle"))  # fmt: skip
    bars = alt.Chart().mark_bar(height=16, stroke="white", strokeWidth=1)
    labels = alt.Chart().transform_filter(f"datum.share >= {LEAST_LABELLED}").mark_text(fontSize=11)
    share, ink = alt.Text("share:Q", format=".0f"), alt.Color("ink:N", scale=None)
    return alt.layer(
        bars.encode(y=y, x=begin, x2="end", color=colour, tooltip=told),
        labels.encode(y=y, x=middle, text=share, color=ink),
        data=parts,
        height=ROW_HEIGHT * len(order) + theme.AXIS_HEIGHT + LEGEND_HEIGHT,
    )
