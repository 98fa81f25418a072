"""Pages that help to choose: the leaderboard and the trade-offs, as they open."""

from collections.abc import Iterator

from leaderboard.export.blocks import Block, Grid, Picture, Said
from leaderboard.pictures.lineup import lineup
from leaderboard.pictures.tradeoff import tradeoff
from leaderboard.quantities import COSTS, RANK, RATE, SCORES, fitted, in_units, measured
from leaderboard.rows.arms import named, trained, with_standing
from leaderboard.rows.leaderboard import PICTURED, arm_columns, pictured
from leaderboard.rows.tradeoffs import PRESETS, standing_columns, with_recipes
from leaderboard.scope import Scope


def arms(scope: Scope) -> Iterator[Block]:
    """Every arm, as the leaderboard has them."""
    rows = named(scope.summary())
    there = measured(rows, (*SCORES, *COSTS, RATE, RANK))
    rows = in_units(rows, there)
    chart = lineup(rows.head(PICTURED), pictured(there))
    if chart is not None:
        more = f" The picture shows the first {PICTURED} of {len(rows)} arms." if len(rows) > PICTURED else ""
        read = "Dots: estimates with 95 % intervals over items and seeds. Bars: costs, alone on the device."
        yield Picture(chart, "Every arm's scores and costs", read + more)
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
