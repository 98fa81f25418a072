"""A side of a check, read from a results file or a snapshot."""

from harness.analysis.gate import Side
from harness.analysis.section import arm_names
from harness.errors import UserError
from harness.sections import Contents, evals_of
from harness.sources import Source
from harness.store import reader
from harness.store.schema import UNFINISHED


def read_side(source: Source, suite: str | None = None) -> Side:
    """The newest stack's runs of ``suite`` in ``source``; of the newest suite where none is named. No others are read.

    Raises UserError where it holds no such runs.
    """
    db = source.db
    suite, stack_id = _newest(source, suite)
    contents = Contents(db, only=(suite, stack_id))
    runs = contents.runs[~contents.runs["status"].isin(UNFINISHED)]
    names = runs["arm_id"].map(arm_names(runs.drop_duplicates("arm_id")))
    runs = runs.assign(arm=names + " · " + runs["base"], order_digest=runs["order_digest"].fillna(""))
    runs = runs.join(reader.recipes(db), on="recipe_id")
    scores = evals_of(contents.scores, suite)
    scores = scores[scores["split"] == "test"]
    return Side(
        name=source.name,
        suite=suite,
        stack_id=stack_id,
        facts=contents.facts[stack_id],
        execution=reader.executions(db),
        runs=runs,
        phases=contents.phases[contents.phases["run_id"].isin(runs["run_id"])],
        scores=scores,
        items=reader.items(db, scores["run_id"], values=False),
        losses=reader.losses(db, suite, stack_id),
        gradients=reader.gradients(db, suite, stack_id),
        logits=reader.logits(db, suite, stack_id),
    )


def _newest(source: Source, suite: str | None) -> tuple[str, str]:
    """The suite, and its stack on which training started last."""
    reader.unsettle(source.db)
    trained = reader.trained(source.db)
    own = trained if suite is None else trained[trained["suite"] == suite]
    if own.empty:
        held = ", ".join(sorted(trained["suite"].unique())) or "nothing that has ended"
        raise UserError(f"{source.path}: no runs of the suite {suite or 'of any name'}; it holds {held}")
    return str(own["suite"].iloc[0]), str(own["stack_id"].iloc[0])
