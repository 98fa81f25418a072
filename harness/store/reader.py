"""What a results file holds, as pandas frames: one query each, nothing derived that a view or the analysis defines.

What was not measured is None or NaN in a frame. Every function takes a database from ``open_for_reading``.
"""

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any

import pandas as pd
from sqlite_utils import Database

from harness.settings import LATER_KERNELS
from harness.store.frames import frame_of, of_last_stages
from harness.store.packing import FloatLists, unpack_outcomes, unpack_texts
from harness.store.schema import FAILED

_FAILED = ", ".join(f"'{status}'" for status in FAILED)

_ARMS = f"""
WITH own AS (
    SELECT arm_id, json_extract(recipe, '$.stages[#-1].batch_size') AS batch_size,
           json_extract(recipe, '$.stages[#-1].sequence_length') AS sequence_length FROM cells GROUP BY arm_id)
SELECT cells.arm_id, runs.stack_id, max(cells.suite) AS suite, max(cells.label) AS label, max(cells.method) AS method,
       max(cells.base) AS base, max(cells.base_digest) AS base_digest, max(cells.rank) AS rank,
       max(cells.parent_arm_id) AS parent_arm_id, max(cells.execution_id) AS execution_id,
       max(own.batch_size) AS batch_size, max(own.sequence_length) AS sequence_length,
       max(CASE cells.method WHEN 'base' THEN json_extract(cells.recipe, '$.stages[0].parameters.quantisation') END)
           AS quantisation,
       max(CASE cells.method WHEN 'base' THEN json_extract(cells.recipe, '$.stages[0].parameters.shots') END) AS shots,
       max(chosen.learning_rate) AS chosen_rate, max(chosen.seeds) AS seeds,
       coalesce(max(CASE WHEN cells.learning_rate IS chosen.learning_rate THEN cells.selection_task END),
                max(cells.selection_task)) AS selection_task,
       max(runs.trainable_parameters) AS trainable_parameters, max(runs.total_parameters) AS total_parameters,
       sum(runs.status = 'ok') AS ok_runs, sum(runs.status IN ({_FAILED})) AS failed_runs,
       CASE WHEN sum(runs.status = 'ok') THEN 'ok'
            ELSE max(CASE WHEN runs.status IN ({_FAILED}) THEN runs.status END) END AS status,
       max(runs.started_at) AS last_started_at
FROM runs JOIN cells USING (cell_id) JOIN own USING (arm_id)
LEFT JOIN chosen ON chosen.arm_id = cells.arm_id AND chosen.stack_id = runs.stack_id
WHERE runs.purpose = 'quality'
GROUP BY cells.arm_id, runs.stack_id
ORDER BY suite, runs.stack_id, base, label, rank
"""

# A base is one cell, under the suite that ran it first: another suite's runs of it count where its bases are the same.
_SECTIONS = """
WITH told AS (
    SELECT cells.suite, runs.stack_id, count(*) AS runs, sum(runs.status IN ('queued', 'running')) AS unfinished,
           max(runs.started_at) AS last_started_at, max(runs.ended_at) AS last_ended_at,
           max(CASE WHEN cells.method != 'base' THEN runs.started_at END) AS last_trained_at
    FROM runs JOIN cells USING (cell_id) GROUP BY cells.suite, runs.stack_id
), shared AS (
    SELECT cells.suite, cells.base_digest, runs.stack_id, count(*) AS runs,
           sum(runs.status IN ('queued', 'running')) AS unfinished, max(runs.ended_at) AS last_ended_at
    FROM cells CROSS JOIN runs USING (cell_id) WHERE cells.method = 'base'
    GROUP BY cells.suite, cells.base_digest, runs.stack_id
), bases AS (SELECT DISTINCT suite, base_digest FROM cells)
SELECT told.suite, told.stack_id, told.runs + coalesce(sum(shared.runs), 0) AS runs,
       told.unfinished + coalesce(sum(shared.unfinished), 0) AS unfinished, told.last_started_at,
       nullif(max(coalesce(told.last_ended_at, ''), coalesce(max(shared.last_ended_at), '')), '') AS last_ended_at,
       told.last_trained_at
FROM told LEFT JOIN shared ON shared.stack_id = told.stack_id AND shared.suite != told.suite AND EXISTS (
    SELECT 1 FROM bases WHERE bases.suite = told.suite AND bases.base_digest = shared.base_digest)
WHERE told.last_trained_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM told AS other WHERE other.stack_id = told.stack_id
                                                       AND other.last_trained_at IS NOT NULL)
GROUP BY told.suite, told.stack_id
ORDER BY told.last_trained_at IS NULL, coalesce(told.last_trained_at, told.last_started_at) DESC
"""

_TRAINED = """
SELECT cells.suite, runs.stack_id, max(runs.started_at) AS last_started_at FROM runs JOIN cells USING (cell_id)
WHERE cells.method != 'base' AND runs.status NOT IN ('queued', 'running')
GROUP BY cells.suite, runs.stack_id ORDER BY last_started_at DESC
"""

_UNDER_WAY = """
SELECT runs.run_id, cells.suite, runs.stack_id, cells.label, cells.method, cells.base, cells.rank, cells.learning_rate,
       cells.seed, runs.purpose, runs.status, runs.started_at, runs.heartbeat_at
FROM runs JOIN cells USING (cell_id) WHERE runs.status IN ('queued', 'running')
ORDER BY runs.status = 'queued', runs.started_at
"""

_EXCERPT = """
CREATE TEMP TABLE runs AS SELECT * FROM main.runs WHERE stack_id = :stack_id AND cell_id IN (
    SELECT cell_id FROM cells WHERE suite = :suite
        OR (method = 'base' AND base_digest IN (SELECT base_digest FROM cells WHERE suite = :suite)))
"""

# Of some arms, with what they are measured from: the untrained arms of their bases, full SFT's speed, and the arms that
# they start from, whose tuning they cost as well.
_EXCERPT_OF_ARMS = """
CREATE TEMP TABLE runs AS
WITH wanted AS (SELECT * FROM cells WHERE arm_id IN (SELECT value FROM json_each(:arms)))
SELECT * FROM main.runs WHERE stack_id = :stack_id AND cell_id IN (
    SELECT cell_id FROM wanted
    UNION SELECT cell_id FROM cells WHERE arm_id IN (SELECT parent_arm_id FROM wanted)
    UNION SELECT cell_id FROM cells WHERE base_digest IN (SELECT base_digest FROM wanted)
        AND (method = 'base' OR (method = 'full_sft' AND suite = :suite)))
"""

_RUNS = """
SELECT runs.run_id, runs.cell_id, cells.recipe_id, cells.execution_id, cells.arm_id, runs.stack_id, cells.suite,
       cells.label, cells.method, cells.base, cells.base_digest, cells.parent_arm_id,
       cells.rank, cells.learning_rate, cells.seed, runs.purpose, runs.exclusive, runs.status, runs.reason,
       runs.failed_phase, runs.started_at, runs.ended_at, runs.wall_seconds, runs.git_commit, runs.git_dirty,
       runs.order_digest, runs.real_tokens, runs.loss_tokens, runs.trainable_parameters, runs.total_parameters,
       runs.base_run_id, runs.source, chosen.arm_id IS NOT NULL AS rate_chosen,
       CASE cells.method WHEN 'base' THEN
           json_extract(cells.recipe, '$.stages[0].parameters.quantisation') = 'none'
           AND json_extract(cells.recipe, '$.stages[0].parameters.shots') = 0 END AS bare
FROM runs JOIN cells USING (cell_id)
LEFT JOIN chosen ON chosen.arm_id = cells.arm_id AND chosen.stack_id = runs.stack_id
                AND chosen.learning_rate IS cells.learning_rate
"""

_RATES = f"""
WITH tried AS (
    SELECT cells.arm_id, runs.stack_id, max(cells.suite) AS suite, max(cells.label) AS label,
           max(cells.method) AS method, max(cells.base) AS base, max(cells.rank) AS rank, cells.learning_rate,
           sum(runs.status = 'ok') AS ok_runs, sum(runs.status IN ({_FAILED})) AS failed_runs,
           group_concat(DISTINCT CASE WHEN runs.status IN ({_FAILED}) THEN runs.status END) AS failures
    FROM runs JOIN cells USING (cell_id)
    WHERE runs.purpose = 'quality' AND runs.status NOT IN ('queued', 'running') AND cells.learning_rate IS NOT NULL
    GROUP BY cells.arm_id, runs.stack_id, cells.learning_rate
)
SELECT tried.*, coalesce(rates.seeds, 0) AS seeds, rates.validation, rates.higher_is_better,
       chosen.arm_id IS NOT NULL AS chosen
FROM tried
LEFT JOIN rates USING (arm_id, stack_id, learning_rate)
LEFT JOIN chosen USING (arm_id, stack_id, learning_rate)
ORDER BY tried.suite, tried.stack_id, tried.base, tried.label, tried.rank, tried.arm_id, tried.learning_rate
"""

_FAILURES = f"""
SELECT runs.run_id, cells.arm_id, runs.stack_id, cells.suite, cells.label, cells.method, cells.base, cells.rank,
       cells.learning_rate, cells.seed, runs.purpose, runs.status, runs.failed_phase, runs.reason, runs.wall_seconds,
       runs.started_at, EXISTS (
           SELECT 1 FROM runs AS later WHERE later.cell_id = runs.cell_id AND later.stack_id = runs.stack_id
            AND later.purpose = runs.purpose AND later.status = 'ok' AND later.started_at > runs.started_at) AS mended
FROM runs JOIN cells USING (cell_id)
WHERE runs.status IN ({_FAILED})
ORDER BY runs.started_at DESC, runs.run_id
"""

_PHASES = """
SELECT phases.*, cell_stages.position FROM phases JOIN runs USING (run_id)
LEFT JOIN cell_stages ON cell_stages.cell_id = runs.cell_id AND cell_stages.stage_id = phases.stage_id
ORDER BY phases.rowid
"""

_CURVES = """
SELECT latest.arm_id, latest.stack_id, latest.seed, latest.run_id, steps.step, steps.loss, steps.gradient_norm,
       steps.tokens_seen, steps.seconds
FROM chosen_runs AS latest JOIN cells USING (cell_id)
JOIN steps ON steps.run_id = latest.run_id AND steps.stage_id = cells.recipe_id
WHERE latest.purpose = 'quality'
ORDER BY latest.arm_id, latest.stack_id, latest.seed, steps.step
"""

_PHASE_RUN = ["run_id", "arm_id", "cell_id", "stack_id", "purpose", "exclusive", "status", "latest", "started_at"]
_SCORED_RUN = [
    *("run_id", "arm_id", "stack_id", "suite", "label", "method", "base", "rank", "seed", "learning_rate"),
    *("base_digest", "base_run_id", "bare", "rate_chosen"),
]
_LATEST = "run_id, arm_id, stack_id, learning_rate, seed, purpose, wall_seconds, selection_task"
_SAME_EVAL = ["eval_id", "metric"]
_SAME_BASE = ["base_digest", "stack_id", *_SAME_EVAL]
_SCORED_ONCE = ["arm_id", "learning_rate", "seed", "stack_id", "moment", *_SAME_EVAL]
_SCORE_ORDER = ["stack_id", "arm_id", "learning_rate", "seed", "moment", "task", "metric"]
_SCORE_COLUMNS = [
    *("run_id", "arm_id", "stack_id", "suite", "label", "method", "base", "rank", "seed", "learning_rate", "moment"),
    *("eval_id", "task", "role", "split", "metric", "value", "n_items", "higher_is_better", "chance", "base_run_id"),
    *("base_value", "chosen"),
]
_LEDGER = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation")


def settle(db: Database) -> None:
    """Work the views of runs and rates out once for this connection, as tables of the same names that only it sees.

    Each frame reads them; a results file of ten thousand runs takes a good part of a second each time otherwise.
    """
    unsettle(db)
    db.execute(f"CREATE TEMP TABLE latest AS SELECT {_LATEST} FROM main.latest")
    for name in ("rates", "chosen"):  # each reads the one before
        db.execute(_as_table(db, name))


def sections(db: Database) -> pd.DataFrame:
    """A row a suite and stack, the one that was trained on last first: how many ``runs`` an ``excerpt`` of it has, how
    many of them are ``unfinished``, when one of them ``last_ended_at``, and when one of its own ``last_started_at``.
    Quick however many runs there are.

    An untrained base's run may belong to another suite as well, so it alone makes no section where there is a trained.
    """
    return frame_of(db, _SECTIONS)


def trained(db: Database) -> pd.DataFrame:
    """A row a suite and stack on which a training run has ended, the one on which one started last first."""
    return frame_of(db, _TRAINED)


def under_way(db: Database) -> pd.DataFrame:
    """A row a run that is queued or running, by their starts: what it is, ``started_at`` and ``heartbeat_at``."""
    return frame_of(db, _UNDER_WAY)


def excerpt(db: Database, suite: str, stack_id: str, arms: Collection[str] | None = None) -> None:
    """Cut what this connection sees down to one suite on one stack and settle it: its runs, and the untrained ones of
    its bases. A file of a hundred thousand runs is read as quickly as one of as many as the section has.

    With ``arms`` (ids) it is the runs of these, of the untrained arms of their bases, and of full SFT on them.
    """
    unsettle(db)
    if arms is None:
        db.execute(_EXCERPT, {"suite": suite, "stack_id": stack_id})
    else:
        wanted = {"suite": suite, "stack_id": stack_id, "arms": json.dumps(sorted(arms))}
        db.execute(_EXCERPT_OF_ARMS, wanted)
    db.execute("CREATE INDEX temp.excerpt_runs ON runs (run_id)")
    for name in ("latest", "rates", "chosen", "chosen_runs"):  # each reads the ones before
        db.execute(_as_table(db, name))


def unsettle(db: Database) -> None:
    """Undo ``settle`` and ``excerpt``."""
    for name in ("runs", "latest", "rates", "chosen", "chosen_runs"):
        db.execute(f"DROP TABLE IF EXISTS temp.{name}")


def arms(db: Database) -> pd.DataFrame:
    """A row an arm and stack: what it is, its chosen rate, its seeds at that rate, the ``selection_task`` by which that
    was chosen, ``status`` ok or how it failed.

    ``quantisation`` and ``shots`` are those of an untrained arm's base; ``parent_arm_id`` is a DPO arm's SFT stage;
    ``batch_size`` and ``sequence_length`` are of the arm's own (last) stage.
    """
    return frame_of(db, _ARMS)


def runs(db: Database) -> pd.DataFrame:
    """A row a run, of every purpose and status, in the order of their starts.

    ``latest``: the newest good one of its arm, rate and seed; ``rate_chosen``: at the arm's chosen rate; ``chosen``:
    both; ``bare``: of a base as it is, neither quantised nor prompted.
    """
    frame = frame_of(db, _RUNS).sort_values(
        ["started_at", "run_id"], ignore_index=True
    )  # SQLite sorts wide rows slowly
    frame = _flags(frame, "rate_chosen", "bare", "exclusive")
    latest = {run_id for (run_id,) in db.execute("SELECT run_id FROM latest")}
    frame["latest"] = pd.Series([run_id in latest for run_id in frame["run_id"]], index=frame.index, dtype=bool)
    frame["chosen"] = frame["latest"] & frame["rate_chosen"]
    return frame


def scores(db: Database, runs_of: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row a quality run, moment, eval and metric, with the bare base's ``base_value`` of the same eval beside it.

    Only the newest good score of an arm, rate, seed, moment, eval and metric, wherever it was scored: a new task is
    scored in a run of its own. ``chosen``: at the arm's chosen rate. The base is the run that was current when the
    arm's run ended, or one that came later where there was none yet. ``runs_of`` is what ``runs`` gave, if it is
    there, or those of its rows that are wanted, bases included.
    """
    told = runs(db) if runs_of is None else runs_of
    told = told[(told["purpose"] == "quality") & (told["status"] == "ok")]
    told = told[_SCORED_RUN].rename(columns={"rate_chosen": "chosen"})
    rows = told.merge(_scores_of(db, told["run_id"]), on="run_id")
    newest = rows.drop_duplicates(_SCORED_ONCE, keep="last")  # runs come in the order of their starts
    then = rows.loc[rows["moment"] == "base", ["run_id", *_SAME_EVAL, "value"]]
    then = then.rename(columns={"run_id": "base_run_id", "value": "then_value"})
    found = newest.merge(then, "left", ["base_run_id", *_SAME_EVAL])
    bare = newest[newest["bare"] & (newest["moment"] == "base")].groupby(_SAME_BASE, as_index=False)["value"].max()
    found = found.merge(bare.rename(columns={"value": "bare_value"}), "left", _SAME_BASE)
    found["base_value"] = found.pop("then_value").fillna(found.pop("bare_value"))
    found = found.merge(evals(db)[["eval_id", "task", "role", "split", "chance"]], on="eval_id")
    return found.sort_values(_SCORE_ORDER, kind="stable", ignore_index=True)[_SCORE_COLUMNS]


def _scores_of(db: Database, run_ids: Iterable[str]) -> pd.DataFrame:
    wanted = "SELECT * FROM scores WHERE run_id IN (SELECT value FROM json_each(:run_ids))"
    return _flags(frame_of(db, wanted, {"run_ids": json.dumps(list(run_ids))}), "higher_is_better")


def items(db: Database, run_ids: Iterable[str], values: bool = True, answers: bool = False) -> pd.DataFrame:
    """A row a run, moment and eval of the given runs, unpacked.

    ``correct``: (items,) floats, right 1, wrong 0, unknown NaN, or None; ``values``: a list of floats an item, as
    ``FloatLists``, or None; ``answers``: generated texts, or None. The latter two only if asked for.
    """
    unpack = {"correct": unpack_outcomes, "values": FloatLists, "answers": unpack_texts}
    wanted = ["correct", *(["values"] if values else []), *(["answers"] if answers else [])]
    columns = ", ".join(f'"{name}"' for name in wanted)
    sql = (
        f"SELECT run_id, moment, eval_id, {columns} FROM items WHERE run_id IN (SELECT value FROM json_each(:run_ids))"
    )
    frame = frame_of(db, sql, {"run_ids": json.dumps(sorted(set(run_ids)))})
    return frame.assign(**{name: _unpacked(frame[name], unpack[name]) for name in wanted})


def rates(db: Database) -> pd.DataFrame:
    """Each arm's curve: a row a rate that was tried, failed ones included, with its mean ``validation`` score.

    ``chosen`` marks the arm's best. ``edge`` says where that lies when a better one may lie outside the grid: lowest,
    highest or only; ``at_edge`` is the same as a flag. A rate that diverged to NaN bounds the grid, one that
    crashed does not.
    """
    frame = _flags(frame_of(db, _RATES), "chosen")
    frame["edge"] = _edges(frame)
    frame["at_edge"] = frame["edge"].notna()
    return frame


def failures(db: Database) -> pd.DataFrame:
    """A row a failed run, newest first, with its reason; ``mended`` where the same cell went well later."""
    return _flags(frame_of(db, _FAILURES), "mended")


def phases(db: Database, runs_of: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row a phase of a run, with ``ledger_peak_bytes``, the sum of its ledger, and ``last_stage``: the arm's own.

    ``runs_of`` is what ``runs`` gave, if it is there.
    """
    told = runs(db) if runs_of is None else runs_of
    frame = told[_PHASE_RUN].merge(frame_of(db, _PHASES), on="run_id")
    frame = frame.sort_values(["started_at", "run_id", "position"], kind="stable", ignore_index=True)
    frame["last_stage"] = frame["position"] == frame.groupby("run_id")["position"].transform("max")
    ledger = frame[[f"ledger_{part}_bytes" for part in _LEDGER]].astype(float)
    frame["ledger_peak_bytes"] = ledger.sum(axis=1, min_count=1)
    return frame.drop(columns="started_at")


def losses(db: Database, suite: str, stack_id: str) -> pd.DataFrame:
    """A row a logged step of the last stage of a suite's runs on a stack: ``run_id, step, loss``."""
    return of_last_stages(db, "steps", "step, loss", suite, stack_id)


def gradients(db: Database, suite: str, stack_id: str) -> pd.DataFrame:
    """Of the same stages' first step, a row a module: ``run_id, module, gradient_norm``."""
    return of_last_stages(db, "fingerprints", "module, fingerprints.gradient_norm", suite, stack_id)


def logits(db: Database, suite: str, stack_id: str) -> pd.DataFrame:
    """Of the same, a row a sum: ``run_id, projection, value`` (see ``harness.meters.logits``)."""
    return of_last_stages(db, "logits", "projection, value", suite, stack_id)


def asked(db: Database, run_ids: Iterable[str]) -> pd.DataFrame:
    """Indexed by run_id: what each of these runs was asked to do, as ``recipe`` and ``execution`` (dicts)."""
    sql = """SELECT run_id, recipe, execution FROM runs JOIN cells USING (cell_id)
             WHERE run_id IN (SELECT value FROM json_each(:run_ids))"""
    frame = frame_of(db, sql, {"run_ids": json.dumps(list(run_ids))}).set_index("run_id")
    return frame.map(json.loads)


def recipes_of(db: Database, arms: Iterable[str]) -> "pd.Series[Any]":
    """Each of these arms' recipe (a dict), at one of its rates and seeds, by the arm's id."""
    sql = "SELECT arm_id, recipe FROM cells WHERE arm_id IN (SELECT value FROM json_each(:arms)) GROUP BY arm_id"
    return frame_of(db, sql, {"arms": json.dumps(list(arms))}).set_index("arm_id")["recipe"].map(json.loads)


def steps(db: Database, run_ids: Iterable[str]) -> pd.DataFrame:
    """A row a logged step of the last stage of each of these runs: ``run_id, step, loss, tokens_seen``."""
    sql = """SELECT run_id, step, loss, tokens_seen FROM steps JOIN runs USING (run_id) JOIN cells USING (cell_id)
             WHERE steps.stage_id = cells.recipe_id AND run_id IN (SELECT value FROM json_each(:run_ids))
             ORDER BY run_id, step"""
    return frame_of(db, sql, {"run_ids": json.dumps(list(run_ids))})


def executions(db: Database) -> dict[str, dict[str, Any]]:
    """Each execution that was run by its id, with the kernels that came later at their defaults."""
    rows = db.query("SELECT DISTINCT execution_id, execution FROM cells WHERE cell_id IN (SELECT cell_id FROM runs)")
    return {row["execution_id"]: LATER_KERNELS | json.loads(row["execution"]) for row in rows}


def recipes(db: Database) -> pd.DataFrame:
    """Indexed by recipe_id, of those that were run: ``compute``, the type that its last stage computes in, how many
    ``stages`` it has, and ``chain``, the id of the first."""
    sql = """SELECT recipe_id, max(json_extract(recipe, '$.stages[#-1].precision.compute')) AS compute,
                    max(json_array_length(recipe, '$.stages')) AS stages, max(stage_id) AS chain
             FROM cells LEFT JOIN cell_stages ON cell_stages.cell_id = cells.cell_id AND position = 0
             WHERE cells.cell_id IN (SELECT cell_id FROM runs) GROUP BY recipe_id"""
    return frame_of(db, sql).set_index("recipe_id")


def curves(db: Database) -> pd.DataFrame:
    """A row a recorded step of an arm's own (last) stage at its chosen rate: ``loss``, ``gradient_norm``,
    ``tokens_seen``, ``seconds`` since the stage began."""
    return frame_of(db, _CURVES)


def stacks(db: Database) -> pd.DataFrame:
    """A row a stack: ``stack_id``, ``facts`` (a dict), ``code_digest``."""
    frame = frame_of(db, "SELECT stack_id, facts, code_digest FROM stacks")
    frame["facts"] = [json.loads(facts) for facts in frame["facts"]]
    return frame


def _as_table(db: Database, view: str) -> str:
    """What makes a table of this connection alone, of a view's name and rows."""
    sql: str = next(db.query("SELECT sql FROM main.sqlite_master WHERE type = 'view' AND name = ?", [view]))["sql"]
    return sql.replace("CREATE VIEW", "CREATE TEMP TABLE", 1)


def evals(db: Database) -> pd.DataFrame:
    """A row an eval: ``eval_id``, and what makes it that one and no other."""
    return frame_of(
        db, "SELECT eval_id, task, role, split, task_version, item_digest, decoding, n_items, chance FROM evals"
    )


def _unpacked(blobs: pd.Series, unpack: Callable[[bytes], Any]) -> pd.Series:
    return pd.Series([None if blob is None else unpack(blob) for blob in blobs], index=blobs.index, dtype=object)


def _flags(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    for name in names:
        frame[name] = frame[name].fillna(0).astype(bool)
    return frame


def _edges(frame: pd.DataFrame) -> pd.Series:
    informative = frame[(frame["ok_runs"] > 0) | frame["failures"].fillna("").str.contains("nan")]
    grid = informative.groupby(["arm_id", "stack_id"])["learning_rate"]
    lowest, highest = (
        frame.join(ends.rename("end"), on=["arm_id", "stack_id"])["end"] for ends in (grid.min(), grid.max())
    )
    edge = pd.Series(None, index=frame.index, dtype=object)
    edge[frame["chosen"] & (frame["learning_rate"] == lowest)] = "lowest"
    edge[frame["chosen"] & (frame["learning_rate"] == highest)] = "highest"
    edge[frame["chosen"] & (lowest == highest)] = "only"
    return edge
