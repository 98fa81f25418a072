"""What the bytes of each arm are: stacked bars by phase, and the memory of the cards that people have."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from harness.analysis.memory import REST, WHOLE
from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import names, x
from leaderboard.quantities import GB, Quantity

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
ROW_HEIGHT = 26
LEGEND = 100  # what it and the axis of the cards take of a picture's height
MEASURED, PREDICTED = "measured", "predicted"


def stacks(parts: pd.DataFrame, order: Sequence[str], memory: Quantity, top: float) -> AnyChart | None:
    """Bars of components at the peak of one phase, with the cards whose memory is near the scale of the bars as lines.

    ``parts`` has a row a component: ``row, method, component, told`` (``MEASURED`` or ``PREDICTED``), and ``memory``'s
    column in its unit; ``order`` is the rows' from the top down. ``top`` is the highest peak of all phases, so that
    their pictures have one scale.
    """
    if parts.empty:
        return None
    cards = near(top, memory)
    peaks = totals(parts[parts["told"] == MEASURED], memory)
    shown, both = [row for row in order if row in set(parts["row"])], parts["told"].nunique() > 1
    y = names("row", shown)
    reach = max([top, *cards[memory.name]])
    x_ = alt.X(f"{memory.name}:Q", title=memory.title, stack="zero", axis=alt.Axis(tickCount=6),
               scale=alt.Scale(domain=[0, 1.02 * reach]))  # fmt: skip
    there = [name for name in COLOURS if name in set(parts["component"])]
    there += sorted(set(parts["component"]) - set(COLOURS))
    below = alt.Legend(orient="bottom", columns=2)  # a narrow screen has no room beside a picture
    bars = alt.Chart(parts.assign(place=parts["component"].map(there.index))).mark_bar(height={"band": 0.8}).encode(
        y=y,
        x=x_,
        color=alt.Color("component:N", title=None, scale=_palette(there), legend=below),
        order=alt.Order("place:Q"),
        opacity=alt.when(alt.datum.told == MEASURED).then(alt.value(1)).otherwise(alt.value(0.55)),
        tooltip=[
            alt.Tooltip("row:N", title="arm"),
            alt.Tooltip("component:N", title="bytes of"),
            alt.Tooltip(f"{memory.name}:Q", title=memory.title, format=memory.d3),
            alt.Tooltip("told:N", title="it is"),
        ],
        **({"yOffset": alt.YOffset("told:N", sort=[MEASURED, PREDICTED])} if both else {}),
    )  # fmt: skip
    layers = [
        bars,
        _marks(alt.Chart(peaks), peaks, y, alt.X(f"{memory.name}:Q", axis=None), memory),
        *_lines(cards, memory),
    ]
    height = ROW_HEIGHT * len(shown) * (1.4 if both else 1) + theme.AXIS_HEIGHT + LEGEND
    return _layered(layers).resolve_scale(color="independent", shape="independent").properties(height=height)


def against_cards(parts: pd.DataFrame, order: Sequence[str], memory: Quantity) -> AnyChart | None:
    """Each arm's highest peak of any phase, as a mark, and every card's memory, on a logarithmic axis.

    Lengths say nothing on such an axis, so nothing is stacked here.
    """
    if parts.empty:
        return None
    peaks = totals(parts[parts["told"] == MEASURED], memory)
    peaks = peaks.sort_values(memory.name).drop_duplicates("row", keep="last")
    marks = _marks(alt.Chart(peaks), peaks, names("row", list(order)), x(memory, log=True), memory)
    layers = [marks, *_lines(_cards(memory, CARDS_GB), memory, log=True)]
    return _layered(layers).properties(height=ROW_HEIGHT * len(peaks) + 2 * theme.AXIS_HEIGHT)


def totals(parts: pd.DataFrame, memory: Quantity) -> pd.DataFrame:
    """The components of each arm and phase added up, as measured and as predicted."""
    return parts.groupby(["row", "method", "phase", "told"], as_index=False, sort=False)[memory.name].sum()


def _layered(layers: Sequence[alt.Chart]) -> alt.LayerChart | alt.FacetChart:
    """Sizes below and cards above are one scale with two axes."""
    return alt.layer(*layers).resolve_axis(x="independent")


def near(highest: float, memory: Quantity) -> pd.DataFrame:
    """The cards near the scale of a picture up to ``highest``: from a tenth of it to the next one above, if that is
    not twice as large."""
    cards = _cards(memory, CARDS_GB)
    size = cards[memory.name]
    next_above = size[size >= highest].min()
    return cards[size.between(highest / 10, min(2 * highest, next_above) if next_above == next_above else highest)]


def _cards(memory: Quantity, sizes: Sequence[int]) -> pd.DataFrame:
    return pd.DataFrame({memory.name: [gb * GB * memory.scale for gb in sizes], "card": [f"{gb} GB" for gb in sizes]})


def _palette(there: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(there), range=[COLOURS.get(name, theme.LINE) for name in there])


def _marks(chart: alt.Chart, rows: pd.DataFrame, y: alt.Y, across: alt.X, memory: Quantity) -> alt.Chart:
    return chart.mark_point(filled=True, size=80, opacity=1, stroke=theme.LINE, strokeWidth=0.5).encode(
        y=y,
        x=across,
        color=theme.colour(rows["method"]).legend(None),
        shape=theme.mark(rows["method"]).legend(None),
        tooltip=[
            alt.Tooltip("row:N", title="arm"),
            alt.Tooltip("method:N", title="method"),
            alt.Tooltip("phase:N", title="phase"),
            alt.Tooltip(f"{memory.name}:Q", title=memory.title, format=memory.d3),
        ],
    )


def _lines(cards: pd.DataFrame, memory: Quantity, log: bool = False) -> list[alt.Chart]:
    """A rule a card, its size on an axis above: Vega leaves out sizes that would run into each other."""
    if cards.empty:
        return []
    axis = alt.Axis(
        orient="top", values=list(cards[memory.name]), grid=False, title="cards (GB)", labelOverlap="greedy",
        labelFlush=False, labelExpr=f"round(datum.value / {GB * memory.scale})",
    )  # fmt: skip
    across = (x(memory, log=True) if log else alt.X(f"{memory.name}:Q")).axis(axis)
    return [alt.Chart(cards).mark_rule(strokeDash=[4, 3], color=theme.LINE).encode(x=across, tooltip="card:N")]
