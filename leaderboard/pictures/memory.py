"""What the bytes of each arm are: stacked bars by phase, and the memory of the cards that people have."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from harness.analysis.memory import REST, WHOLE
from leaderboard import theme
from leaderboard.pictures.axes import x
from leaderboard.quantities import GIB, Quantity

CARDS_GB = (8, 16, 24, 40, 48, 80, 141)
# Paul Tol's muted colours (https://personal.sron.nl/~pault/), the first lightened to be seen on black.
COLOURS = {
    "weights": "#6675C4",
    "quantisation": "#88CCEE",
    "adapter": "#44AA99",
    "gradient": "#DDCC77",
    "optimizer": "#CC6677",
    "activation": "#AA4499",
    REST: "#999999",
    WHOLE: "#BBBBBB",
}
ROW_HEIGHT, LONGEST_LABEL = 26, 190
MEASURED, PREDICTED = "measured", "predicted"


def stacks(parts: pd.DataFrame, order: Sequence[str], memory: Quantity) -> alt.VConcatChart | None:
    """Bars of components, a panel a phase, with the cards whose memory is near the scale of the bars as lines.

    ``parts`` has a row a component: ``row, method, phase, component, told`` (``MEASURED`` or ``PREDICTED``), and
    ``memory``'s column in its unit; ``order`` is the rows' from the top down.
    """
    if parts.empty:
        return None
    totals = _totals(parts, memory)
    cards = near(totals[memory.name].max(), memory)
    panels = [
        _panel(parts[parts["phase"] == phase], totals[totals["phase"] == phase], cards, phase, order, memory)
        for phase in dict.fromkeys(parts["phase"])
    ]
    return alt.vconcat(*panels).resolve_scale(x="shared")


def against_cards(parts: pd.DataFrame, order: Sequence[str], memory: Quantity) -> alt.LayerChart | None:
    """Each arm's highest peak of any phase, as a mark, and every card's memory, on a logarithmic axis.

    Lengths say nothing on such an axis, so nothing is stacked here.
    """
    if parts.empty:
        return None
    totals = _totals(parts[parts["told"] == MEASURED], memory)
    totals = totals.sort_values(memory.name).drop_duplicates("row", keep="last")
    marks = _marks(alt.Chart(totals), totals, _y(list(order)), x(memory, log=True), memory)
    return alt.layer(*_lines(_cards(memory, CARDS_GB), memory, log=True), marks).properties(
        height=ROW_HEIGHT * max(3, totals["row"].nunique())
    )


def near(highest: float, memory: Quantity) -> pd.DataFrame:
    """The cards that a picture up to ``highest`` has room for: none a tenth as large or twice as large."""
    cards = _cards(memory, CARDS_GB)
    return cards[cards[memory.name].between(highest / 10, 2 * highest)]


def _cards(memory: Quantity, sizes: Sequence[int]) -> pd.DataFrame:
    return pd.DataFrame({memory.name: [gb * GIB * memory.scale for gb in sizes], "card": [f"{gb} GB" for gb in sizes]})


def _totals(parts: pd.DataFrame, memory: Quantity) -> pd.DataFrame:
    return parts.groupby(["row", "method", "phase", "told"], as_index=False, sort=False)[memory.name].sum()


def _panel(
    parts: pd.DataFrame, totals: pd.DataFrame, cards: pd.DataFrame, phase: str, order: Sequence[str], memory: Quantity
) -> alt.LayerChart:
    shown = [row for row in order if row in set(parts["row"])]
    y, both = _y(shown), parts["told"].nunique() > 1
    offset = {"yOffset": alt.YOffset("told:N", sort=[MEASURED, PREDICTED])} if both else {}
    there = [name for name in COLOURS if name in set(parts["component"])]
    there += sorted(set(parts["component"]) - set(COLOURS))
    rows = parts.assign(place=parts["component"].map(there.index))
    bars = alt.Chart(rows).mark_bar(height={"band": 0.8}).encode(
        y=y,
        x=alt.X(f"{memory.name}:Q", title=memory.title, stack="zero", axis=alt.Axis(tickCount=6)),
        color=alt.Color("component:N", title="bytes of", scale=_palette(there)),
        order=alt.Order("place:Q"),
        opacity=alt.Opacity("told:N", title=None, legend=alt.Legend() if both else None,
                            scale=alt.Scale(domain=[MEASURED, PREDICTED], range=[1, 0.55])),
        tooltip=[
            alt.Tooltip("row:N", title="arm"),
            alt.Tooltip("component:N", title="bytes of"),
            alt.Tooltip(f"{memory.name}:Q", title=memory.title, format=memory.d3),
            alt.Tooltip("told:N", title="it is"),
        ],
        **offset,
    )  # fmt: skip
    peaks = totals[totals["told"] == MEASURED]
    marks = _marks(alt.Chart(peaks), peaks, y, alt.X(f"{memory.name}:Q"), memory)
    chart = alt.layer(bars, marks, *_lines(cards, memory)).resolve_scale(color="independent", shape="independent")
    return chart.properties(title=phase, height=ROW_HEIGHT * len(shown) * (1.4 if both else 1))


def _palette(there: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(there), range=[COLOURS.get(name, theme.LINE) for name in there])


def _marks(chart: alt.Chart, rows: pd.DataFrame, y: alt.Y, across: alt.X, memory: Quantity) -> alt.Chart:
    return chart.mark_point(filled=True, size=80, opacity=1, stroke=theme.LINE, strokeWidth=0.5).encode(
        y=y,
        x=across,
        color=theme.colour(rows["method"], "peak of"),
        shape=theme.mark(rows["method"], "peak of"),
        tooltip=[
            alt.Tooltip("row:N", title="arm"),
            alt.Tooltip("method:N", title="method"),
            alt.Tooltip("phase:N", title="phase"),
            alt.Tooltip(f"{memory.name}:Q", title=memory.title, format=memory.d3),
        ],
    )


def _lines(cards: pd.DataFrame, memory: Quantity, log: bool = False) -> list[alt.Chart]:
    if cards.empty:
        return []
    chart = alt.Chart(cards)
    across = x(memory, log=True) if log else alt.X(f"{memory.name}:Q")
    rules = chart.mark_rule(strokeDash=[4, 3], color=theme.LINE).encode(x=across, tooltip=alt.Tooltip("card:N"))
    names = chart.mark_text(align="left", baseline="top", dx=3, color=theme.LINE).encode(
        x=across, y=alt.value(2), text="card:N"
    )
    return [rules, names]


def _y(rows: Sequence[str]) -> alt.Y:
    axis = alt.Axis(labelLimit=LONGEST_LABEL, ticks=False, domain=False)
    return alt.Y("row:N", sort=list(rows), title=None, axis=axis, scale=alt.Scale(domain=list(rows)))
