"""What was gained against what was forgotten: every run a faint dot, each arm at its chosen rate a strong one."""

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart
from leaderboard.pictures.axes import known, tooltips, x, y
from leaderboard.pictures.tradeoff import PICK
from leaderboard.quantities import RATE, Quantity, names_of

WORDS = (("name", "arm"), ("base", "base"), ("hardware", "hardware"), ("seed", "seed"))


def forgotten(arms: pd.DataFrame, runs: pd.DataFrame, across: Quantity, up: Quantity) -> AnyChart | None:
    """``up`` against ``across``: ``runs`` (every ``learning_rate`` and ``seed``) faint, ``arms`` with their intervals.

    Both in units, with ``arm_id, section, name, base, method``. A line marks where nothing is forgotten. A click
    selects an arm, as ``PICK``. None where no arm has both quantities.
    """
    strong = arms.dropna(subset=[across.name, up.name]).rename(columns={RATE.name: "learning_rate"})
    if strong.empty:
        return None
    faint = runs.dropna(subset=[across.name, up.name])
    faint = faint.assign(strong=False, seed=faint["seed"].map("{:g}".format))
    rows = pd.concat([faint, strong.assign(strong=True, seed="mean over seeds")], ignore_index=True)
    methods, place = rows["method"], {"x": x(across), "y": y(up)}
    nothing = pd.DataFrame({across.name: [1.0 if across.name == "perplexity_ratio" else 0.0]})
    rate = [alt.Tooltip("learning_rate:Q", title="rate", format=RATE.d3)] if "learning_rate" in rows else []
    dots = alt.Chart().mark_point(filled=True, cursor="pointer").encode(
        **place,
        color=theme.colour(methods),
        shape=theme.mark(methods),
        size=alt.condition("datum.strong", alt.value(130), alt.value(30)),
        opacity=alt.condition("datum.strong", alt.value(1.0), alt.value(0.3)),
        tooltip=[*tooltips(WORDS, [up, across], rows), *rate],
    )  # fmt: skip
    return alt.layer(
        alt.Chart(nothing).mark_rule(color=theme.LINE, strokeDash=[2, 3]).encode(x=place["x"]),
        *(
            _interval(quantity, place, methods, quantity is across)
            for quantity in (across, up)
            if quantity.interval and known(strong, *names_of(quantity)[1:])
        ),
        dots.add_params(alt.selection_point(PICK, fields=["arm_id", "section"], on="click")),
        data=rows,
        height=theme.HEIGHT + 60,
    )


def _interval(quantity: Quantity, place: dict, methods: pd.Series, flat: bool) -> alt.Chart:
    low, high = names_of(quantity)[1:]
    ends = {"x": alt.X(f"{low}:Q", title=quantity.title), "x2": high, "y": place["y"]} if flat else {
        "y": alt.Y(f"{low}:Q", title=quantity.title), "y2": high, "x": place["x"]}  # fmt: skip
    chart = alt.Chart().transform_filter(f"datum.strong && isValid(datum.{low})")
    return chart.mark_rule(opacity=0.4).encode(**ends, color=theme.colour(methods))
