"""Pages that help to choose: the leaderboard and the trade-offs, as they open, and which to take without limits."""

from collections.abc import Iterator

import pandas as pd

from harness.analysis.recommend import Recommendation, preferred
from harness.report import reasons
from leaderboard import cache, tables
from leaderboard.export.blocks import Block, Grid, Picture, Said
from leaderboard.pictures.limits import within_limits
from leaderboard.pictures.lineup import lineup
from leaderboard.pictures.tradeoff import tradeoff
from leaderboard.quantities import COSTS, GAIN, RATE, SCORES, TARGET, fitted, in_units, measured
from leaderboard.rows.arms import named, trained, with_standing
from leaderboard.rows.choices import ACROSS, DECIDES, PLACE, REMARK, with_outcome, within
from leaderboard.rows.leaderboard import FIGURES, PICTURED, arm_columns, pictured
from leaderboard.rows.tradeoffs import PRESETS, standing_columns, with_recipes
from leaderboard.scope import Scope


def arms(scope: Scope) -> Iterator[Block]:
    """Every arm, as the leaderboard has them."""
    rows = named(scope.summary())
    there = measured(rows, FIGURES)
    rows = in_units(rows, there)
    panel = lineup(rows.head(PICTURED), pictured(there))
    if panel is not None:
        more = f" The picture shows the first {PICTURED} of {len(rows)} arms." if len(rows) > PICTURED else ""
        read = "Dots: estimates with 95 % intervals over items and seeds. Bars: costs, alone on the device."
        yield Picture(panel, "Every arm's scores and costs", read + more)
    yield Grid("arms", rows, arm_columns(there)[1])


def tradeoffs(scope: Scope) -> Iterator[Block]:
    """Each preset of the trade-offs that was measured."""
    rows = with_recipes(scope, trained(named(scope.summary())))
    there = measured(rows, (*SCORES, *COSTS, RATE))
    names = {one.name for one in there}
    drawn = 0
    for preset, pair in PRESETS.items():
        if not {pair.across.name, pair.up.name} <= names:
            continue
        across, up = fitted(pair.across, rows), fitted(pair.up, rows)
        judged = in_units(with_standing(rows, scope.sections, (across, up)), {*there, across, up})
        chart = tradeoff(judged, across, up, told=there)
        if chart is not None:
            drawn += 1
            yield Picture(
                chart, preset.capitalize(), "Ringed: no other arm of its base is supported to beat it in both."
            )
            ordered = judged.sort_values("in_set", ascending=False, kind="stable")
            yield Grid(preset, ordered, standing_columns((up, across)))
    if not drawn:
        yield Said("No trained arm has two figures to set against each other.")


def which(scope: Scope) -> Iterator[Block]:
    """For each base the arm to take where nothing is limited, and why."""
    arms = trained(named(scope.summary()))
    if arms.empty:
        yield Said("No trained arm to choose from.")
        return
    (key,) = scope.sections
    for base, own in arms.groupby("base", sort=False):
        found = cache.recommendation(key, (), tuple(own["arm_id"]))
        yield from _choice(str(base), own, found)
    yield Said(
        "Limits on memory, forgetting, gain, time and price can't be set on a page without a server: the board itself "
        "(tunematrix board) and tunematrix recommend take them."
    )


def _choice(base: str, arms: pd.DataFrame, found: Recommendation) -> Iterator[Block]:
    by = next(iter(DECIDES))
    pick = preferred(found, by)
    if pick is None:
        return
    lines = [reasons.why(pick, found, by), reasons.forgets(pick.row), reasons.perplexity(pick.row)]
    yield Said(" ".join(filter(None, [f"Without limits, take {reasons.name_of(pick)}.", *lines])))
    there = measured(arms, (GAIN, TARGET, *ACROSS))
    units = in_units(arms, there)
    up = next((one for one in there if one.better == "more"), None)
    across = next((one for one in there if one.better == "less"), None)
    if up and across and (chart := within_limits(with_outcome(units, found, pick), across, up, {}, {})) is not None:
        yield Picture(chart, f"{up.label.capitalize()} against {across.label} on {base}", "Ringed: the one to take.")
    columns = [*PLACE, tables.ARM, *(tables.of_quantity(one) for one in there), REMARK]
    yield Grid(f"choices on {base}", within(units, found), columns)
