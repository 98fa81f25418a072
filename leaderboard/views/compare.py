"""Is one better than the other? Two arms or runs, or the same arms in two results, with what differs between them."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harness.report import words
from harness.sections import named_arms
from harness.selectors import Named
from leaderboard import cache, results, tables
from leaderboard.pictures.versus import forest, losses
from leaderboard.results import SectionKey
from leaderboard.rows import compare as versus
from leaderboard.rows import gate
from leaderboard.rows.arms import named
from leaderboard.rows.compare import LETTERS, Comparison, Pick
from leaderboard.scope import Scope
from leaderboard.texts import short
from leaderboard.widgets import controls
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

TWO, RESULTS = "two arms or runs", "two results"
ALL_SEEDS, ALL_ARMS = "all its seeds", "every arm in common"
FIRST = ("gain", "forgetting", "forgetting at matched gain")  # of the picture's rows
QUANTITY = tables.text("quantity", "compared", "A task, what was gained or forgotten, or a cost.")
ARM = tables.text("arm", "arm", "The arm, which both results hold.")
COLUMNS = (
    tables.text("shown_a", "A", "Points of 100, a perplexity, or a cost in its unit."),
    tables.text("shown_b", "B", "As A."),
    tables.text("shown_difference", "A to B [95 %]", "A minus B in points; 0.90x is a ratio, A over B."),
    tables.text("p", "p", "Corrected for the number of all tests of this comparison (Holm); below 0.05 is supported."),
    tables.text("counts", "seeds x items", "The seeds and items that both were scored on."),
    tables.text("said", "verdict", "Not enough to tell proves no equality."),
)
FIGURES = tuple(
    tables.number(name, name.replace("_", " "), meaning)
    for name, meaning in (
        ("first", "A, in base units."),
        ("second", "B, in base units."),
        ("difference", "A minus B in shares of 1, or A over B."),
        ("difference_low", "End of the 95 % interval."),
        ("difference_high", "End of the 95 % interval."),
        ("p_corrected", "Corrected p value."),
    )
)
DIFFERENCES = (
    tables.text("part", "of", "What was learned, how it was computed, or on what."),
    tables.text("key", "key", "As the matrix file, or the stack's facts, name it."),
    tables.text("a", "A", "A's value."),
    tables.text("b", "B", "B's value."),
)
FINDINGS = (
    tables.text("verdict", "verdict", "pass, regressed, improved, inconclusive, not measured, missing or new."),
    tables.text("quantity", "quantity", "What was held against what it was before."),
    tables.text("where", "where", "The arm, and what in it; or the whole matrix."),
    tables.text("change", "change [95 %]", "B's minus A's: per cent, points, or a deviation."),
    tables.text("limit", "limit", "What the change was held against."),
    tables.text("why", "why", "The reason in words."),
)


def show(scope: Scope) -> None:
    """The page."""
    st.title("Compare")
    if controls.choose("Compare", [TWO, RESULTS], key="what") == TWO:
        _two(scope)
    else:
        _results(scope)


def _two(scope: Scope) -> None:
    arms = named(scope.summary()).sort_values("chosen_rate", key=lambda rate: rate.isna(), kind="stable")
    places = st.columns(2)
    picks = []
    for n, (place, letter) in enumerate(zip(places, LETTERS, strict=True)):
        with place:
            picks.append(_pick(scope, arms, letter, n))
    if picks[0] == picks[1]:
        st.info("A and B are the same: choose two that differ.")
        return
    found = cache.two_compared(*picks)
    rows = versus.for_people(found)
    _missing(found)
    _pictures(_effects_first(rows.assign(row=rows["quantity"])))
    _table(rows, (QUANTITY,))
    _curves((picks[0], picks[1]))
    _differences((picks[0], picks[1]))


def _pick(scope: Scope, arms: pd.DataFrame, letter: str, place: int) -> Pick:
    rows = list(arms["row"])
    default = rows[min(place, len(rows) - 1)]
    row = controls.choose(letter, rows, key=letter.lower(), default=default, help="An arm of the chosen results.")
    arm = arms[arms["row"] == row].iloc[0]
    pick = Pick(scope.sections[int(arm["section"])], str(arm["arm_id"]))
    known = _runs(pick)
    label = f"Runs of {letter}"
    run = controls.choose(
        label, [ALL_SEEDS, *known], key=f"{letter.lower()}run", help="At the chosen rate, or one run."
    )
    return known.get(run, pick)


def _runs(pick: Pick) -> dict[str, Pick]:
    """An arm's runs by what they are called."""
    runs = cache.part(pick.key).frames.runs
    own = runs[(runs["arm_id"] == pick.arm_id) & (runs["purpose"] == "quality") & runs["latest"]]
    own = own.dropna(subset=["learning_rate", "seed"]).sort_values(["learning_rate", "seed"])
    facts = own[["learning_rate", "seed"]].itertuples(index=False)
    return {
        f"rate {words.rate(rate)}, seed {seed:g}": Pick(pick.key, pick.arm_id, float(rate), int(seed))
        for rate, seed in facts
    }


def _results(scope: Scope) -> None:
    suite = scope.sections[0].suite
    known = results.told_apart(key for one in scope.listings for key in one.sections if key.suite == suite)
    if len(known) < 2:
        st.info(controls.plain(f"Only one result of {suite} is at hand. Name another: `tunematrix board A.db B.db`."))
        return
    keys = _two_results(scope, known)
    if keys[0] == keys[1]:
        st.info("A and B are the same results: choose two that differ.")
        return
    arms = _in_common(*keys)
    if arms:
        _arms(keys, arms)
    else:
        st.info("The two results hold no arm in common: nothing was learned the same way in both.")
    _gate(*keys)


def _two_results(scope: Scope, known: dict[str, SectionKey]) -> tuple[SectionKey, SectionKey]:
    first = scope.sections[0].where
    other = next((where for where in known if where != first), first)
    where = [
        controls.choose(letter, list(known), key=f"{letter.lower()}results", default=default)
        for letter, default in zip(LETTERS, (other, first), strict=True)
    ]
    return known[where[0]], known[where[1]]


def _in_common(first: SectionKey, second: SectionKey) -> dict[str, Named]:
    there = set(cache.part(second).frames.arms["arm_id"])
    return {arm.full_name: arm for arm in named_arms(cache.part(first).frames.arms) if arm.arm_id in there}


def _arms(keys: tuple[SectionKey, SectionKey], arms: dict[str, Named]) -> None:
    wanted = controls.choose("Arm", [ALL_ARMS, *arms], key="arm")
    one = arms[wanted].arm_id if wanted in arms else None
    found = cache.results_compared(*keys, one)
    rows = versus.for_people(found)
    _missing(found)
    if one is None:
        quantities = list(dict.fromkeys(_effects_first(rows)["quantity"]))
        quantity = controls.choose("Picture of", quantities, key="of")
        _pictures(_apart(rows[rows["quantity"] == quantity]))
        _table(rows, (ARM, QUANTITY))
    else:
        picks = (Pick(keys[0], one), Pick(keys[1], one))
        _pictures(_effects_first(rows.assign(row=rows["quantity"])))
        _table(rows, (QUANTITY,))
        _curves(picks)
    arm_id = one or next(iter(arms.values())).arm_id
    _differences((Pick(keys[0], arm_id), Pick(keys[1], arm_id)))


def _apart(rows: pd.DataFrame) -> pd.DataFrame:
    names = rows["arm"].map(lambda name: short(name, 60))
    again = names.groupby(names).cumcount()
    return rows.assign(row=names.where(again == 0, names + " (" + (again + 1).astype(str) + ")"))


def _effects_first(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("quantity", key=lambda names: ~names.isin(FIRST), kind="stable")


def _missing(found: Comparison) -> None:
    for line in dict.fromkeys(line for missing in found.missing for line in missing):
        st.text(f"not compared: {short(words.text(line), 200)}")


def _pictures(rows: pd.DataFrame) -> None:
    charts = {unit: chart for unit in ("points", "ratio") if (chart := forest(rows, unit)) is not None}
    if not charts:
        st.info("Nothing was measured of both.")
        return
    for unit, chart in charts.items():
        picture(chart, key=f"forest-{unit}")
    st.caption(
        "Each mark is a difference with its 95 % interval over the same items and seeds; the dashed line is no "
        "difference. A filled triangle is supported: up where A is better, down where B is. Of forgetting, perplexity, "
        "memory and time less is better."
    )


def _table(rows: pd.DataFrame, about: Sequence[tables.Column]) -> None:
    show_table(rows, (*about, *COLUMNS), key="compare")
    downloads(rows, (*about, *COLUMNS, *FIGURES), name="comparison")


def _curves(picks: tuple[Pick, Pick]) -> None:
    curves = versus.curves((cache.part(picks[0].key), cache.part(picks[1].key)), picks)
    chart = losses(curves)
    if chart is None:
        return
    st.subheader("Loss in training")
    picture(chart, key="losses")
    st.caption("A solid, B dashed; thin lines are single seeds, thick ones their mean, at the chosen rate.")


def _differences(picks: tuple[Pick, Pick]) -> None:
    st.subheader("What differs")
    rows = versus.differences((cache.part(picks[0].key), cache.part(picks[1].key)), picks)
    if rows.empty:
        st.text("nothing: the same recipe, execution and stack")
        return
    show_table(rows, DIFFERENCES, key="differences")
    downloads(rows, DIFFERENCES, name="differences")


def _gate(first: SectionKey, second: SectionKey) -> None:
    st.subheader("The gate's verdicts")
    if first.path == second.path:
        st.info("The gate holds two sources against each other, the newest stack of each; A and B are in one.")
        return
    help_ = "What `tunematrix check --baseline A --candidate B` says of the newest stack of each."
    if not controls.toggle("judge B against A", key="gate", help=help_):
        return
    every = controls.toggle("those that pass too", key="every")
    check = cache.checked(first.path, second.path, first.suite)
    st.text(check.headline)
    show_table(gate.findings(check, every), FINDINGS, key="findings")
    downloads(gate.findings(check, every=True), FINDINGS, name="verdicts")


page(show)
