"""A report as pictures: pure functions from frames to Altair charts, and charts to SVG that is the same every time.

Rendered by vl-convert in this process: no browser, no network.
"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.report.model import Section

if TYPE_CHECKING:
    import altair as alt

WIDTH, HEIGHT = 520, 340
MIB = 2**20


def figures(section: Section, curves: pd.DataFrame) -> "dict[str, tuple[str, alt.TopLevelMixin]]":
    """The pictures that a section has figures for, by name: title and chart. ``curves`` as of ``reader.curves``."""
    main = next((table.frame for table in section.tables if table.name == "main"), pd.DataFrame())
    if main.empty:
        return {}
    trained = main[main["gain"].notna() & main["chosen_rate"].notna()]
    found = {
        "gain-memory": ("Gain against memory", _scatter(trained, "memory", "memory in training (MiB)")),
        "gain-forgetting": ("Gain against forgetting", _scatter(trained, "forgetting", "forgetting (points)")),
        "score-rank": ("Score by rank", _by_rank(main[main["chosen_rate"].notna()])),
        "loss": ("Loss in training", _loss(curves, main)),
    }
    return {name: (title, chart.properties(title=title)) for name, (title, chart) in found.items() if chart is not None}


def as_svg(chart: "alt.TopLevelMixin") -> str:
    """The chart as SVG. Nothing in it is clipped: Vega numbers clip paths on from picture to picture."""
    import altair
    import vl_convert

    version = altair.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    return vl_convert.vegalite_to_svg(chart.to_json(), vl_version=version) + "\n"


def _scatter(arms: pd.DataFrame, measure: str, title: str) -> Any:
    """Gain upwards, a cost to the right, each with its 95 % interval where there is one."""
    import altair as alt

    rows = pd.DataFrame(
        {
            "arm": arms["name"],
            "base": arms["base"],
            **{name: _points(arms[name]) for name in ("gain", "gain_low", "gain_high")},
            **_cost(arms, measure),
        }
    ).dropna(subset=["gain", measure])
    if rows.empty:
        return None
    x, y = alt.X(f"{measure}:Q", title=title).scale(zero=False), alt.Y("gain:Q", title="gain (points)")
    chart = alt.Chart(rows)
    layers = [chart.mark_rule(opacity=0.5).encode(x=x, y="gain_low:Q", y2="gain_high:Q", color=_arm())]
    if measure == "forgetting":
        low, high = "forgetting_low:Q", "forgetting_high:Q"
        layers.append(chart.mark_rule(opacity=0.5).encode(x=low, x2=high, y=y, color=_arm()))
    layers.append(chart.mark_point(filled=True, size=90, opacity=1).encode(x=x, y=y, color=_arm(), shape=_base()))
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _by_rank(arms: pd.DataFrame) -> Any:
    """Target scores with their intervals, by the adapter's rank; all weights at the right end."""
    import altair as alt

    rows = pd.DataFrame(
        {
            "arm": arms["name"],
            "method": arms["label"],
            "base": arms["base"],
            "rank": [str(int(rank)) if pd.notna(rank) else "all weights" for rank in arms["rank"]],
            "order": arms["rank"].fillna(float("inf")).astype(float),
            **{name: _points(arms[name]) for name in ("target", "target_low", "target_high")},
        }
    ).dropna(subset=["target"])
    if rows.empty:
        return None
    ranks = list(dict.fromkeys(rows.sort_values("order")["rank"]))
    x = alt.X("rank:N", title="rank", sort=ranks, axis=alt.Axis(labelAngle=0))
    y, offset = alt.Y("target:Q", title="target score (points)"), alt.XOffset("arm:N")
    chart = alt.Chart(rows.drop(columns="order"))
    bars = chart.mark_rule(opacity=0.6).encode(x=x, xOffset=offset, y="target_low:Q", y2="target_high:Q", color=_arm())
    points = chart.mark_point(filled=True, size=90, opacity=1).encode(
        x=x, xOffset=offset, y=y, color=_arm(), shape=_base()
    )
    return alt.layer(bars, points).properties(width=WIDTH, height=HEIGHT)


def _loss(curves: pd.DataFrame, arms: pd.DataFrame) -> Any:
    """Each arm's loss at its chosen rate, the mean over its seeds, in a panel for each base."""
    import altair as alt

    names = arms.set_index("arm_id")[["name", "base"]].rename(columns={"name": "arm"})
    rows = curves.dropna(subset=["loss"]).join(names, on="arm_id", how="inner")
    rows = rows.groupby(["arm", "base", "step"], as_index=False)[["tokens_seen", "loss"]].mean()
    if rows.empty:
        return None
    one_step = bool(rows.groupby(["arm", "base"]).size().max() == 1)  # of a single point there is no line
    return (
        alt.Chart(rows)
        .mark_line(opacity=0.85, point=one_step)
        .encode(
            x=alt.X("tokens_seen:Q", title="real tokens seen"),
            y=alt.Y("loss:Q", title="training loss").scale(type="symlog"),
            color=_arm(),
        )
        .properties(width=WIDTH * 0.6, height=HEIGHT * 0.8)
        .facet(column=alt.Column("base:N", title=None))
    )


def _cost(arms: pd.DataFrame, measure: str) -> dict[str, Any]:
    if measure == "memory":
        return {"memory": arms["memory_bytes"].astype(float) / MIB}
    return {name: _points(arms[name]) for name in ("forgetting", "forgetting_low", "forgetting_high")}


def _points(shares: pd.Series) -> pd.Series:
    return 100 * shares.astype(float)


def _arm() -> Any:
    import altair as alt

    return alt.Color("arm:N", title="arm", scale=alt.Scale(scheme="category10"))


def _base() -> Any:
    import altair as alt

    return alt.Shape("base:N", title="base")
