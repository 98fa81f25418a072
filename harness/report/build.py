"""From a results file to a report: the tables of every suite and stack in it."""

import pandas as pd
from sqlite_utils import Database

from harness.report.ladder import ladder_table
from harness.report.model import Report, Section
from harness.report.steps import step_tables
from harness.report.tables import tables
from harness.sections import Contents, Part
from harness.store import reader, step_reader
from harness.store.schema import UNFINISHED


def build_report(db: Database) -> Report:
    """Every table of every suite and stack in ``db``."""
    contents = Contents(db, every_rate=False)
    if contents.arms.empty:
        return Report((), _nothing(contents.runs))
    return Report(tuple(_section(part, db) for part in contents.parts()))


def _section(part: Part, db: Database) -> Section:
    runs = part.frames.runs
    reads = (step_reader.step_parts, step_reader.step_work, step_reader.predictions)
    steps = [read(db, part.suite, part.stack_id) for read in reads]
    over = runs[~runs["status"].isin(UNFINISHED)]
    return Section(
        suite=part.suite,
        stack_id=part.stack_id,
        facts=part.facts,
        runs={str(status): int(n) for status, n in over["status"].value_counts().items()},
        seeds=_seeds(runs),
        tables=(
            *tables(part.frames, part.failures),
            *ladder_table(part.frames, reader.recipes_of(db, part.frames.arms["arm_id"]), reader.executions(db)),
            *step_tables(part.frames, part.facts, *steps),
        ),
    )


def _seeds(runs: pd.DataFrame) -> tuple[int, ...]:
    trained = runs.loc[(runs["purpose"] == "quality") & runs["learning_rate"].notna(), "seed"]
    return tuple(sorted({int(seed) for seed in trained.dropna()}))


def _nothing(runs: pd.DataFrame) -> str:
    going = int(runs["status"].isin(UNFINISHED).sum())
    if going:
        return f"Nothing to show yet: no run has ended ({going} under way)."
    return "Nothing to show: this file holds no runs. `tunematrix run` makes some."
