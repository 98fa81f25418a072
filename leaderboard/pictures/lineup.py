"""The leaderboard's picture: every arm on a line of its own, its figures side by side with their intervals."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import known, names, spoken_of, tooltips
from leaderboard.quantities import Quantity, names_of

ROW_HEIGHT, WIDTH = 24, 560  # of all panels together
WORDS = (("name", "arm"), ("base", "base"), ("letters", "tie"), ("place", "place"), ("memory_measure", "memory is"))


def lineup(arms: pd.DataFrame, quantities: Sequence[Quantity]) -> AnyChart | None:
    """One panel a quantity, one row an arm in the frame's order: a dot with its interval, or a bar for a cost.

    ``arms`` in units, with ``name, base, method, letters``; arms of one name on several bases or stacks must have been
    told apart in ``row``.
    """
    if arms.empty or not quantities:
        return None
    order = list(arms["row"])
    width = max(84, WIDTH // len(quantities) - 14)
    panels = [_panel(arms, quantity, order, n == 0, width) for n, quantity in enumerate(quantities)]
    return alt.hconcat(*panels, spacing=12).resolve_scale(y="shared", color="shared", shape="shared")


def _panel(arms: pd.DataFrame, quantity: Quantity, order: list[str], first: bool, width: int) -> AnyChart:
    words = (field for field, _ in WORDS)
    rows = spoken_of(arms, ["row", "method", *words, *names_of(quantity)]).dropna(subset=[quantity.name])
    y = names("row", order) if first else names("row", order).axis(None)
    x = alt.X(f"{quantity.name}:Q", title=[quantity.label, f"({quantity.unit})"], axis=alt.Axis(tickCount=3))
    told = tooltips(WORDS, [quantity], arms)
    colour = theme.colour(arms["method"])
    chart = alt.Chart(rows)
    if not quantity.interval:
        drawn: AnyChart = chart.mark_bar(opacity=0.85, height=12).encode(y=y, x=x, color=colour, tooltip=told)
    else:
        drawn = chart.mark_point(filled=True, size=70, opacity=1).encode(
            y=y, x=x, color=colour, shape=theme.mark(arms["method"]), tooltip=told
        )
    layers = [drawn]
    if quantity.interval and known(rows, *names_of(quantity)[1:]):
        low, high = names_of(quantity)[1:]
        rule = chart.mark_rule(strokeWidth=2, opacity=0.6)
        layers.insert(0, rule.encode(y=y, x=f"{low}:Q", x2=f"{high}:Q", color=colour))
    return alt.layer(*layers).properties(width=width, height=ROW_HEIGHT * len(order))
