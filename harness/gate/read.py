"""A side of a check, read from a results file or a snapshot."""

from harness.analysis.gate import Side
from harness.errors import UserError
from harness.sections import Contents
from harness.sources import Source
from harness.store import reader


def read_side(source: Source, suite: str | None = None) -> Side:
    """The newest stack's runs of ``suite`` in ``source``; of the newest suite where none is named.

    Raises UserError where it holds no such runs.
    """
    contents = Contents(source.db)
    parts = contents.parts() if len(contents.arms) else []
    own = [part for part in parts if suite in (None, part.suite)]
    if not own:
        held = ", ".join(sorted({part.suite for part in parts})) or "nothing that has ended"
        raise UserError(f"{source.path}: no runs of the suite {suite or 'of any name'}; it holds {held}")
    part = own[0]
    frames, db = part.frames, source.db
    runs = frames.runs.assign(
        arm=frames.runs["arm_id"].map(frames.names),
        compute=frames.runs["recipe_id"].map(reader.compute_types(db)),
    )
    scores = frames.scores[frames.scores["split"] == "test"]
    return Side(
        name=source.name,
        suite=part.suite,
        stack_id=part.stack_id,
        facts=part.facts,
        execution=reader.executions(db),
        runs=runs,
        phases=frames.phases,
        scores=scores,
        items=reader.items(db, scores["run_id"]),
        losses=reader.losses(db, part.suite, part.stack_id),
        gradients=reader.gradients(db, part.suite, part.stack_id),
        logits=reader.logits(db, part.suite, part.stack_id),
    )
