"""What does one thing cost in the other? Any two quantities against each other, with the arms that none beats."""

import pandas as pd
import streamlit as st

from harness.analysis.frontier import JUDGED
from leaderboard.pictures.tradeoff import PICK, tradeoff
from leaderboard.quantities import COSTS, RATE, SCORES, Quantity, fitted, in_units, measured
from leaderboard.rows.arms import named, trained, with_standing
from leaderboard.rows.tradeoffs import PRESETS, standing_columns, with_recipes
from leaderboard.scope import Scope
from leaderboard.widgets import controls, go
from leaderboard.widgets.saving import picture
from leaderboard.widgets.scope import page
from leaderboard.widgets.tables import downloads, show_table

OWN = "two of my own"

READ = "Lines join the ranks of one method, of one execution. Hover for the recipe; click a dot to open its run."


def show(scope: Scope) -> None:
    """The page."""
    st.title("Trade-offs")
    arms = with_recipes(scope, trained(named(scope.summary())))
    there = measured(arms, (*SCORES, *COSTS))
    if len(there) < 2:
        st.info("No trained arm has two figures to set against each other yet.")
        return
    across, up, size, log_x, log_y, lines = _asked(arms, there)
    arms = in_units(with_standing(arms, scope.sections, (across, up)), {*there, across, up})
    told = [one for one in measured(arms, (RATE,)) if one.name in arms]
    chart = tradeoff(arms, across, up, told=told, log_x=log_x, log_y=log_y, size=size, lines=lines)
    if chart is None:
        st.info(f"No arm has both {across.label} and {up.label}.")
        return
    event = picture(chart, key="tradeoff", on_select="rerun", selection_mode=[PICK])
    st.caption(" ".join([*_left_out(arms, across, log_x), *_left_out(arms, up, log_y), _ringed(across, up), READ]))
    _table(arms, (up, across))
    _open_picked(scope, arms, event)


def _ringed(*both: Quantity) -> str:
    unjudged = [one.label for one in both if one.name not in JUDGED]
    if unjudged:
        return f"None is ringed: {unjudged[0]} is not judged by a test."
    return "Ringed: no other arm of its base is supported to beat it in both."


def _left_out(arms: pd.DataFrame, quantity: Quantity, log: bool) -> list[str]:
    """What a logarithmic axis has no place for."""
    count = int((arms[quantity.name] <= 0).sum()) if log else 0
    return [f"Left out: {count} arms whose {quantity.label} is not above zero."] if count else []


def _asked(arms: pd.DataFrame, there: list[Quantity]) -> tuple[Quantity, Quantity, Quantity | None, bool, bool, bool]:
    by_label = {one.label: one for one in there}
    known = {
        name: preset for name, preset in PRESETS.items()
        if preset.across.label in by_label and preset.up.label in by_label
    }  # fmt: skip
    first, second = st.columns([2, 3])
    with first:
        preset = controls.choose("Picture", [*known, OWN], key="preset")
    labels = list(by_label)
    if preset == OWN:
        with second:
            left, right = st.columns(2)
            with left:
                up = by_label[controls.choose("Upwards", labels, key="up")]
            with right:
                across = by_label[controls.choose("Across", labels, key="across", default=labels[-1])]
    else:
        across, up = (fitted(one, arms) for one in (known[preset].across, known[preset].up))
    places = st.columns(4)
    with places[0]:
        size = by_label.get(controls.choose("Size of the dots", ["alike", *labels], key="size"))
    with places[1]:
        log_x = controls.toggle("logarithmic across", key="logx")
    with places[2]:
        log_y = controls.toggle("logarithmic upwards", key="logy")
    with places[3]:
        lines = controls.toggle("join the ranks", key="lines", default=True)
    return across, up, size, log_x, log_y, lines


def _table(arms: pd.DataFrame, shown: tuple[Quantity, Quantity]) -> None:
    columns = standing_columns(shown)
    ordered = arms.sort_values("in_set", ascending=False, kind="stable")
    show_table(ordered, columns, key="tradeoffs")
    downloads(ordered, columns, name="trade-offs")


def _open_picked(scope: Scope, arms: pd.DataFrame, event: object) -> None:
    picked = getattr(event, "selection", {}).get(PICK) or []
    for one in picked:
        found = arms[(arms["arm_id"] == one.get("arm_id")) & (arms["section"] == one.get("section"))]
        if len(found):
            go.to_arm(scope, found.iloc[0])


page(show)
