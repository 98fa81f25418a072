"""Pages that look closer: ranks, memory, learning rates, forgetting and losses, as they open."""

from collections.abc import Iterator

import pandas as pd

from leaderboard import cache, tables
from leaderboard.export.blocks import Block, Grid, Panels, Picture, Said
from leaderboard.pictures.before_after import before_after
from leaderboard.pictures.forgotten import forgotten
from leaderboard.pictures.kept import kept
from leaderboard.pictures.losses import losses
from leaderboard.pictures.memory import stacks, totals
from leaderboard.pictures.panels import panels
from leaderboard.pictures.rates import rate_curve
from leaderboard.quantities import COSTS, RANK, RATE, SCORES, in_units, measured
from leaderboard.rows import forgetting as forgetting_rows
from leaderboard.rows import losses as loss_rows
from leaderboard.rows.arms import named, trained
from leaderboard.rows.leaderboard import PICTURED
from leaderboard.rows.memory import memory_of, memory_table
from leaderboard.rows.ranks import LINE, READ, SHOWN, in_families, rank_columns, rank_panels
from leaderboard.rows.rates import TABLE, curves_of, told
from leaderboard.rows.tasks import in_points, unit_of
from leaderboard.scope import Scope

NOTHING_TRAINED = "No trained arm: nothing was trained and scored."


def ranks(scope: Scope) -> Iterator[Block]:
    """Scores and costs against the rank."""
    arms = trained(named(scope.summary()))
    there = measured(arms, (*SCORES, *COSTS))
    across = next(iter(measured(arms, (RANK,))), None)
    if across is None:
        yield Said("None of these arms has a rank: nothing but full weights was trained, or nothing at all.")
        return
    arms = in_units(arms, [*there, across])
    names = {one.name for one in SHOWN}
    shown = [one for one in there if one.name in names]
    several, _ = rank_panels(arms, across, shown, LINE["rank"])
    yield Panels(several, "By rank", READ["rank"])
    yield Grid("ranks", in_families(arms, across), rank_columns([across, *shown]))


def memory(scope: Scope) -> Iterator[Block]:
    """What the bytes are, a picture a phase of one scale."""
    arms = named(scope.summary())
    found = memory_of(scope, arms)
    if found is None:
        yield Said("No run of these arms had the device to itself, so nothing is known of their memory.")
        return
    order = [row for row in arms["row"] if row in set(found.bars["row"])][:PICTURED]
    bars = found.bars[found.bars["row"].isin(order)]
    if len(bars):
        top = totals(bars, found.titled)[found.titled.name].max()
        read = (
            "Bars: what the bytes are at the peak of the phase, of runs alone on the device. Dashed: a card's memory."
        )
        for phase, own in bars.groupby("phase", sort=False):
            chart = stacks(own, order, found.titled, top)
            if chart is not None:
                yield Picture(chart, f"Memory, phase {phase}", read)
    yield Grid("memory", *memory_table(found))


def rates(scope: Scope) -> Iterator[Block]:
    """Each arm's curve over its grid of learning rates."""
    curves = curves_of(scope, named(scope.summary()))
    if curves.empty:
        yield Said("No arm here has a grid of learning rates.")
        return
    is_loss = curves["higher_is_better"] == 0
    for own in (curves[~is_loss], curves[is_loss]):
        read = "Hollow: validation, which chooses. Filled: test, with the range of its seeds. Dotted: the chosen rate."
        if several := panels(rate_curve(own), own, "row"):
            yield Panels(several[:PICTURED], "Score by learning rate", read)
    yield Grid("learning rates", told(curves), TABLE)


def forgetting(scope: Scope) -> Iterator[Block]:
    """Gain against forgetting, each general task before and after, refusals kept and lost."""
    arms = trained(named(scope.summary()))
    if arms.empty:
        yield Said(NOTHING_TRAINED)
        return
    yield from _gain_against_forgetting(scope, arms)
    tasks = in_points(scope.joined(cache.tasks), arms)
    yield from _before_and_after(tasks[tasks["role"] == "general"])
    answers = forgetting_rows.answers_kept(scope, arms)
    if len(answers):
        bars = forgetting_rows.bars_of(answers[answers["row"].isin(arms["row"].head(PICTURED))])
        yield Panels(panels(kept(bars), bars, "title"), "Refusals kept and lost", forgetting_rows.READ_KEPT)
        yield Grid("refusals", answers, forgetting_rows.KEPT)


def curves(scope: Scope) -> Iterator[Block]:
    """How the loss fell in training, at the chosen rates."""
    rows = loss_rows.losses_of(scope, named(scope.summary()))
    if rows.empty:
        yield Said("No loss was logged.")
        return
    read = "A line an arm at its chosen rate, the mean over its seeds; each stage from its own beginning."
    yield Panels(panels(losses(rows), rows, "base"), "Loss in training", read)


def _gain_against_forgetting(scope: Scope, arms: pd.DataFrame) -> Iterator[Block]:
    there = measured(arms, (*forgetting_rows.UP, *forgetting_rows.ACROSS, RATE))
    up, across = (
        next((one for one in wanted if one in there), None) for wanted in (forgetting_rows.UP, forgetting_rows.ACROSS)
    )
    if up is None or across is None:
        yield Said("No arm was scored both on what it was tuned for and on general tasks that its base was scored on.")
        return
    units = in_units(arms, there)
    near = forgetting_rows.near_to(forgetting_rows.runs_of(scope, arms, up, across), units, across)
    chart = forgotten(units, near, across, up)
    if chart is not None:
        read = "Strong: an arm at its chosen rate, with 95 % intervals. Faint: each run. Right of the line it forgot."
        yield Picture(chart, "Gain against forgetting", read)
    yield Grid("forgetting", units, [tables.ARM, tables.BASE, *(tables.of_quantity(one) for one in there)])


def _before_and_after(tasks: pd.DataFrame) -> Iterator[Block]:
    if tasks.empty:
        yield Said("No arm here was scored on a general task.")
        return
    rows = list(dict.fromkeys(tasks["row"]))[:PICTURED]
    shown = tasks[tasks["row"].isin(rows)]
    several = [
        panel
        for unit, own in shown.assign(unit=unit_of(shown)).groupby("unit", sort=False)
        for panel in panels(before_after(own, str(unit)), own, "task")
    ]
    if several:  # by how much a loss rose over the base is no score to draw
        read = "Grey bar: the base. Mark: the tuned model, with its interval."
        yield Panels(several, "General tasks before and after", read)
    yield Grid("general tasks", tasks, forgetting_rows.TASKS)
