"""What stands in memory from moment to moment of one training step."""

import altair as alt
import pandas as pd

from harness.analysis.memory import COMPONENTS
from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.memory import COLOURS
from leaderboard.quantities import Quantity

HEIGHT = 300
ALLOCATED = "allocated"


def timeline(moments: pd.DataFrame, memory: Quantity) -> AnyChart | None:
    """Areas of components, one on the other, with a line where a part of the step begins; on a GPU what the allocator
    had handed out as a line above them.

    ``moments`` is as of ``one_run.timeline``, in ``memory``'s unit. None where no step was watched.
    """
    if moments.empty:
        return None
    there = [name for name in COMPONENTS if moments[name].max() > 0]
    long = moments.melt(["seconds", "part"], there, var_name="component", value_name="held")
    x = alt.X("seconds:Q", title="seconds since the step began", axis=alt.Axis(tickCount=6, grid=False))
    areas = alt.Chart(long.assign(place=long["component"].map(there.index))).mark_area(interpolate="step-after").encode(
        x=x,
        y=alt.Y("held:Q", title=memory.title, stack="zero"),
        color=alt.Color(
            "component:N",
            title=None,
            scale=alt.Scale(domain=there, range=[COLOURS[name] for name in there]),
            legend=alt.Legend(orient="bottom", columns=2),
        ),
        order=alt.Order("place:Q"),
        tooltip=[
            alt.Tooltip("part:N"),
            alt.Tooltip("component:N", title="bytes of"),
            alt.Tooltip("held:Q", title=memory.title, format=memory.d3),
            alt.Tooltip("seconds:Q", format=".4f"),
        ],
    )  # fmt: skip
    layers: list[AnyChart] = [areas, *_parts(moments, x)]
    if ALLOCATED in moments:
        line = alt.Chart(moments).mark_line(color=theme.LINE, interpolate="step-after", strokeDash=[4, 3])
        layers.append(line.encode(x=x, y=alt.Y(f"{ALLOCATED}:Q"), tooltip=[alt.Tooltip(f"{ALLOCATED}:Q")]))
    return alt.layer(*layers).properties(height=HEIGHT)


def _parts(moments: pd.DataFrame, x: alt.X) -> list[AnyChart]:
    """Where each part begins, named at the top. One that is over in no time has no room for its name."""
    begins = moments[moments["part"] != moments["part"].shift()]
    ends = begins["seconds"].shift(-1).fillna(moments["seconds"].max())
    wide = begins[ends - begins["seconds"] > 0.04 * moments["seconds"].max()]
    rules = alt.Chart(begins).mark_rule(color=theme.LINE, opacity=0.6).encode(x=x)
    words = alt.Chart(wide).mark_text(align="left", dx=4, dy=8, color=theme.LINE, fontSize=11)
    return [rules, words.encode(x=x, y=alt.value(0), text="part:N")]
