"""An arm at other batch sizes, to search for the largest that fits: each an ordinary arm, run and kept like any other.

A probe differs from its arm in nothing but the batch. It runs at one rate and one seed, since neither moves memory or
speed, and is not scored; its cells are those that a matrix with that batch size would have.
"""

from dataclasses import replace

import methods.registry
from harness.arms import Arm
from harness.errors import UserError
from harness.limits import MemoryLimit
from harness.mixes import MixLibrary
from harness.needs import need_at_most
from harness.plan import Known, Outcome, Planner
from harness.predict.fit import largest
from harness.session import Session


def unsearchable(arm: Arm) -> str | None:
    """Why an arm has no largest batch to look for, in words; None if it has."""
    if arm.refusal:
        return arm.refusal
    if (piece := arm.execution["micro_batch_size"]) is not None:
        return f"its batch is computed {piece} at a time, so that a larger one needs no more memory"
    return None


def probe(arm: Arm, batch: int, planner: Planner, library: MixLibrary) -> Arm:
    """``arm`` at ``batch``; at its own batch it is that arm, at the rate that it has chosen where it has."""
    own = batch == arm.stage["batch_size"]
    alone = _at_one_rate(arm, planner, chosen=own)
    return alone if own else _with_batch(alone, batch, library)


def probing(session: Session, arm: Arm) -> Session:
    """A session that runs the probe ``arm`` alone, after what it starts from; nothing is scored, no result kept."""
    unscored = {"evals": (), "keep_weights": False}
    measured = {"measure": session.matrix.header.measure.model_copy(update={"enabled": True})}
    header = session.matrix.header.model_copy(update=unscored | measured)
    arms = [arm] if arm.parent is None else [arm.parent, arm]
    matrix = replace(session.matrix, header=header)
    return replace(session, matrix=matrix, arms=arms, tasks={}, tasks_folder=None, jobs=1)


def outcome_of(session: Session, arm: Arm, known: Known) -> Outcome | None:
    """How the probe that ``session`` is for has ended: well where it was measured; None where it is still to run."""
    lines = [line for line in session.planner(known).plan() if line.arm is arm]
    for line in lines:
        if line.state == "failed" and line.cell:
            return known.outcome(line.cell, line.purpose)
        if line.state in ("blocked", "refused"):
            return Outcome("", line.state, line.reason, 0.0)
    measured = next(line for line in lines if line.purpose == "measure")
    return known.outcome(measured.cell, "measure") if measured.cell else None


def predicted_largest(arm: Arm, device: str, limit: MemoryLimit, most: int) -> int | None:
    """The largest batch up to ``most`` that is predicted to fit, 0 if none is; None for what is not predicted."""

    def needed(batch: int) -> int:
        return need_at_most(replace(arm, stage={**arm.stage, "batch_size": batch}, _cells={}), device).peak_bytes

    try:
        return largest(needed, limit.usable_bytes, most)
    except UserError:
        return None


def _at_one_rate(arm: Arm, planner: Planner, *, chosen: bool) -> Arm:
    """The arm with one rate and one seed: the rate that stands if ``chosen`` is wanted and known, else the lowest."""
    choice = planner.choice(arm).rate if chosen else None
    rate = arm.rates[0] if choice is None else choice
    parent = None if arm.parent is None else _at_one_rate(arm.parent, planner, chosen=True)
    return replace(arm, rates=(rate,), seeds=arm.seeds[:1], parent=parent, _cells={})


def _with_batch(arm: Arm, batch: int, library: MixLibrary) -> Arm:
    settings = arm.variant.settings.model_copy(update={"batch_size": batch, "micro_batch_size": None})
    variant = replace(arm.variant, label=f"{arm.label}, batch {batch}", settings=settings)
    kind = methods.registry.get(arm.variant.method).learns_from
    assert kind != "nothing", "nothing is trained"
    mix = library.mix(kind, settings, arm.base)
    stage = {**arm.stage, "batch_size": batch, "steps": mix.steps}
    return replace(arm, variant=variant, stage=stage, mix=mix, _cells={})
