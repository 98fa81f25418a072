"""Two quantities against each other: what one costs in the other, and which arms are worth a look."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import known, positive, spoken_of, tooltips, x, y
from leaderboard.quantities import Quantity, names_of

WORDS = (
    ("name", "arm"),
    ("method", "method"),
    ("base", "base"),
    ("told_rank", "rank"),
    ("alpha", "alpha"),
    ("targets", "targets"),
    ("steps", "steps"),
    ("batch", "batch"),
    ("precision", "precision"),
    ("hardware", "hardware"),
    ("stack", "stack"),
    ("memory_measure", "memory is"),
    ("letters", "tie"),
    ("standing", "standing"),
)
KEYS = ("arm_id", "section", "family", "rank", "in_set")
PICK = "arm"  # the selection that a click makes


def tradeoff(
    arms: pd.DataFrame,
    across: Quantity,
    up: Quantity,
    *,
    told: Sequence[Quantity] = (),
    log_x: bool = False,
    log_y: bool = False,
    size: Quantity | None = None,
    lines: bool = True,
) -> AnyChart | None:
    """A dot an arm with its intervals; ringed where no other arm is supported to beat it (``in_set``).

    What is read on hovering is the whole recipe, where the arms have it (``recipes.told``). ``lines`` joins the ranks
    of one method on one base (``family``). A click selects an arm, as ``PICK``, by its ``arm_id``. None where no arm
    has both quantities.
    """
    figures = [name for one in (across, up, *told, *([size] if size else [])) for name in names_of(one)]
    shown = spoken_of(arms, [*KEYS, *(field for field, _ in WORDS), *figures])
    rows = positive(positive(shown, across, log_x), up, log_y)
    if rows.empty:
        return None
    methods = rows["method"]
    chart = alt.Chart(rows)
    place = {"x": x(across, log_x), "y": y(up, log_y)}
    layers: list[alt.Chart] = []
    if lines and rows["family"].duplicated().any():
        layers.append(
            chart.mark_line(opacity=0.35, strokeWidth=1.5).encode(
                **place, color=theme.colour(methods), detail="family:N", order="rank:Q"
            )
        )
    layers += [_interval(chart, quantity, place, methods, n == 0) for n, quantity in enumerate((across, up))
               if quantity.interval and known(rows, *names_of(quantity)[1:])]  # fmt: skip
    if rows["in_set"].any():
        ring = alt.Chart(rows[rows["in_set"]]).mark_point(shape="circle", size=330, strokeWidth=1.5, color=theme.LINE)
        layers.append(ring.encode(**place))
    layers.append(_dots(chart, place, methods, size, tooltips(WORDS, [up, across, *told], rows)))
    return alt.layer(*layers).properties(height=theme.HEIGHT + 80)


def _interval(chart: alt.Chart, quantity: Quantity, place: dict, methods: pd.Series, flat: bool) -> alt.Chart:
    low, high = names_of(quantity)[1:]
    ends = {"x": f"{low}:Q", "x2": f"{high}:Q", "y": place["y"]} if flat else {
        "y": f"{low}:Q", "y2": f"{high}:Q", "x": place["x"]}  # fmt: skip
    return chart.mark_rule(opacity=0.35).encode(**ends, color=theme.colour(methods))


def _dots(chart: alt.Chart, place: dict, methods: pd.Series, size: Quantity | None, told: list) -> alt.Chart:
    pick = alt.selection_point(PICK, fields=["arm_id", "section"], on="click")
    dots = chart.mark_point(filled=True, size=110, opacity=1, cursor="pointer").encode(
        **place, color=theme.colour(methods), shape=theme.mark(methods), tooltip=told
    )
    if size is not None:
        dots = dots.encode(size=alt.Size(f"{size.name}:Q", title=size.title, scale=alt.Scale(range=[50, 700])))
    return dots.add_params(pick)
