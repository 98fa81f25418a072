"""What the store knows of one stack, as a plan needs it."""

from sqlite_utils import Database

from harness.assignment import score_key
from harness.events import OWN_MOMENTS
from harness.plan import Known, Outcome

_RUNS = """
SELECT run_id, cell_id, purpose, status, reason, coalesce(wall_seconds, 0) AS seconds FROM runs
WHERE stack_id = ? AND status NOT IN ('queued', 'running')
ORDER BY status = 'ok', started_at, run_id
"""
_SCORES = """
SELECT runs.run_id, scores.eval_id, scores.metric, scores.moment, evals.task, evals.split,
       CASE scores.higher_is_better WHEN 1 THEN scores.value ELSE -scores.value END AS value
FROM runs JOIN scores USING (run_id) JOIN evals USING (eval_id)
WHERE runs.stack_id = ? AND runs.status = 'ok'
"""


def read_known(db: Database, stack_id: str) -> Known:
    """Outcomes and artifacts on ``stack_id``: a good run outweighs a bad one, a newer one an older."""
    evals: dict[str, set[str]] = {}
    validation: dict[str, dict[str, float]] = {}
    for row in db.query(_SCORES, [stack_id]):
        evals.setdefault(row["run_id"], set()).add(score_key(row["eval_id"], row["metric"], row["moment"]))
        if row["moment"] in OWN_MOMENTS and row["split"] == "validation" and row["value"] is not None:
            validation.setdefault(row["run_id"], {})[row["task"]] = row["value"]
    known = Known()
    for row in db.query(_RUNS, [stack_id]):
        run_id = row["run_id"]
        known.outcomes[row["cell_id"], row["purpose"]] = Outcome(
            run_id,
            row["status"],
            row["reason"],
            row["seconds"],
            frozenset(evals.get(run_id, ())),
            validation.get(run_id, {}),
        )
    for row in db.query("SELECT * FROM artifacts WHERE stack_id = ?", [stack_id]):
        known.artifacts[row["stage_id"], row["execution_id"]] = row
    return known
