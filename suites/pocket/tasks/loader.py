"""Load a task's local files; named by the YAML tasks as `custom_dataset: !function loader.load`."""

import json
from pathlib import Path
from typing import Any

from datasets import Dataset

DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"


def load(file: str, fewshot: str | None = None, **_metadata: Any) -> dict[str, Dataset]:
    """The splits of a task: `test` from `file`, and `fewshot` from a group of worked examples.

    The files are found from this module's place, so from any directory, and are held in memory: the shared cache
    of `datasets` returns old rows for a file that changed with the same size and time. lm-eval passes the task's
    metadata too.
    """
    splits = {"test": Dataset.from_list(_rows(file))}
    if fewshot is not None:
        splits["fewshot"] = Dataset.from_list([row for row in _rows("fewshot.jsonl") if row["group"] == fewshot])
    return splits


def _rows(file: str) -> list[dict[str, Any]]:
    lines = (DATA_FOLDER / file).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]
