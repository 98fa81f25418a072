"""Everything that a results file knows of one run. Every function takes a database and a run's id."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlite_utils import Database

from harness.store import reader

_RUN = """
SELECT runs.*, cells.recipe_id, cells.execution_id, cells.arm_id, cells.suite, cells.label, cells.method, cells.base,
       cells.rank, cells.learning_rate, cells.seed, cells.base_digest, cells.licences, cells.sources, cells.recipe,
       cells.execution, cells.parent_arm_id, cells.selection_task, stacks.facts, stacks.code_digest
FROM runs JOIN cells USING (cell_id) JOIN stacks USING (stack_id) WHERE runs.run_id = :run_id
"""
_JSON = ("licences", "sources", "recipe", "execution", "facts", "effective")

_STAGES = """
SELECT cell_stages.position, cell_stages.stage_id, stages.kind FROM cell_stages JOIN stages USING (stage_id)
WHERE cell_stages.cell_id = :cell_id ORDER BY cell_stages.position
"""

# The cell whose last stage an earlier stage of another cell is: it says where that stage's data were read.
_TRAINED_BY = "SELECT label, sources FROM cells WHERE recipe_id = :stage_id ORDER BY suite = :suite DESC LIMIT 1"

_MAKER = """
SELECT runs.run_id FROM cells JOIN runs USING (cell_id)
WHERE cells.recipe_id = :stage_id AND cells.execution_id = :execution_id AND runs.stack_id = :stack_id
  AND runs.purpose = 'quality' AND runs.status = 'ok'
ORDER BY runs.started_at DESC LIMIT 1
"""

_STEPS = """
SELECT step, loss, gradient_norm, tokens_seen, seconds FROM steps
WHERE run_id = :run_id AND stage_id = :stage_id ORDER BY step
"""

_STEP_PART_COLUMNS = [
    *("part", "seconds_median", "seconds_p25", "seconds_p75"),
    *("peak_allocated_bytes", "peak_reserved_bytes", "peak_ledger_bytes", "timed_tokens", "timed_joules"),
]
_STEP_PARTS = f"""
SELECT {", ".join(_STEP_PART_COLUMNS)} FROM step_parts WHERE run_id = :run_id AND stage_id = :stage_id
ORDER BY CASE part WHEN 'data' THEN 0 WHEN 'forward' THEN 1 WHEN 'reference' THEN 2 WHEN 'backward' THEN 3
                   WHEN 'optimizer' THEN 4 ELSE 5 END
"""
_TIMELINE = "SELECT columns FROM timelines WHERE run_id = :run_id AND stage_id = :stage_id"

_SCORES = """
SELECT scores.moment, scores.eval_id, evals.task, evals.role, evals.split, scores.metric, scores.value, scores.n_items,
       scores.higher_is_better, evals.chance, evals.item_digest, evals.task_version, evals.decoding
FROM scores JOIN evals USING (eval_id) WHERE scores.run_id = :run_id
ORDER BY evals.role, evals.task, scores.metric, scores.moment
"""

_BARE_BASES = """
SELECT runs.run_id, runs.cell_id FROM runs JOIN cells USING (cell_id)
WHERE cells.base_digest = :base_digest AND cells.method = 'base' AND runs.stack_id = :stack_id
  AND runs.purpose = 'quality' AND runs.status = 'ok'
  AND json_extract(cells.recipe, '$.stages[0].parameters.quantisation') = 'none'
  AND json_extract(cells.recipe, '$.stages[0].parameters.shots') = 0
ORDER BY runs.run_id = :base_run_id DESC, runs.started_at DESC
"""

STEP_COLUMNS = ["position", "kind", "step", "loss", "gradient_norm", "tokens_seen", "seconds"]


@dataclass(frozen=True)
class Stage:
    """A stage of a run's cell. ``label`` is the entry that trains it, and ``sources`` what that entry's cell says of
    where base and data were read; both None where no cell ends with this stage."""

    position: int
    stage_id: str
    kind: str
    label: str | None
    sources: dict[str, Any] | None


def about(db: Database, run_id: str) -> dict[str, Any] | None:
    """The run's row with its cell's and its stack's, JSON unpacked; None where there is no such run."""
    row = next(db.query(_RUN, {"run_id": run_id}), None)
    if row is None:
        return None
    return {**row, **{name: json.loads(row[name]) if row[name] else {} for name in _JSON}}


def stages(db: Database, run: dict[str, Any]) -> tuple[Stage, ...]:
    """The stages of a run (as of ``about``), first to last."""
    found = []
    for row in db.query(_STAGES, {"cell_id": run["cell_id"]}):
        own = row["stage_id"] == run["recipe_id"]
        told = run if own else next(db.query(_TRAINED_BY, {"stage_id": row["stage_id"], "suite": run["suite"]}), None)
        sources = None if told is None else told["sources"] if own else json.loads(told["sources"])
        label = None if told is None else str(told["label"])
        found.append(Stage(row["position"], row["stage_id"], row["kind"], label, sources))
    return tuple(found)


def steps(db: Database, run: dict[str, Any]) -> pd.DataFrame:
    """A row a logged step of every stage (``STEP_COLUMNS``), ``seconds`` since its stage began.

    An earlier stage that this run took over from another is told as that one recorded it.
    """
    found = []
    for stage in db.query(_STAGES, {"cell_id": run["cell_id"]}):
        keys = {"stage_id": stage["stage_id"], "execution_id": run["execution_id"], "stack_id": run["stack_id"]}
        rows = list(db.query(_STEPS, {"run_id": run["run_id"], "stage_id": stage["stage_id"]}))
        if not rows and (maker := next(db.query(_MAKER, keys), None)):
            rows = list(db.query(_STEPS, {"run_id": maker["run_id"], "stage_id": stage["stage_id"]}))
        found += [{"position": stage["position"], "kind": stage["kind"], **row} for row in rows]
    frame = pd.DataFrame(found, columns=STEP_COLUMNS)
    return frame.astype({name: float for name in ("loss", "gradient_norm", "tokens_seen", "seconds")})


def step_parts(db: Database, run: dict[str, Any]) -> pd.DataFrame:
    """A row a part of a training step of a measure run's own stage, in order, and the whole step last: its seconds
    and its peaks of bytes; with the whole step tokens and joules of all that were timed. Empty where steps were not
    looked into."""
    frame = pd.DataFrame(list(db.query(_STEP_PARTS, _own_stage(run))), columns=_STEP_PART_COLUMNS)
    return frame.astype(dict.fromkeys(_STEP_PART_COLUMNS[1:], float))


def timeline(db: Database, run: dict[str, Any]) -> pd.DataFrame:
    """What stood in memory in one step of a measure run's own stage: ``seconds`` since it began, its ``part``, bytes by
    component of the ledger, and on a GPU what was ``allocated``. Empty where no step was watched."""
    row = next(db.query(_TIMELINE, _own_stage(run)), None)
    if row is None:
        return pd.DataFrame(columns=["seconds", "part"])
    columns = json.loads(row["columns"])
    moments = len(columns["seconds"])
    return pd.DataFrame({name: values * moments if len(values) == 1 else values for name, values in columns.items()})


def _own_stage(run: dict[str, Any]) -> dict[str, str]:
    return {"run_id": run["run_id"], "stage_id": run["recipe_id"]}


def base_scores(db: Database, run: dict[str, Any]) -> pd.DataFrame:
    """The ``scores`` of the bare base that a run is compared with."""
    found = [scores(db, run_id) for run_id in base_runs(db, run)]
    return pd.concat(found).drop_duplicates(["eval_id", "metric", "moment"]) if found else scores(db, "")


def scores(db: Database, run_id: str) -> pd.DataFrame:
    """A row a moment, eval and metric that the run was scored in, with the eval's facts."""
    frame = pd.DataFrame(list(db.query(_SCORES, {"run_id": run_id})), columns=_SCORE_COLUMNS)
    frame["higher_is_better"] = frame["higher_is_better"].astype(bool)
    return frame.astype({"value": float, "chance": float})


_SCORE_COLUMNS = [
    *("moment", "eval_id", "task", "role", "split", "metric", "value", "n_items", "higher_is_better", "chance"),
    *("item_digest", "task_version", "decoding"),
]


def base_runs(db: Database, run: dict[str, Any]) -> list[str]:
    """The runs of the bare base that this one (as of ``about``) is compared with, task by task with the first that was
    scored on it: the one that was current when it ended, then the newest on its stack. None for that base itself.

    A base that another suite scored since, or before, was scored on that suite's tasks alone.
    """
    keys = {name: run[name] for name in ("base_digest", "stack_id", "base_run_id")}
    found = list(db.query(_BARE_BASES, keys))
    return [] if any(row["cell_id"] == run["cell_id"] for row in found) else [str(row["run_id"]) for row in found]


def base_items(db: Database, run: dict[str, Any]) -> pd.DataFrame:
    """The ``items`` of the bare base that a run is compared with."""
    bases = base_runs(db, run)
    found = reader.items(db, bases, answers=True)
    found = found[found["moment"] == "base"].sort_values("run_id", key=lambda ids: ids.map(bases.index))
    return found.drop_duplicates("eval_id")


def items(db: Database, run_id: str) -> pd.DataFrame:
    """See ``reader.items``: with the answers."""
    return reader.items(db, [run_id], answers=True)
