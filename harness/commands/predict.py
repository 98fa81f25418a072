"""`tunematrix predict --score`: stored predictions against what was measured."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.analysis.memory import peaks
from harness.analysis.predictions import memory_errors, time_errors
from harness.commands.console import console_for_people
from harness.errors import UserError
from harness.predict.held_out import read_held_out
from harness.report.scored import as_json, print_scores, scored
from harness.sections import Contents
from harness.sources import open_source
from harness.store import step_reader


def show_score(sources: Sequence[Path], *, as_json_: bool) -> None:
    """Print the error of every prediction in ``sources``; raises UserError where there is none to judge."""
    memory, time = (
        pd.concat(found).drop_duplicates(["run_id", "component"])
        for found in zip(*map(_errors_of, sources), strict=True)
    )
    if memory.empty:
        named = ", ".join(map(str, sources))
        raise UserError(f"{named}: no measure run with a stored prediction; `tunematrix run` stores one for each")
    found = scored(memory, time, read_held_out())
    if as_json_:
        print(json.dumps(as_json(found), indent=1, allow_nan=False))
    else:
        print_scores(found, console_for_people())


def _errors_of(source: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of memory, and of time."""
    contents = Contents(open_source(source).db)
    predictions = step_reader.every_prediction(contents.db)
    by_stack = [peaks(phases) for _, phases in contents.phases.groupby("stack_id")]
    memory = memory_errors(pd.concat(by_stack or [peaks(contents.phases)]), predictions)
    return memory, time_errors(step_reader.every_step(contents.db), predictions)
