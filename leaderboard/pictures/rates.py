"""The curve of an arm over its grid of learning rates: what chose, what it came to on the test, and what failed."""

import json
from typing import Any

import altair as alt
import pandas as pd

from leaderboard import theme
from leaderboard.pictures import AnyChart

HEIGHT, MARGIN = 190, 5.0  # pixels, points
EDGES = {"lowest": "lowest tried", "highest": "highest tried", "only": "only rate tried"}
TESTS = ("test", "test_lowest", "test_highest")


def rate_curve(curves: pd.DataFrame) -> AnyChart | None:
    """Scores in points by learning rate: validation hollow and dashed, test filled with the range of its seeds.

    ``curves`` are rows of ``rates.rate_curves`` with scores in points and ``method``: of one arm, or of several, for a
    picture that is drawn of each of them alike (``panels.Panel``). All have scores in validation, or all losses,
    which have an axis of their own. A dotted line marks the chosen rate, with a word where it is at an edge of the
    grid; a cross at the bottom marks a rate at which a run failed. None where there is no rate.
    """
    if curves.empty:
        return None
    apart = bool((curves["higher_is_better"] == 0).any())
    scores = _domain(curves, TESTS if apart else (*TESTS, "validation"), MARGIN)
    test = _test(curves, scores)
    if apart:
        loss = curves["validation"].max() - curves["validation"].min()
        validation = _validation(curves, "validation (loss)", _domain(curves, ("validation",), 0.1 * loss))
        drawn = alt.layer(alt.layer(*validation), alt.layer(*test)).resolve_scale(y="independent")
    else:
        drawn = alt.layer(*_validation(curves, "score (points)", scores), *test)
    return alt.layer(drawn, *_marks(), data=curves, height=HEIGHT).resolve_scale(y="independent")


def _validation(rows: pd.DataFrame, title: str, domain: list[float]) -> list[alt.Chart]:
    chart = alt.Chart().transform_filter("isValid(datum.validation)")
    chart = chart.encode(x=_X, y=_y("validation", title, domain), color=theme.colour(rows["method"]).legend(None))
    told = [_RATE, _figure("validation", "validation"), alt.Tooltip("seeds:Q", title="seeds")]
    return [
        chart.mark_line(strokeDash=[5, 4], strokeWidth=1.5, opacity=0.8),
        chart.mark_point(size=60, opacity=1, filled=False).encode(tooltip=told),
    ]


def _test(rows: pd.DataFrame, domain: list[float]) -> list[alt.Chart]:
    chart = alt.Chart().transform_filter("isValid(datum.test)")
    chart = chart.encode(x=_X, color=theme.colour(rows["method"]).legend(None))
    told = [_RATE, _figure("test", "test"), _figure(TESTS[1], "lowest seed"), _figure(TESTS[2], "highest seed")]
    y, lowest = (_y(name, "score (points)", domain) for name in TESTS[:2])
    return [
        chart.mark_area(opacity=0.15).encode(y=lowest, y2=TESTS[2]),
        chart.mark_line(strokeWidth=2).encode(y=y),
        chart.mark_point(size=60, opacity=1, filled=True).encode(y=y, tooltip=told),
    ]


def _marks() -> list[alt.Chart]:
    """What is said of a rate: chosen, at an edge, failed."""
    chosen = alt.Chart().transform_filter("datum.chosen").encode(x=_X)
    at_edge = chosen.transform_calculate(word=f"{json.dumps(EDGES)}[datum.edge] || ''")
    words = {"y": alt.value(8), "text": "word:N"}
    failed = [_RATE, alt.Tooltip("failed_runs:Q", title="failed runs"), alt.Tooltip("failures:N", title="ended as")]
    cross = alt.Chart().transform_filter("datum.failed_runs > 0")
    return [
        chosen.mark_rule(strokeDash=[2, 3], strokeWidth=1.5, color=theme.LINE),
        at_edge.transform_filter("datum.edge == 'highest'")
        .mark_text(align="right", dx=-6, color=theme.WORSE)
        .encode(**words),
        at_edge.transform_filter("datum.edge != 'highest'")
        .mark_text(align="left", dx=6, color=theme.WORSE)
        .encode(**words),
        cross.mark_point(shape="cross", angle=45, size=90, filled=True, opacity=1, color=theme.WORSE).encode(
            x=_X, y=alt.value(HEIGHT - theme.AXIS_HEIGHT - 8), tooltip=failed
        ),
    ]


def _domain(rows: pd.DataFrame, names: tuple[str, ...], margin: float) -> list[float]:
    """Of the scores that are there, a little more at both ends."""
    values = rows[list(names)].astype(float).stack().dropna()
    return [float(values.min()) - margin, float(values.max()) + margin] if len(values) else [0.0, 100.0]


def _y(name: str, title: str, domain: list[float]) -> alt.Y:
    scale = alt.Scale(domain=domain, nice=False)
    return alt.Y(f"{name}:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5))


def _figure(name: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{name}:Q", title=title, format=".2f")


_RATE: Any = alt.Tooltip("learning_rate:Q", title="learning rate", format=".1e")
_X = alt.X(  # a place for each rate that was tried: grids are even on a logarithmic scale
    "learning_rate:O",
    title="learning rate",
    scale=alt.Scale(type="point", padding=0.4),
    axis=alt.Axis(format="~e", labelOverlap=True, labelAngle=0, grid=False),
)
