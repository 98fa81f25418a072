"""What did not run, what it ran on, and what was answered."""

from collections.abc import Iterator

import pandas as pd

from leaderboard import cache, tables
from leaderboard.export.blocks import Block, Grid, Picture, Said
from leaderboard.pictures.failures import heatmap
from leaderboard.rows.arms import named, trained
from leaderboard.rows.failures import COLUMNS, alike, placed, runs_and_failures
from leaderboard.rows.items import item_columns
from leaderboard.rows.run import HASHED
from leaderboard.scope import Scope


def failures(scope: Scope) -> Iterator[Block]:
    """What did not run, and why."""
    arms = named(scope.summary())
    runs, failed = runs_and_failures(scope, arms)
    if failed.empty:
        yield Said(f"Nothing failed: {(runs['status'] == 'ok').sum()} runs ended well.")
        return
    still = failed[~failed["mended"]]
    if still.empty:
        yield Said("Whatever failed was run again since, and ended well.")
        return
    chart = heatmap(*placed(runs, failed, arms, "base"))
    if chart is not None:
        yield Picture(chart, "Runs that failed", "Of all that ended there; the darker, the more of them.")
    yield Grid("failures", alike(still, arms), COLUMNS)


def stack(scope: Scope) -> Iterator[Block]:
    """What the runs ran on."""
    rows = [(key, str(value)) for _, part in scope.parts() for key, value in part.facts.items() if value is not None]
    columns = [
        tables.text("key", "part", "A library, or a part of the machine."),
        tables.text("value", "version or size", "As it named itself when the runs were made."),
    ]
    yield Grid("stack", pd.DataFrame(rows, columns=["key", "value"]), columns)


def answers(scope: Scope) -> Iterator[Block]:
    """Prompts, and what base and tuned model answered: of each trained arm the first seed at its chosen rate."""
    arms = trained(named(scope.summary()))
    (key,) = scope.sections
    runs = cache.part(key).frames.runs
    chosen = runs[runs["chosen"] & (runs["purpose"] == "quality")].sort_values("seed").drop_duplicates("arm_id")
    run_of = chosen.set_index("arm_id")["run_id"]
    said: set[str] = set()
    for arm_id, row in arms[["arm_id", "row"]].itertuples(index=False):
        items, problems = cache.items(key, str(run_of[arm_id]), "tuned")
        for problem in [one for one in problems if one not in said]:
            yield Said(f"No prompts: {problem}.")
        said.update(problems)
        if len(items):
            hashed = items["after"].str.startswith(HASHED).any()
            if hashed and HASHED not in said:
                yield Said("These results were published without what the models generated: such answers are hashes.")
                said.add(HASHED)
            yield Grid(f"answers of {row}", items, item_columns("tuned", compared=True))
    if arms.empty:
        yield Said("No trained arm: nothing was answered by one.")
