"""The tables, as numbered migrations, and the views that read them.

SQL holds facts, chosen rates, means and counts; intervals, ties and ranks live in ``harness.analysis`` alone.
Times are UTC in ISO 8601; bytes, seconds and joules are in the names. What was not measured is NULL.
"""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("tunematrix")

UNFINISHED = ("queued", "running")
FAILED = ("oom", "nan", "timeout", "crashed", "killed", "refused", "blocked")

_TABLES = """
CREATE TABLE cells (
    cell_id TEXT PRIMARY KEY, recipe_id TEXT NOT NULL, execution_id TEXT NOT NULL, arm_id TEXT NOT NULL,
    suite TEXT NOT NULL, label TEXT NOT NULL, method TEXT NOT NULL, base TEXT NOT NULL, rank INTEGER,
    learning_rate REAL, seed INTEGER, base_digest TEXT NOT NULL, data_digest TEXT, licences TEXT NOT NULL,
    sources TEXT NOT NULL DEFAULT '{}',
    recipe TEXT NOT NULL, execution TEXT NOT NULL, parent_arm_id TEXT, selection_task TEXT,
    identity_version INTEGER NOT NULL
) STRICT;
CREATE INDEX cells_by_arm ON cells (arm_id);

CREATE TABLE stages (
    stage_id TEXT PRIMARY KEY, parent_stage_id TEXT REFERENCES stages (stage_id), kind TEXT NOT NULL,
    recipe TEXT NOT NULL
) STRICT;

CREATE TABLE cell_stages (
    cell_id TEXT NOT NULL REFERENCES cells (cell_id), position INTEGER NOT NULL,
    stage_id TEXT NOT NULL REFERENCES stages (stage_id), PRIMARY KEY (cell_id, position)
) STRICT;

CREATE TABLE stacks (
    stack_id TEXT PRIMARY KEY, facts TEXT NOT NULL, code_digest TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, cell_id TEXT NOT NULL REFERENCES cells (cell_id),
    stack_id TEXT NOT NULL REFERENCES stacks (stack_id),
    purpose TEXT NOT NULL CHECK (purpose IN ('quality', 'measure', 'reference')),
    exclusive INTEGER NOT NULL CHECK (exclusive IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'ok', 'oom', 'nan', 'timeout', 'crashed', 'killed',
                                           'refused', 'blocked')),
    reason TEXT, failed_phase TEXT, started_at TEXT NOT NULL, ended_at TEXT, heartbeat_at TEXT,
    wall_seconds REAL, git_commit TEXT, git_dirty INTEGER, order_digest TEXT, real_tokens INTEGER,
    loss_tokens INTEGER, trainable_parameters INTEGER, total_parameters INTEGER, effective TEXT,
    base_run_id TEXT REFERENCES runs (run_id), source TEXT NOT NULL DEFAULT 'local'
) STRICT;
CREATE INDEX runs_by_cell ON runs (cell_id, stack_id, purpose, status);

CREATE TABLE artifacts (
    stage_id TEXT NOT NULL REFERENCES stages (stage_id), execution_id TEXT NOT NULL, stack_id TEXT NOT NULL,
    run_id TEXT REFERENCES runs (run_id), path TEXT NOT NULL, sha256 TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY (stage_id, execution_id, stack_id)
) STRICT;

CREATE TABLE phases (
    run_id TEXT NOT NULL REFERENCES runs (run_id), stage_id TEXT NOT NULL, phase TEXT NOT NULL,
    wall_seconds REAL, peak_allocated_bytes INTEGER, peak_reserved_bytes INTEGER, peak_device_bytes INTEGER,
    rss_start_bytes INTEGER, rss_peak_bytes INTEGER, ledger_weights_bytes INTEGER,
    ledger_quantisation_bytes INTEGER, ledger_adapter_bytes INTEGER, ledger_gradient_bytes INTEGER,
    ledger_optimizer_bytes INTEGER, ledger_activation_bytes INTEGER, tokens_per_second_median REAL,
    tokens_per_second_p25 REAL, tokens_per_second_p75 REAL, energy_joules REAL,
    PRIMARY KEY (run_id, stage_id, phase)
) STRICT;

CREATE TABLE steps (
    run_id TEXT NOT NULL REFERENCES runs (run_id), stage_id TEXT NOT NULL, step INTEGER NOT NULL, loss REAL,
    gradient_norm REAL, tokens_seen INTEGER, seconds REAL, PRIMARY KEY (run_id, stage_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE fingerprints (
    run_id TEXT NOT NULL REFERENCES runs (run_id), stage_id TEXT NOT NULL, module TEXT NOT NULL,
    gradient_norm REAL, PRIMARY KEY (run_id, stage_id, module)
) STRICT, WITHOUT ROWID;

CREATE TABLE evals (
    eval_id TEXT PRIMARY KEY, task TEXT NOT NULL, role TEXT NOT NULL, split TEXT NOT NULL,
    task_version TEXT NOT NULL, item_digest TEXT NOT NULL, decoding TEXT NOT NULL, n_items INTEGER NOT NULL,
    chance REAL
) STRICT;

CREATE TABLE scores (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    moment TEXT NOT NULL CHECK (moment IN ('base', 'prompted', 'tuned', 'merged', 'merged_requantised')),
    eval_id TEXT NOT NULL REFERENCES evals (eval_id), metric TEXT NOT NULL, value REAL, n_items INTEGER NOT NULL,
    higher_is_better INTEGER NOT NULL CHECK (higher_is_better IN (0, 1)),
    PRIMARY KEY (run_id, moment, eval_id, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
    run_id TEXT NOT NULL REFERENCES runs (run_id), moment TEXT NOT NULL,
    eval_id TEXT NOT NULL REFERENCES evals (eval_id), correct BLOB, "values" BLOB, answers BLOB,
    PRIMARY KEY (run_id, moment, eval_id)
) STRICT;

CREATE TABLE predictions (
    run_id TEXT NOT NULL REFERENCES runs (run_id), phase TEXT NOT NULL, component TEXT NOT NULL,
    predicted_bytes INTEGER, predicted_seconds REAL, model_version TEXT NOT NULL,
    PRIMARY KEY (run_id, phase, component)
) STRICT;
"""

_GUARD_RUNS = """
CREATE TRIGGER runs_finished_{verb} BEFORE {verb} ON runs WHEN OLD.status NOT IN ('queued', 'running')
BEGIN SELECT RAISE(ABORT, 'a finished run never changes'); END;
"""

_GUARD_ROWS = """
CREATE TRIGGER {table}_finished_{verb} BEFORE {verb} ON {table}
WHEN (SELECT status FROM runs WHERE run_id = OLD.run_id) NOT IN ('queued', 'running')
BEGIN SELECT RAISE(ABORT, 'a finished run never changes'); END;
"""

# The rate that the last runner chose for an arm, among those that its matrix named. Without it the views would judge
# every rate that the file has ever seen, and an older grid's could stand where a DPO stage started from another one.
_CHOICES = """
CREATE TABLE choices (
    arm_id TEXT NOT NULL, stack_id TEXT NOT NULL REFERENCES stacks (stack_id), learning_rate REAL NOT NULL,
    PRIMARY KEY (arm_id, stack_id)
) STRICT, WITHOUT ROWID
"""

# Sums of the first step's logits under fixed random signs: see harness.meters.logits.
_LOGITS = """
CREATE TABLE logits (
    run_id TEXT NOT NULL REFERENCES runs (run_id), stage_id TEXT NOT NULL, projection INTEGER NOT NULL,
    value REAL NOT NULL, PRIMARY KEY (run_id, stage_id, projection)
) STRICT, WITHOUT ROWID
"""

# Of a measure run: what the parts of a step took and held, and the whole step (part ``step``); what its device can do;
# what a timed step asks for, by formula; and what stood in memory from moment to moment of one watched step (JSON, a
# list a column: see harness.meters.timeline).
_STEP_COSTS = """
CREATE TABLE step_parts (
    run_id TEXT NOT NULL REFERENCES runs (run_id), stage_id TEXT NOT NULL, part TEXT NOT NULL, seconds_median REAL,
    seconds_p25 REAL, seconds_p75 REAL, peak_allocated_bytes INTEGER, peak_reserved_bytes INTEGER,
    peak_ledger_bytes INTEGER, PRIMARY KEY (run_id, stage_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE ceilings (
    run_id TEXT PRIMARY KEY REFERENCES runs (run_id), bfloat16_flops REAL NOT NULL, float32_flops REAL NOT NULL,
    bytes_per_second REAL NOT NULL, launch_seconds REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE step_work (
    run_id TEXT PRIMARY KEY REFERENCES runs (run_id), model_flops REAL NOT NULL, hardware_flops REAL,
    moved_bytes REAL, kernels REAL, model_version TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE timelines (
    run_id TEXT NOT NULL REFERENCES runs (run_id), stage_id TEXT NOT NULL, columns TEXT NOT NULL,
    PRIMARY KEY (run_id, stage_id)
) STRICT
"""

# The newest good run of each arm, rate and seed on each stack: a rescored cell counts once, and so does a DPO seed
# whose SFT stage was retrained at another rate (another cell of the same arm).
_VIEWS = """
CREATE VIEW latest AS
SELECT * FROM (
    SELECT runs.*, cells.arm_id, cells.suite, cells.label, cells.method, cells.base, cells.rank,
           cells.learning_rate, cells.seed, cells.base_digest, cells.execution_id, cells.parent_arm_id,
           cells.selection_task,
           row_number() OVER (PARTITION BY cells.arm_id, cells.learning_rate, cells.seed, runs.stack_id, runs.purpose
                              ORDER BY runs.started_at DESC, runs.run_id DESC) AS newness
    FROM runs JOIN cells USING (cell_id) WHERE runs.status = 'ok'
) WHERE newness = 1;

CREATE VIEW rates AS
SELECT latest.arm_id, latest.stack_id, latest.learning_rate, count(DISTINCT latest.seed) AS seeds,
       avg(scores.value) AS validation, max(scores.higher_is_better) AS higher_is_better,
       sum(latest.wall_seconds) AS wall_seconds
FROM latest
LEFT JOIN evals ON evals.task = latest.selection_task
LEFT JOIN scores ON scores.run_id = latest.run_id AND scores.eval_id = evals.eval_id AND scores.moment = 'tuned'
WHERE latest.purpose = 'quality' AND (evals.eval_id IS NULL OR scores.value IS NOT NULL)
GROUP BY latest.arm_id, latest.stack_id, latest.learning_rate;

CREATE VIEW chosen AS
SELECT * FROM (
    SELECT rates.*, row_number() OVER (
        PARTITION BY arm_id, stack_id
        ORDER BY EXISTS (SELECT 1 FROM choices WHERE choices.arm_id = rates.arm_id
                         AND choices.stack_id = rates.stack_id AND choices.learning_rate = rates.learning_rate) DESC,
                 seeds DESC, CASE WHEN higher_is_better = 0 THEN -validation ELSE validation END DESC,
                 learning_rate) AS place
    FROM rates
) WHERE place = 1;

CREATE VIEW chosen_runs AS
SELECT latest.* FROM latest
JOIN chosen ON chosen.arm_id = latest.arm_id AND chosen.stack_id = latest.stack_id
           AND chosen.learning_rate IS latest.learning_rate;

CREATE VIEW forgetting AS
SELECT tuned.run_id, runs.arm_id, runs.stack_id, runs.seed, evals.task, tuned.moment, tuned.metric,
       base.value AS base_value, tuned.value AS tuned_value, tuned.higher_is_better,
       CASE tuned.higher_is_better WHEN 1 THEN base.value - tuned.value ELSE tuned.value - base.value END AS forgetting
FROM chosen_runs AS runs
JOIN scores AS tuned ON tuned.run_id = runs.run_id
JOIN evals ON evals.eval_id = tuned.eval_id AND evals.role = 'general'
JOIN scores AS base ON base.run_id = runs.base_run_id AND base.eval_id = tuned.eval_id
                   AND base.metric = tuned.metric AND base.moment = 'base'
WHERE runs.purpose = 'quality' AND tuned.moment != 'base';
"""

# A row an arm, at its chosen rate. What it cost in tuning, failed runs included, is the report's: see
# ``harness.analysis.costs``. Of several measure runs the highest peak and the median speed, as there.
_ARMS = """
CREATE VIEW arms AS
WITH quality AS (SELECT * FROM chosen_runs WHERE purpose = 'quality'),
     measured AS (
         SELECT runs.arm_id, runs.stack_id, max(phases.peak_allocated_bytes) AS peak_allocated_bytes,
                max(phases.peak_reserved_bytes) AS peak_reserved_bytes,
                max(phases.peak_device_bytes) AS peak_device_bytes,
                max(phases.rss_peak_bytes - phases.rss_start_bytes) AS rss_increase_bytes,
                max(phases.ledger_weights_bytes + phases.ledger_quantisation_bytes + phases.ledger_adapter_bytes
                    + phases.ledger_gradient_bytes + phases.ledger_optimizer_bytes + phases.ledger_activation_bytes)
                    AS ledger_peak_bytes,
                max(phases.energy_joules) AS energy_joules
         FROM latest AS runs JOIN phases ON phases.run_id = runs.run_id AND phases.phase = 'train'
          AND phases.stage_id = (SELECT stage_id FROM cell_stages WHERE cell_stages.cell_id = runs.cell_id
                                 ORDER BY position DESC LIMIT 1)
         WHERE runs.purpose = 'measure' AND runs.exclusive = 1
         GROUP BY runs.arm_id, runs.stack_id
     ),
     speeds AS (
         SELECT runs.arm_id, runs.stack_id, phases.tokens_per_second_median AS speed,
                row_number() OVER (PARTITION BY runs.arm_id, runs.stack_id
                                   ORDER BY phases.tokens_per_second_median) AS place,
                count(*) OVER (PARTITION BY runs.arm_id, runs.stack_id) AS of_all
         FROM latest AS runs JOIN phases ON phases.run_id = runs.run_id AND phases.phase = 'train'
          AND phases.stage_id = (SELECT stage_id FROM cell_stages WHERE cell_stages.cell_id = runs.cell_id
                                 ORDER BY position DESC LIMIT 1)
         WHERE runs.purpose = 'measure' AND runs.exclusive AND phases.tokens_per_second_median IS NOT NULL
     ),
     speed AS (
         SELECT arm_id, stack_id, avg(speed) AS tokens_per_second FROM speeds
         WHERE place IN ((of_all + 1) / 2, (of_all + 2) / 2) GROUP BY arm_id, stack_id
     ),
     tried AS (SELECT arm_id, stack_id, count(*) AS rates_tried FROM rates GROUP BY arm_id, stack_id),
     scored AS (
         SELECT quality.arm_id, quality.stack_id,
                avg(CASE evals.role WHEN 'target' THEN scores.value END) AS target,
                avg(CASE evals.role WHEN 'preference' THEN scores.value END) AS preference,
                avg(CASE evals.role WHEN 'safety' THEN scores.value END) AS safety
         FROM quality JOIN scores ON scores.run_id = quality.run_id AND scores.moment IN ('tuned', 'base', 'prompted')
         JOIN evals ON evals.eval_id = scores.eval_id AND evals.split = 'test' AND scores.higher_is_better = 1
         GROUP BY quality.arm_id, quality.stack_id
     )
SELECT quality.arm_id, quality.stack_id, quality.suite, quality.label, quality.method, quality.base, quality.rank,
       quality.learning_rate AS chosen_rate, count(DISTINCT quality.seed) AS seeds,
       avg(quality.wall_seconds) AS wall_seconds, max(tried.rates_tried) AS rates_tried,
       max(quality.trainable_parameters) AS trainable_parameters,
       max(quality.total_parameters) AS total_parameters, max(quality.real_tokens) AS real_tokens,
       max(scored.target) AS target, max(scored.preference) AS preference, max(scored.safety) AS safety,
       (SELECT avg(forgetting) FROM forgetting
         WHERE forgetting.higher_is_better = 1 AND forgetting.arm_id = quality.arm_id
         AND forgetting.stack_id = quality.stack_id AND forgetting.moment = 'tuned') AS forgetting,
       max(measured.peak_allocated_bytes) AS peak_allocated_bytes,
       max(measured.peak_reserved_bytes) AS peak_reserved_bytes,
       max(measured.peak_device_bytes) AS peak_device_bytes,
       max(measured.rss_increase_bytes) AS rss_increase_bytes,
       max(measured.ledger_peak_bytes) AS ledger_peak_bytes,
       max(speed.tokens_per_second) AS tokens_per_second, max(measured.energy_joules) AS energy_joules
FROM quality
LEFT JOIN measured USING (arm_id, stack_id) LEFT JOIN scored USING (arm_id, stack_id)
LEFT JOIN speed USING (arm_id, stack_id) LEFT JOIN tried USING (arm_id, stack_id)
GROUP BY quality.arm_id, quality.stack_id;
"""


# The same as the view of m002, but runs are numbered without carrying their whole rows along; with the indexes, which
# hold what the views ask of cells and runs, a file of ten thousand runs is read in half the time.
_LATEST = """
CREATE VIEW latest AS
SELECT runs.*, cells.arm_id, cells.suite, cells.label, cells.method, cells.base, cells.rank, cells.learning_rate,
       cells.seed, cells.base_digest, cells.execution_id, cells.parent_arm_id, cells.selection_task
FROM (
    SELECT runs.run_id, row_number() OVER (
        PARTITION BY cells.arm_id, cells.learning_rate, cells.seed, runs.stack_id, runs.purpose
        ORDER BY runs.started_at DESC, runs.run_id DESC) AS newness
    FROM runs JOIN cells USING (cell_id) WHERE runs.status = 'ok'
) AS numbered JOIN runs USING (run_id) JOIN cells USING (cell_id)
WHERE newness = 1
"""
_INDEXES = """
CREATE INDEX runs_by_status ON runs (status, cell_id, stack_id, purpose, started_at, run_id);
CREATE INDEX cells_told ON cells (cell_id, arm_id, learning_rate, seed, method, selection_task, base_digest, suite,
                                  label, base, rank, parent_arm_id, execution_id)
"""


@migrations()
def m001_tables(db: Database) -> None:
    """Tables and guards of the first version."""
    for statement in _statements(_TABLES):
        db.execute(statement)
    for verb in ("UPDATE", "DELETE"):
        db.execute(_GUARD_RUNS.format(verb=verb))
        for table in ("phases", "steps", "fingerprints", "scores", "items"):
            db.execute(_GUARD_ROWS.format(table=table, verb=verb))


@migrations()
def m002_choices(db: Database) -> None:
    """The runner's choices of rates, which the views follow; a mean over roles takes scores of one direction alone."""
    db.execute(_CHOICES)
    for name in ("arms", "forgetting", "chosen_runs", "chosen", "rates", "latest"):
        db.execute(f"DROP VIEW IF EXISTS {name}")
    for statement in _statements(_VIEWS + _ARMS):
        db.execute(statement)


@migrations()
def m003_logits(db: Database) -> None:
    """The first step's logits, as projections: a gradient's norm shows no rounding that a mean takes away."""
    db.execute(_LOGITS)
    for verb in ("UPDATE", "DELETE"):
        db.execute(_GUARD_ROWS.format(table="logits", verb=verb))


@migrations()
def m004_quick_views(db: Database) -> None:
    """The newest runs are found from indexes."""
    db.execute("DROP VIEW latest")
    db.execute(_LATEST)
    for statement in _statements(_INDEXES):
        db.execute(statement)


@migrations()
def m005_arms(db: Database) -> None:
    """The view of arms says nothing of time and speed that the report says otherwise."""
    db.execute("DROP VIEW arms")
    db.execute(_ARMS)


@migrations()
def m006_predictions(db: Database) -> None:
    """What was predicted for a run is no more changed than what was measured in it."""
    for verb in ("UPDATE", "DELETE"):
        db.execute(_GUARD_ROWS.format(table="predictions", verb=verb))


@migrations()
def m007_step_costs(db: Database) -> None:
    """Where a step's time goes, what stands in memory in it, and what the device could do."""
    for statement in _statements(_STEP_COSTS):
        db.execute(statement)
    for table in ("step_parts", "ceilings", "step_work", "timelines"):
        for verb in ("UPDATE", "DELETE"):
            db.execute(_GUARD_ROWS.format(table=table, verb=verb))


@migrations()
def m008_step_energy(db: Database) -> None:
    """What all timed steps of a measure run took: real tokens, and joules by the GPU's counter (part ``step``)."""
    for column in ("timed_tokens INTEGER", "timed_joules REAL"):
        db.execute(f"ALTER TABLE step_parts ADD COLUMN {column}")


@migrations()
def m009_more_ceilings(db: Database) -> None:
    """What fused attention and the making of large tensors reach: neither is a product's or a copy's speed."""
    for name in ("bfloat16_attention_flops", "float32_attention_flops", "fresh_bytes_per_second"):
        db.execute(f"ALTER TABLE ceilings ADD COLUMN {name} REAL")


def _statements(script: str) -> list[str]:
    return [part for part in script.split(";\n") if part.strip()]
