"""Which method should I choose? The arm to take within someone's limits, why, what it forgets, and what just misses."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harness.analysis import costs
from harness.analysis.recommend import Choice, Recommendation, binding_limit, nearest_first, preferred
from harness.report import reasons, words
from harness.report.reasons import LIMITS
from leaderboard import cache, quantities, tables
from leaderboard.pictures.before_after import before_after
from leaderboard.pictures.limits import within_limits
from leaderboard.quantities import Quantity, in_units, measured
from leaderboard.results import SectionKey
from leaderboard.rows.arms import named, trained
from leaderboard.rows.choices import ACROSS, MISSES, PLACE, REMARK, outside, with_outcome, within
from leaderboard.rows.tasks import in_points, unit_of
from leaderboard.scope import Scope
from leaderboard.widgets import controls
from leaderboard.widgets.filters import filtered
from leaderboard.widgets.layout import beside
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table
from leaderboard.widgets.wishes import Wishes, asked, forgetting_limit, memory_limit

EVERY_BASE = "every base"
LONGEST = 1500  # characters of a sentence that names arms
ARM = (tables.ARM, tables.BASE)


def show(scope: Scope) -> None:
    """The page."""
    st.title("Which one?")
    first, second, third = st.columns(3)
    with first:
        memory = memory_limit()
    with second:
        arms = _of_base(trained(named(scope.summary())))
    with third:
        forgetting = forgetting_limit()
    with st.expander("More limits, price, methods, and what decides between equals"):
        wishes = asked(memory, forgetting)
        arms = filtered(arms, ("method",))
    if arms.empty:
        st.info("No trained arm to choose from: nothing was trained and scored yet, or the filters leave none.")
        return
    for number, own in arms.groupby("section", sort=False):
        key = scope.sections[int(str(number))]
        if len(scope.sections) > 1:
            st.header(controls.plain(key.where))
        _section(key, _priced(own, wishes.an_hour), wishes, f"{number}")


def _of_base(arms: pd.DataFrame) -> pd.DataFrame:
    """A method is chosen for one base: the largest, which comes first, until another is asked for."""
    bases = list(dict.fromkeys(arms["base"]))
    base = controls.choose("Base", [*bases, EVERY_BASE], key="for", help="The model that you mean to tune.")
    return arms if base == EVERY_BASE else arms[arms["base"] == base]


def _priced(arms: pd.DataFrame, an_hour: float | None) -> pd.DataFrame:
    if an_hour is None:
        return arms
    return arms.assign(price=costs.price(arms["whole_tuning_seconds"].astype(float), an_hour))


def _section(key: SectionKey, arms: pd.DataFrame, wishes: Wishes, name: str) -> None:
    found = cache.recommendation(key, tuple(wishes.limits.items()), tuple(arms["arm_id"]))
    pick = preferred(found, wishes.decides)
    with st.container(border=True):
        if pick is None:
            st.subheader("None is within these limits")
            _say(reasons.binding(found, LIMITS))
        else:
            _recommend(pick, found, wishes, arms)
    limit = wishes.limits.get("memory_bytes")
    if limit and (warning := reasons.small_models(arms, limit)):
        st.warning(controls.plain(warning, LONGEST), icon=":material/straighten:")
    _picture(arms, found, pick, wishes, name)
    if pick is not None:
        _forgets(key, arms, pick, name)
    _tables(arms, found, wishes, name)


def _recommend(pick: Choice, found: Recommendation, wishes: Wishes, arms: pd.DataFrame) -> None:
    row = pick.row
    st.subheader(f"Take {controls.plain(reasons.name_of(pick))}")
    figures = {
        "gain": (f"{words.points(row['gain'], signed=True)} points", quantities.GAIN.meaning),
        "forgets": (f"{words.points(row['forgetting'], signed=True)} points", quantities.FORGETTING.meaning),
        "memory": (words.size(row["memory_bytes"]), quantities.MEMORY.meaning),
        "tuning": (words.seconds(row["whole_tuning_seconds"]), quantities.TUNING.meaning),
    }
    if wishes.an_hour is not None:
        price = float(arms.set_index("arm_id").loc[row["arm_id"], quantities.PRICE.name])
        figures["price"] = (f"{price:,.2f}", quantities.PRICE.meaning)
    row_of_figures = st.container(horizontal=True)
    for label, (figure, meaning) in figures.items():
        row_of_figures.metric(label, figure, help=meaning, width="content")
    lost = " ".join(filter(None, (reasons.forgets(row), reasons.perplexity(row))))
    standing = reasons.standing(pick, found)
    _say([reasons.why(pick, found, wishes.decides), lost, *([f"It is {standing}."] if standing else [])])


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        st.markdown(controls.plain(line[:1].upper() + line[1:], LONGEST))


def _picture(arms: pd.DataFrame, found: Recommendation, pick: Choice | None, wishes: Wishes, name: str) -> None:
    there = measured(arms, (quantities.GAIN, quantities.TARGET, *ACROSS))
    up = next((one for one in there if one.better == "more"), None)
    across = _across(there, binding_limit(found), wishes)
    if up is None or across is None:
        st.info("No arm has both a score and a cost, so there is no picture of them.")
        return
    drawn = with_outcome(in_units(arms, (up, across)), found, pick)
    limits = {one.name: wishes.limits[one.name] * one.scale for one in (up, across) if one.name in wishes.limits}
    chart = within_limits(drawn, across, up, limits, wishes.said)
    if chart is None:
        st.info(f"No arm has both {up.label} and {across.label}, so there is no picture of them.")
        return
    picture(chart, key=f"limits-{name}")
    st.caption(
        f"Filled: within every limit. Hollow: outside one or more. Dashed: limits on {up.label} and {across.label}, "
        "where there are any. Ringed: the one to take. Hover for what an arm misses."
    )


def _across(there: Sequence[Quantity], binding: str | None, wishes: Wishes) -> Quantity | None:
    """The cost with the limit that keeps most arms out, else one that has a limit, else any."""
    known = [one for one in there if one.name in {quantity.name for quantity in ACROSS}]
    limited = [one for one in known if one.name in wishes.limits]
    return next((one for one in known if one.name == binding), None) or next(iter([*limited, *known]), None)


def _forgets(key: SectionKey, arms: pd.DataFrame, pick: Choice, name: str) -> None:
    tasks = cache.tasks(key)
    own = tasks[(tasks["arm_id"] == pick.row["arm_id"]) & (tasks["role"] == "general")]
    rows = in_points(own, arms).dropna(subset=["score"])
    if rows.empty:
        return
    st.subheader("What it forgets")
    rows = rows.assign(row=rows["task"], unit=unit_of(rows))
    for n, (place, (unit, several)) in enumerate(beside(rows.groupby("unit", sort=False))):
        chart = before_after(several, str(unit))
        if chart is not None:
            with place:
                picture(chart, key=f"forgets-{name}-{n}", alt="Before and after tuning")
    st.caption(
        "General tasks before tuning (grey bar) and after (mark, with its 95 % interval). Of a score less is worse, of "
        "a perplexity more is. The Forgetting page has every arm."
    )


def _tables(arms: pd.DataFrame, found: Recommendation, wishes: Wishes, name: str) -> None:
    there = measured(arms, (quantities.TARGET, quantities.GAIN, *ACROSS, quantities.PRICE))
    units = in_units(arms, there)
    columns = [tables.of_quantity(one) for one in there]
    if found.choices:
        st.subheader("Within the limits")
        _table(within(units, found), [*PLACE, *ARM, *columns, REMARK], f"within-{name}")
    others = nearest_first(found.others)
    near = [choice for choice in others if len(choice.missed) == 1]
    for title, several, key in (
        ("Just misses: one limit", near, "near"),
        ("Misses more than one limit", others[len(near) :], "far"),
    ):
        if several:
            st.subheader(title)
            _table(outside(units, several), [*ARM, MISSES, *columns], f"{key}-{name}")
    _say(reasons.unknown(found, LIMITS))
    st.caption(" ".join(controls.plain(line, LONGEST) for line in reasons.LEGEND))


def _table(rows: pd.DataFrame, columns: Sequence[tables.Column], name: str) -> None:
    show_table(rows, columns, key=name)
    downloads(rows, columns, name=f"which-{name}")


page(show)
