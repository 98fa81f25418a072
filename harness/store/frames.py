"""Rows of a results file as pandas frames, with numbers as numbers."""

import pandas as pd
from sqlite_utils import Database

_NUMBERS = {
    *("rank", "learning_rate", "chosen_rate", "seed", "seeds", "shots", "validation", "value", "base_value"),
    *("loss", "tokens_seen", "kernels", "bytes_per_second", "batch_size", "sequence_length"),
}
_NUMBER_ENDINGS = ("_bytes", "_seconds", "_parameters", "_joules", "_median", "_p25", "_p75", "_tokens", "_flops")

# Of a run's own (last) stage: what the stages before it did is said by the runs that trained them.
_OWN = """
FROM {table} JOIN runs USING (run_id) JOIN cells USING (cell_id)
WHERE {table}.stage_id = cells.recipe_id AND runs.stack_id = :stack_id AND cells.suite = :suite
"""


def frame_of(db: Database, sql: str, parameters: dict[str, str] | None = None) -> pd.DataFrame:
    """What a query gives; what is NULL is None or NaN."""
    frame = pd.read_sql_query(sql, db.conn, params=parameters)
    for name in frame.columns:
        if name in _NUMBERS or name.endswith(_NUMBER_ENDINGS):  # a column of NULLs alone has no type of its own
            frame[name] = pd.to_numeric(frame[name])
    return frame


def of_last_stages(db: Database, table: str, columns: str, suite: str, stack_id: str) -> pd.DataFrame:
    """Columns of a table with a stage, of the last stage of a suite's runs on a stack, with ``run_id``."""
    sql = f"SELECT run_id, {columns} {_OWN.format(table=table)}"
    return frame_of(db, sql, {"suite": suite, "stack_id": stack_id})
