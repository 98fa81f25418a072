"""The files of ``lm_eval run --output_path ... --log_samples``, as lm-eval 0.4.13 writes them.

``results_<date>.json`` has a value for each task, metric and filter (``acc,none``); ``samples_<task>_<date>.jsonl``
beside it a line for each item and filter, with every response turned into text.
"""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from harness.errors import UserError
from harness.foreign.reading import Part, checked, parsed, read_json, read_lines
from harness.report import words

LARGEST = 2**63 - 1  # of SQLite's integers
SECTIONS = ("results", "configs", "versions", "config")
DATES = Annotated[float, Field(ge=946_684_800, le=7_258_118_400)]  # from 2000 to 2200


class Samples(Part):
    """How many items a task has, and how many of them were asked."""

    effective: Annotated[int, Field(ge=0, le=LARGEST)]


class Config(Part):
    """The model and how it was run; ``model_args`` of older versions are ``pretrained=name,dtype=float32``."""

    model: str
    model_args: dict[str, Any] | str | None = None
    model_num_parameters: Annotated[int, Field(le=LARGEST)] | None = None
    model_dtype: str | None = None
    model_sha: str | None = None
    batch_size: str | int | None = None
    device: str | None = None
    limit: float | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The model's arguments by name."""
        if isinstance(self.model_args, dict):
            return self.model_args
        pairs = (part.partition("=") for part in (self.model_args or "").split(",") if part)
        return {name: value for name, _, value in pairs}


class Results(Part):
    """A results file."""

    results: dict[str, dict[str, Any]]
    configs: dict[str, dict[str, Any]]
    versions: dict[str, Any]
    config: Config
    shots: dict[str, int] = Field(default_factory=dict, alias="n-shot")
    samples: dict[str, Samples] = Field(default_factory=dict, alias="n-samples")
    higher_is_better: dict[str, dict[str, bool | None]] = Field(default_factory=dict)
    task_hashes: dict[str, str] = Field(default_factory=dict)
    date: DATES
    total_evaluation_time_seconds: Annotated[float, Field(strict=False, ge=0, le=1e9)] | None = None
    transformers_version: str | None = None
    lm_eval_version: str | None = None
    pretty_env_info: str | None = None
    chat_template_sha: str | None = None
    system_instruction_sha: str | None = None
    fewshot_as_multiturn: bool | None = None

    @property
    def torch_version(self) -> str | None:
        """As PyTorch's own report of the environment says it."""
        found = re.search(r"PyTorch version: (\S+)", self.pretty_env_info or "")
        return found[1] if found else None


class Sample(Part):
    """One item through one filter; its metrics are keys of their own."""

    model_config = ConfigDict(extra="allow")

    doc_id: int
    filter: str
    filtered_resps: list[Any]


def read_results(path: Path) -> tuple[Results, str]:
    """A results file and its digest. Raises UserError for another format, or one that lacks what it must hold."""
    value, digest = read_json(path)
    missing = [key for key in SECTIONS if not isinstance(value, dict) or key not in value]
    if missing:
        raise UserError(f"{words.text(path)}: is no results file of lm-eval: it has no {', '.join(missing)}")
    return checked(Results, value, path), digest


def read_samples(results: Path, task: str) -> tuple[list[Sample], str] | None:
    """The samples of a task that lie beside a results file, by item, and their digest; None where they were not kept.

    Raises UserError for a line that is no sample.
    """
    date = results.stem.rpartition("_")[2]
    path = results.parent / f"samples_{task}_{date}.jsonl"
    if "/" in task or not path.is_file():
        return None
    samples, digests = [], []
    for number, line in enumerate(read_lines(path), 1):
        value, digest = parsed(f"{path}:{number}", line)
        samples.append(checked(Sample, value, f"{path}:{number}"))
        digests.append(digest)
    return sorted(samples, key=lambda sample: sample.doc_id), "".join(digests)
