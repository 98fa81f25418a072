"""How far the search for an arm's largest batch has come, by what is in the file: whatever is predicted today."""

import json
from typing import Any

from sqlite_utils import Database

from harness.arms import Arm
from harness.largest_batch.policy import AT_MOST, bounds, next_batch
from harness.largest_batch.probes import outcome_of, probe, probing, unsearchable
from harness.plan import Known, Outcome
from harness.session import Session

_TRIED = "SELECT DISTINCT recipe FROM cells JOIN runs USING (cell_id) WHERE stack_id = ?"
_RUN = "SELECT cell_id, purpose, learning_rate, seed FROM runs JOIN cells USING (cell_id) WHERE run_id = ?"


def searched_lines(session: Session, known: Known, db: Database) -> list[dict[str, Any]]:
    """An entry for each arm that trains: its search, and the run that ended it, as ``expected.Expected`` has them."""
    stages = [json.loads(recipe)["stages"][-1] for (recipe,) in db.execute(_TRIED, [session.stack_id]).fetchall()]
    batches = sorted({stage["batch_size"] for stage in stages if "batch_size" in stage})
    return [_line(session, arm, batches, known, db) for arm in session.arms if arm.trains]


def _line(session: Session, arm: Arm, batches: list[int], known: Known, db: Database) -> dict[str, Any]:
    line = {"cell_id": None, "arm": arm.name, "learning_rate": None, "seed": None, "purpose": "measure"}
    if reason := unsearchable(arm):
        return {**line, "state": "refused", "why": reason}
    tried = _tried(session, arm, batches, known)
    state, why, outcome = standing(tried, int(arm.stage["batch_size"]))
    run = next(db.query(_RUN, [outcome.run_id]), {}) if outcome else {}
    return {**line, **run, "state": state, "why": why}


def _tried(session: Session, arm: Arm, batches: list[int], known: Known) -> dict[int, Outcome]:
    """What became of each batch; at another than these nothing has run."""
    planner = session.planner(known)
    arms = {batch: probe(arm, batch, planner, session.library) for batch in batches}
    found = {batch: outcome_of(probing(session, one), one, known) for batch, one in arms.items()}
    return {batch: outcome for batch, outcome in found.items() if outcome is not None}


def standing(tried: dict[int, Outcome], own: int) -> tuple[str, str | None, Outcome | None]:
    """State, reason, and the run that shows it. The largest is known by the rule of the search, the own batch with it;
    any other end than memory's is one, where a larger batch might have fitted."""
    fits = {batch: outcome.ok for batch, outcome in tried.items() if outcome.status in ("ok", "oom")}
    low, high = bounds(fits)
    if own in fits and next_batch(fits, own, own, AT_MOST) is None:
        if low:
            return "done", f"largest batch: {low}", tried[low]
        return "failed", tried[1].reason, tried[1]  # not even one example fits
    for batch in sorted(tried.keys() - fits.keys()):
        if batch > low and (high is None or batch < high):
            ended = tried[batch]
            state = ended.status if ended.status in ("blocked", "refused") else "failed"
            return state, f"batch {batch} ended as {ended.status}: {ended.reason}", ended
    return "left", f"its largest batch is not known: {low} fits" if low else "its search has not begun", None
