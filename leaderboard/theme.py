"""How the board's pictures look: one colour and one mark a method, on every page, in light and in dark.

The colours are Okabe and Ito's, told apart by colour-blind eyes as well (https://jfly.uni-koeln.de/color/); the marks
tell methods apart without any colour.
"""

from collections.abc import Iterable

import altair as alt

METHODS = {
    "full_sft": ("#0072B2", "circle"),
    "lora": ("#E69F00", "square"),
    "qlora": ("#009E73", "diamond"),
    "dpo": ("#CC79A7", "triangle-up"),
    "base": ("#7F7F7F", "cross"),
}
MORE = (
    ("#D55E00", "triangle-down"),
    ("#56B4E9", "triangle-right"),
    ("#B8A400", "triangle-left"),
    ("#8C564B", "stroke"),
)
LINE = "#7F7F7F"  # rules and marks of no method: seen on white and on black
WORSE, BETTER = "#D55E00", "#0072B2"
HEIGHT = 340
AXIS_HEIGHT = 70  # that an axis and its title take of a picture's height, where rows have one of their own


def looks(methods: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and mark of each method: its own for those of this project, in order of name for those of others."""
    others = sorted(set(methods) - set(METHODS))
    return {**METHODS, **{method: MORE[n % len(MORE)] for n, method in enumerate(others)}}


def colour(methods: Iterable[str], title: str | None = "method") -> alt.Color:
    """The field ``method`` as a colour."""
    found = _there(methods)
    scale = alt.Scale(domain=list(found), range=[colour for colour, _ in found.values()])
    return alt.Color("method:N", title=title, scale=scale, legend=alt.Legend(symbolOpacity=1))


def mark(methods: Iterable[str], title: str | None = "method") -> alt.Shape:
    """The field ``method`` as a mark."""
    found = _there(methods)
    return alt.Shape("method:N", title=title, scale=alt.Scale(domain=list(found), range=[m for _, m in found.values()]))


def _there(methods: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The looks of the methods that are there, in one order always: a legend of what is not there says nothing."""
    there = set(methods)
    return {method: look for method, look in looks(there).items() if method in there}
