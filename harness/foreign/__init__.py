"""Results of others: their files become rows of the same tables, with what they did not record left NULL."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UserError

if TYPE_CHECKING:
    from harness.foreign.rows import Rows

# What `tunematrix import --format` knows, and what it reads.
FORMATS = {
    "peft-method-comparison": "result files of huggingface/peft's method_comparison/MetaMathQA: a folder, or one file",
    "lm-eval": "an lm-eval results file (results_*.json), with the samples_*.jsonl that lie beside it",
}


def import_foreign(format: str, path: Path, db_path: Path) -> str:
    """Bring the results at ``path`` into a database, made where there is none; returns what to tell the user.

    Importing again adds nothing, and no run that is there is changed. Raises UserError for an unknown format, and,
    before anything is written, for files of another format or a single bad one among many.
    """
    rows = _reader(format)(path)
    from harness.foreign.rows import write

    new = write(db_path, rows)
    runs = rows.tables["runs"]
    were_there = f"; {len(runs) - new} were there already" if new < len(runs) else ""
    return f"{new} runs of {len({run['cell_id'] for run in runs})} cells imported into {db_path}{were_there}"


def _reader(format: str) -> "Callable[[Path], Rows]":
    if format == "peft-method-comparison":
        from harness.foreign import peft

        return peft.read
    if format == "lm-eval":
        from harness.foreign import lm_eval

        return lm_eval.read
    raise UserError(f"--format {format}: unknown; known are {', '.join(FORMATS)}")
