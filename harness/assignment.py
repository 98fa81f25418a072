"""What a worker is handed: one cell with every path and number resolved. JSON, so that any interpreter can read it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.events import Moment
from harness.limits import MemoryLimit


class Sent(BaseModel):
    """Part of an assignment."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BaseToLoad(Sent):
    """Where the base's files lie; ``init_seed`` where its weights are drawn instead of read."""

    folder: str
    tokenizer_folder: str
    pad_token: str | None = None
    init_seed: int | None = None


class SourceToRead(Sent):
    """One normalised JSONL file of a mix, and its share of the examples drawn."""

    file: str
    share: float


class StageToRun(Sent):
    """A stage, what it learns from, and its result where somebody trained it already."""

    stage_id: str
    stage: dict[str, Any]
    sources: tuple[SourceToRead, ...] = ()
    artifact: str | None = None  # a verified result to start from, instead of training
    artifact_out: str | None = None  # where to keep the result


class EvalToScore(Sent):
    """A task to score."""

    eval_id: str
    task: str
    metric: str
    higher_is_better: bool
    prompted: bool = False
    merged: bool = True

    def key(self, moment: Moment) -> str:
        """See ``score_key``."""
        return score_key(self.eval_id, self.metric, moment)

    def is_wanted(self, moment: Moment) -> bool:
        """Is it to be scored at this moment, where a model has it?"""
        if moment == "prompted":
            return self.prompted
        return self.merged or not moment.startswith("merged")


class Turns(Sent):
    """The named pipes of two measure runs that take turns, a step each."""

    mine: str
    theirs: str
    first: bool


class Assignment(Sent):
    """One run."""

    run_id: str
    purpose: Literal["quality", "measure", "reference"]
    device: str
    folder: str  # scratch, removed afterwards
    base: BaseToLoad
    stages: tuple[StageToRun, ...]
    execution: dict[str, Any]
    tasks_folder: str | None = None
    evals: tuple[EvalToScore, ...] = ()
    eval_batch_size: int = 64
    measure_warmup_steps: int = 5
    measure_steps: int = 30
    turns: Turns | None = None
    memory_limit: MemoryLimit | None = None
    patch_folders: tuple[str, ...] = ()  # where a patch's module is looked for besides the installed ones

    @property
    def ledger_limit(self) -> int | None:
        """The tensor bytes that a measure run may have: on a CPU, where no allocator can be held to a limit."""
        return self.memory_limit.usable_bytes if self.memory_limit and self.device == "cpu" else None


def score_key(eval_id: str, metric: str, moment: Moment) -> str:
    """What a score is known by: another metric, or moment, of a task that was scored is still to be scored."""
    return f"{eval_id}/{metric}/{moment}"
