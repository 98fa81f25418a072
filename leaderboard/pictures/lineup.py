"""The leaderboard's picture: every arm on a line of its own, its figures side by side with their intervals."""

import json
from collections.abc import Sequence
from functools import lru_cache

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import known, names, spoken_of, tooltips
from leaderboard.pictures.panels import Panel, spec_of
from leaderboard.quantities import Quantity, names_of

ROW_HEIGHT, WIDTH = 24, 560  # of all panels together
WORDS = (("name", "arm"), ("base", "base"), ("letters", "tie"), ("place", "place"), ("memory_measure", "memory is"))
ORDER = "the order of the rows"  # stands in a form for what every frame has anew


def lineup(arms: pd.DataFrame, quantities: Sequence[Quantity]) -> Panel | None:
    """One panel a quantity, one row an arm in the frame's order: a dot with its interval, or a bar for a cost.

    ``arms`` in units, with ``name, base, method, letters``; arms of one name on several bases or stacks must have been
    told apart in ``row``.
    """
    if arms.empty or not quantities:
        return None
    words = (field for field, _ in WORDS)
    rows = spoken_of(arms, ["row", "method", *words, *(name for one in quantities for name in names_of(one))])
    there = tuple(str(name) for name in rows if rows[name].notna().any())
    form = _form(tuple(sorted(set(arms["method"]))), there, tuple(quantities))
    return Panel("", json.loads(form.replace(json.dumps([ORDER]), json.dumps(list(arms["row"])))), rows)


@lru_cache(maxsize=64)
def _form(methods: tuple[str, ...], there: tuple[str, ...], quantities: tuple[Quantity, ...]) -> str:
    """The picture of any rows that have these methods, and values in these columns, as JSON: drawing it up takes a
    third of a second, far longer than all else that an answer to a filter takes."""
    width = max(84, WIDTH // len(quantities) - 14)
    filled = pd.DataFrame([dict.fromkeys(there, 0)])
    panels = [_panel(methods, filled, quantity, n == 0, width) for n, quantity in enumerate(quantities)]
    whole = alt.hconcat(*panels, spacing=12).resolve_scale(y="shared", color="shared", shape="shared")
    return json.dumps(spec_of(whole))


def _panel(methods: Sequence[str], filled: pd.DataFrame, quantity: Quantity, first: bool, width: int) -> AnyChart:
    y = names("row", [ORDER]) if first else names("row", [ORDER]).axis(None)
    x = alt.X(f"{quantity.name}:Q", title=[quantity.label, f"({quantity.unit})"], axis=alt.Axis(tickCount=3))
    told = tooltips(WORDS, [quantity], filled)
    colour = theme.colour(methods)
    chart = alt.Chart()
    if not quantity.interval:
        drawn: AnyChart = chart.mark_bar(opacity=0.85, height=12).encode(y=y, x=x, color=colour, tooltip=told)
    else:
        drawn = chart.mark_point(filled=True, size=70, opacity=1).encode(
            y=y, x=x, color=colour, shape=theme.mark(methods), tooltip=told
        )
    layers = [drawn]
    if quantity.interval and known(filled, *names_of(quantity)[1:]):
        low, high = names_of(quantity)[1:]
        rule = chart.mark_rule(strokeWidth=2, opacity=0.6)
        layers.insert(0, rule.encode(y=y, x=f"{low}:Q", x2=f"{high}:Q", color=colour))
    return alt.layer(*layers).properties(width=width, height=alt.Step(ROW_HEIGHT))
