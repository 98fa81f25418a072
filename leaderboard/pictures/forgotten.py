"""What was gained against what was forgotten: every run a faint dot, each arm at its chosen rate a strong one."""

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures.axes import tooltips, x, y
from leaderboard.pictures.tradeoff import PICK
from leaderboard.quantities import RATE, Quantity, names_of

WORDS = (("name", "arm"), ("base", "base"), ("hardware", "hardware"))
RUN_WORDS = (("name", "arm"), ("base", "base"), ("seed", "seed"))


def forgotten(arms: pd.DataFrame, runs: pd.DataFrame, across: Quantity, up: Quantity) -> alt.TopLevelMixin | None:
    """``up`` against ``across``: ``runs`` (every rate and seed, with ``learning_rate``) faint, ``arms`` with intervals.

    Both in units, with ``name, base, method``. A line marks where nothing is forgotten. A click selects an arm, as
    ``PICK``. None where neither has both quantities.
    """
    strong, faint = (frame.dropna(subset=[across.name, up.name]) for frame in (arms, runs))
    if strong.empty and faint.empty:
        return None
    methods = pd.concat([strong["method"], faint["method"]])
    place = {"x": x(across), "y": y(up)}
    looks = {"color": theme.colour(methods), "shape": theme.mark(methods)}
    quiet = {name: channel.legend(None) for name, channel in looks.items()}
    nothing = pd.DataFrame({across.name: [1.0 if across.name == "perplexity_ratio" else 0.0]})
    layers: list[alt.Chart] = [
        alt.Chart(nothing).mark_rule(color=theme.LINE, strokeDash=[2, 3]).encode(x=place["x"]),
        alt.Chart(faint).mark_point(filled=True, size=30, opacity=0.3).encode(
            **place, **quiet, tooltip=[*tooltips(RUN_WORDS, [up, across], faint), _rate(faint)]
        ),
    ]  # fmt: skip
    chart = alt.Chart(strong)
    for quantity in (across, up):
        if quantity.interval and len(strong):
            low, high = names_of(quantity)[1:]
            ends = {"x": f"{low}:Q", "x2": f"{high}:Q", "y": place["y"]} if quantity is across else {
                "y": f"{low}:Q", "y2": f"{high}:Q", "x": place["x"]}  # fmt: skip
            layers.append(chart.mark_rule(opacity=0.4).encode(**ends, color=quiet["color"]))
    dots = chart.mark_point(filled=True, size=130, opacity=1, cursor="pointer")
    told = tooltips(WORDS, [up, across, *([RATE] if RATE.name in strong else [])], strong)
    pick = alt.selection_point(PICK, fields=["arm_id", "section"], on="click")
    layers.append(dots.encode(**place, **looks, tooltip=told).add_params(pick))
    return alt.layer(*layers).properties(height=theme.HEIGHT + 60)


def _rate(runs: pd.DataFrame) -> alt.Tooltip:
    return alt.Tooltip("learning_rate:Q", title="rate", format=".1e")
