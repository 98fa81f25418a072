"""The curve of one arm over its grid of learning rates: what chose, what it came to on the test, and what failed."""

import altair as alt
import pandas as pd

from leaderboard import theme

HEIGHT = 190
EDGES = {"lowest": "lowest tried", "highest": "highest tried", "only": "only rate tried"}


def rate_curve(curve: pd.DataFrame, domain: tuple[float, float] | None = None) -> alt.TopLevelMixin | None:
    """Scores in points by learning rate: validation hollow and dashed, test filled with the range of its seeds.

    ``curve`` is one arm's rows of ``rates.rate_curves`` with scores in points and ``method``. A dotted line marks the
    chosen rate, with a word where it is at an edge of the grid; a cross at the bottom marks a rate at which a run
    failed. ``domain`` is that of the scores, to read several pictures alike. Where validation is a loss it has an axis
    of its own. None where there is no rate.
    """
    if curve.empty:
        return None
    validation, test = _validation(curve, domain), _test(curve, domain)
    scores = [layers for layers in (validation, test) if layers]
    apart = len(scores) == 2 and not _is_score(curve)
    layers = [alt.layer(*several) for several in scores] if apart else [one for several in scores for one in several]
    layers += [*_chosen(curve), *_failed(curve)]
    return alt.layer(*layers).resolve_scale(y="independent" if apart else "shared").properties(height=HEIGHT)


def _is_score(curve: pd.DataFrame) -> bool:
    return bool(curve["higher_is_better"].fillna(1).astype(bool).all())


def _validation(curve: pd.DataFrame, domain: tuple[float, float] | None) -> list[alt.Chart]:
    rows = curve.dropna(subset=["validation"])
    if rows.empty:
        return []
    y = _y("validation", "score (points)", domain) if _is_score(curve) else _y("validation", "validation (loss)", None)
    chart = alt.Chart(rows).encode(x=_x(curve), y=y, color=theme.colour(curve["method"]).legend(None))
    told = [_rate(), _figure("validation", "validation"), alt.Tooltip("seeds:Q", title="seeds")]
    return [
        chart.mark_line(strokeDash=[5, 4], strokeWidth=1.5, opacity=0.8),
        chart.mark_point(size=60, opacity=1, filled=False).encode(tooltip=told),
    ]


def _test(curve: pd.DataFrame, domain: tuple[float, float] | None) -> list[alt.Chart]:
    rows = curve.dropna(subset=["test"])
    if rows.empty:
        return []
    colour = theme.colour(curve["method"]).legend(None)
    y = _y("test", "score (points)", domain)
    chart = alt.Chart(rows).encode(x=_x(curve), color=colour)
    told = [_rate(), _figure("test", "test"), _figure("test_lowest", "lowest seed"),
            _figure("test_highest", "highest seed")]  # fmt: skip
    lowest = _y("test_lowest", "score (points)", domain)
    return [
        chart.mark_area(opacity=0.15).encode(y=lowest, y2="test_highest:Q"),
        chart.mark_line(strokeWidth=2).encode(y=y),
        chart.mark_point(size=60, opacity=1, filled=True).encode(y=y, tooltip=told),
    ]


def _chosen(curve: pd.DataFrame) -> list[alt.Chart]:
    rows = curve[curve["chosen"]]
    if rows.empty:
        return []
    chart = alt.Chart(rows.assign(word=rows["edge"].map(EDGES).fillna(""), verdict="chosen")).encode(x=_x(curve))
    right = rows["edge"].iloc[0] == "highest"
    words = chart.mark_text(align="right" if right else "left", dx=-6 if right else 6, color=theme.WORSE)
    return [
        chart.mark_rule(strokeDash=[2, 3], strokeWidth=1.5, color=theme.LINE).encode(
            tooltip=[alt.Tooltip("verdict:N", title="this rate is"), _rate()]
        ),
        words.encode(y=alt.value(8), text="word:N"),
    ]


def _failed(curve: pd.DataFrame) -> list[alt.Chart]:
    rows = curve[curve["failed_runs"] > 0]
    if rows.empty:
        return []
    chart = alt.Chart(rows).mark_point(shape="cross", angle=45, size=90, filled=True, opacity=1, color=theme.WORSE)
    told = [_rate(), alt.Tooltip("failed_runs:Q", title="failed runs"), alt.Tooltip("failures:N", title="ended as")]
    return [chart.encode(x=_x(curve), y=alt.value(HEIGHT - 8), tooltip=told)]


def _x(curve: pd.DataFrame) -> alt.X:
    values = sorted(float(rate) for rate in curve["learning_rate"].unique())
    axis = alt.Axis(format="~e", values=values, labelOverlap=True, grid=False)
    return alt.X(
        "learning_rate:Q", title="learning rate", scale=alt.Scale(type="log", nice=False, padding=14), axis=axis
    )


def _y(name: str, title: str, domain: tuple[float, float] | None) -> alt.Y:
    scale = alt.Scale(zero=False, padding=8) if domain is None else alt.Scale(domain=list(domain))
    return alt.Y(f"{name}:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5))


def _rate() -> alt.Tooltip:
    return alt.Tooltip("learning_rate:Q", title="learning rate", format=".1e")


def _figure(name: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(f"{name}:Q", title=title, format=".2f")
