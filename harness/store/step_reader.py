"""What measure runs hold of their steps, and what was predicted of them, as pandas frames.

Every function takes a database from ``open_for_reading``.
"""

import pandas as pd
from sqlite_utils import Database

from harness.store.frames import frame_of, of_last_stages

_PREDICTIONS = """
SELECT predictions.* FROM predictions JOIN runs USING (run_id) JOIN cells USING (cell_id)
WHERE runs.stack_id = :stack_id AND cells.suite = :suite
"""

_STEP_PART = (
    *("part", "seconds_median", "seconds_p25", "seconds_p75"),
    *("peak_allocated_bytes", "peak_reserved_bytes", "peak_ledger_bytes", "timed_tokens", "timed_joules"),
)
_STEP_WORK = """
SELECT run_id, model_flops, hardware_flops, moved_bytes, kernels, bfloat16_flops, float32_flops, bytes_per_second,
       launch_seconds, json_extract(cells.recipe, '$.stages[#-1].precision.compute') AS compute
FROM ceilings LEFT JOIN step_work USING (run_id) JOIN runs USING (run_id) JOIN cells USING (cell_id)
WHERE runs.stack_id = :stack_id AND cells.suite = :suite
"""

_EVERY_PREDICTION = """
SELECT predictions.*, cells.method, cells.base AS shape,
       json_extract(cells.recipe, '$.stages[#-1].sequence_length') AS sequence_length
FROM predictions JOIN runs USING (run_id) JOIN cells USING (cell_id)
"""

_EVERY_STEP = """
SELECT latest.run_id, step_parts.seconds_median AS step_seconds
FROM latest JOIN runs USING (run_id) JOIN cells USING (cell_id)
JOIN step_parts ON step_parts.run_id = latest.run_id AND step_parts.stage_id = cells.recipe_id
WHERE runs.purpose = 'measure' AND runs.exclusive AND step_parts.part = 'step'
  AND step_parts.seconds_median IS NOT NULL
"""


def step_parts(db: Database, suite: str, stack_id: str) -> pd.DataFrame:
    """A row a part of a step of a measure run's last stage, and the whole ``step``: ``run_id, part, seconds_median,
    seconds_p25, seconds_p75``, the peaks of its bytes, and with ``step`` tokens and joules of all timed steps."""
    columns = ", ".join(f"step_parts.{name}" for name in _STEP_PART)
    return of_last_stages(db, "step_parts", columns, suite, stack_id)


def step_work(db: Database, suite: str, stack_id: str) -> pd.DataFrame:
    """A row a measure run whose device's ceilings are known: those, what a step asks for (missing where it is not
    predicted), and the type that it computes in."""
    return frame_of(db, _STEP_WORK, {"suite": suite, "stack_id": stack_id})


def predictions(db: Database, suite: str, stack_id: str) -> pd.DataFrame:
    """A row a figure that was predicted for a run of a suite on a stack: ``run_id, phase, component, predicted_bytes,
    predicted_seconds, model_version``."""
    return frame_of(db, _PREDICTIONS, {"suite": suite, "stack_id": stack_id})


def every_prediction(db: Database) -> pd.DataFrame:
    """The same for the runs of all suites and stacks, with each run's ``method``, ``shape`` (its base's name) and
    ``sequence_length``."""
    return frame_of(db, _EVERY_PREDICTION)


def every_step(db: Database) -> pd.DataFrame:
    """A row a measure run that had its device to itself, the newest of its arm, rate, seed and stack: ``run_id`` and
    ``step_seconds``, the median of its timed steps."""
    return frame_of(db, _EVERY_STEP)
