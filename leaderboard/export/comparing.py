"""Pages that compare: every two arms of a base, and each figure over stacks and results."""

from collections.abc import Iterator

import pandas as pd

from leaderboard import cache
from leaderboard.export.blocks import Block, Grid, Picture, Said
from leaderboard.pictures.past import past
from leaderboard.pictures.versus import forest
from leaderboard.quantities import fitted
from leaderboard.rows import history as history_rows
from leaderboard.rows.arms import named
from leaderboard.rows.leaderboard import PICTURED, SHOWN
from leaderboard.rows.pairs import COLUMNS, pairs_of
from leaderboard.scope import Scope


def compare(scope: Scope) -> Iterator[Block]:
    """The best arm of each base against the others, and every two arms of a base."""
    pairs = pairs_of(scope, named(scope.summary()))
    chart = forest(pairs[pairs["best"]].head(PICTURED), "points")
    if chart is None:
        yield Said("No two arms of one base were scored on the same target.")
        return
    read = (
        "Each mark is the best target score of a base minus another arm's, with its 95 % interval over the same items "
        "and seeds. Filled: supported. These comparisons are what an arm's place and its letters rest on."
    )
    yield Picture(chart, "The best arm against each other one", read)
    yield Grid("pairs", pairs, COLUMNS)
    yield Said(
        "Any two arms in every task and cost, two runs, two results and the gate's verdicts are chosen on the board "
        "itself (tunematrix board), or with tunematrix compare and tunematrix check."
    )


def history(scope: Scope) -> Iterator[Block]:
    """The leaderboard's figures of its best arms over every stack and result of the suite, told under the newest."""
    (here,) = scope.sections
    keys = [key for one in scope.listings for key in one.sections if key.suite == here.suite]
    keys.sort(key=lambda key: key.last_started_at)
    if len(keys) == 1:
        yield Said("All of these runs are of one stack in one source: there is no history of them yet.")
        return
    if here != keys[-1]:
        yield Said(f"Told under the newest results of this suite: {keys[-1].where}.")
        return
    known = history_rows.arms_of([cache.named(here)])
    arms = [known[name] for name in history_rows.best_of(scope, known)]
    pasts = [cache.past(key, tuple(arm.arm_id for arm in arms)) for key in keys]
    for shown in SHOWN:
        quantity = fitted(shown, pd.concat([one.arms for one in pasts]))
        points = history_rows.table(history_rows.histories_of(quantity, arms, pasts), quantity)
        chart = past(points, quantity)
        if chart is not None:
            read = "A point is an arm on one stack, with its 95 % interval. A dashed line, if there is one, is a step."
            yield Picture(chart, f"{quantity.label.capitalize()} over stacks and results", read)
            yield Grid(f"history of {quantity.label}", points, history_rows.columns(quantity))
    yield Said(
        "These are the three best arms; the history of any other, and of other figures, is on the board itself "
        "(tunematrix board) and in tunematrix history."
    )
