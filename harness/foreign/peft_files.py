"""The result files of peft's method comparison (MetaMathQA): their keys, in the layouts of every date.

Written by ``method_comparison/MetaMathQA/utils.py`` of huggingface/peft, one file an experiment. Until June 2025 the
memory figures were called ``cuda_memory_*`` and the device ``gpu``; the first files count no parameters.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, ConfigDict, Field

from harness.errors import UserError
from harness.foreign.reading import Part, checked, in_range, read_json
from harness.report import words

SECTIONS = ("run_info", "train_info", "meta_info")
LARGEST = 2**63 - 1  # of SQLite's integers

Count = Annotated[int, Field(ge=0, le=LARGEST)]
Positive = Annotated[float, Field(ge=0, le=1e9)]  # seconds: thirty years; tokens a second
Share = Annotated[float, AfterValidator(in_range(0, 1))]


def _a_time(value: datetime) -> datetime:
    """A moment of these decades, in UTC where it names no zone."""
    if not 2000 <= value.year <= 2200:
        raise ValueError(f"the year {value.year} is not from 2000 to 2200")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


class Point(Part):
    """What was logged at an evaluation: the means since the one before; the last one is of the test."""

    step: Count
    valid_accuracy: Annotated[Share | None, Field(alias="valid accuracy")] = None
    test_accuracy: Annotated[Share | None, Field(alias="test accuracy")] = None
    forgetting: float | None = None
    train_loss: Annotated[float | None, Field(alias="train loss")] = None
    train_seconds: Annotated[Positive | None, Field(alias="train time")] = None
    tokens_per_second: Annotated[Positive | None, Field(alias="tokens / sec")] = None
    total_tokens: Annotated[Count | None, Field(alias="train total tokens")] = None


class TrainConfig(Part):
    """How an experiment trains. Options that we do not know are kept: they are part of the configuration."""

    model_config = ConfigDict(extra="allow")

    model_id: str
    seed: Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
    query_template: str
    optimizer_kwargs: dict[str, Any]


class PeftConfig(Part):
    """An adapter's options, those that we do not know among them."""

    model_config = ConfigDict(extra="allow")

    peft_type: Annotated[str, Field(min_length=1)]


class RunInfo(Part):
    """Which experiment, when, and how it was configured; ``peft_config`` is None for full fine-tuning."""

    created_at: Annotated[datetime, Field(strict=False), AfterValidator(_a_time)]
    total_time: Positive
    experiment_name: Annotated[str, Field(min_length=1)]
    train_config: TrainConfig
    peft_config: PeftConfig | None
    error_msg: str | None = None


class TrainInfo(Part):
    """What was measured. ``peak_reserved_bytes`` is ``torch.cuda.max_memory_reserved()`` at the end of the run, so it
    covers loading, training and generating; no peak of allocated memory was recorded."""

    status: str
    peak_reserved_bytes: Annotated[
        Count | None, Field(validation_alias=AliasChoices("accelerator_memory_max", "cuda_memory_max"))
    ] = None
    trainable_parameters: Annotated[Count | None, Field(alias="num_trainable_params")] = None
    total_parameters: Annotated[Count | None, Field(alias="num_total_params")] = None
    metrics: list[Point]


class Commit(Part):
    """A repository's commit."""

    sha: str | None = None


class DatasetInfo(Part):
    """The commits of the data sets."""

    metamath: Commit = Commit()
    gsm8k: Commit = Commit()


class System(Part):
    """The machine."""

    system: str | None = None
    release: str | None = None
    machine: str | None = None
    accelerator: Annotated[str | None, Field(validation_alias=AliasChoices("accelerator", "gpu"))] = None


class MetaInfo(Part):
    """The base model's commit and the stack."""

    model_info: Commit
    dataset_info: DatasetInfo = DatasetInfo()
    package_info: dict[str, str | None]
    system_info: System


class Result(Part):
    """One result file."""

    run_info: RunInfo
    train_info: TrainInfo
    meta_info: MetaInfo

    @property
    def succeeded(self) -> bool:
        """Did it train to the end and get its test score?"""
        return self.train_info.status == "success"


def read_result(path: Path) -> tuple[Result, str]:
    """A result file and its digest. Raises UserError for another format, or one that lacks what it must hold."""
    value, digest = read_json(path)
    missing = [key for key in SECTIONS if not isinstance(value, dict) or key not in value]
    if missing:
        raise UserError(
            f"{words.text(path)}: is no result file of peft's method comparison: it has no {', '.join(missing)}"
        )
    result = checked(Result, value, path)
    if result.succeeded and not any(point.test_accuracy is not None for point in result.train_info.metrics):
        raise UserError(f"{words.text(path)}: train_info.metrics: no test accuracy, though its status is success")
    return result, digest


def result_files(path: Path) -> list[Path]:
    """The file itself, or the result files of a folder by name. Raises UserError where there is none."""
    if path.is_dir():
        found = sorted(path.glob("*.json"))
        if not found:
            raise UserError(f"{words.text(path)}: no result files (*.json) in this folder")
        return found
    if not path.is_file():
        raise UserError(f"{words.text(path)}: no such file or folder")
    return [path]
