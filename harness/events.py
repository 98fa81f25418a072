"""The messages from a cell to the runner: one JSON object a line, versioned, never pickled.

The worker at the other end may be another interpreter on another version, so every message is validated.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from harness.predict.recipe import Batch

EVENT_VERSION = 1

NO_SPACE = "no space left"  # how a worker on a full disk begins its reason

Moment = Literal["base", "prompted", "tuned", "merged", "merged_requantised"]
OWN_MOMENTS: tuple[Moment, ...] = ("base", "prompted", "tuned")  # of a model as it is
MERGED_PHASES = ("merge", "evaluate_merged", "requantise", "evaluate_requantised")
Failure = Literal["oom", "nan", "timeout", "crashed", "killed", "refused"]


class Event(BaseModel):
    """A message. NaN and infinity become null on the wire, as NULL in the store."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")

    version: Literal[1] = 1


class PhaseStarted(Event):
    """The cell entered a phase (load, train, merge, evaluate) of a stage."""

    type: Literal["phase_started"] = "phase_started"
    stage_id: str
    phase: str


class Passes(BaseModel):
    """Forward and backward passes that are alike, and how many there are of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: Batch
    count: int


class Batches(Event):
    """What the last stage is about to be trained on: of its forward passes the longest of each kind, and all of the
    ``steps`` that are timed."""

    type: Literal["batches"] = "batches"
    stage_id: str
    batches: tuple[Batch, ...]
    timed: tuple[Passes, ...] = ()
    steps: int = 0


class Ceilings(Event):
    """What the device of a measure run can do at most, measured before its model is loaded: operations a second of a
    large product and of fused attention in each type, bytes read and written a second by a large copy and where a large
    tensor is made, seconds for a small kernel with all that issues it. None where a run did not measure it."""

    type: Literal["ceilings"] = "ceilings"
    bfloat16_flops: float
    float32_flops: float
    bytes_per_second: float
    launch_seconds: float
    bfloat16_attention_flops: float | None = None
    float32_attention_flops: float | None = None
    fresh_bytes_per_second: float | None = None


class Progress(Event):
    """How far a training phase is; sent a few times a second at most."""

    type: Literal["progress"] = "progress"
    stage_id: str
    step: int
    steps: int
    loss: float | None = None
    tokens_per_second: float | None = None


class Phase(Event):
    """A phase that ended, with what was measured in it; columns of the table ``phases``."""

    type: Literal["phase"] = "phase"
    stage_id: str
    phase: str
    wall_seconds: float
    figures: dict[str, float | int | None] = {}


class Step(BaseModel):
    """One point of a loss curve."""

    step: int
    loss: float | None
    gradient_norm: float | None
    tokens_seen: int
    seconds: float


class PartCost(BaseModel):
    """What a part of a training step took, or the whole ``step``: columns of the table ``step_parts``. Real tokens and
    joules are those of all timed steps, and stand with the whole ``step`` alone."""

    part: Literal["data", "forward", "reference", "backward", "optimizer", "step"]
    seconds_median: float | None = None
    seconds_p25: float | None = None
    seconds_p75: float | None = None
    peak_allocated_bytes: int | None = None
    peak_reserved_bytes: int | None = None
    peak_ledger_bytes: int | None = None
    timed_tokens: int | None = None
    timed_joules: float | None = None


class Measured(Event):
    """What a measure run saw of its stage's steps: their parts, and what stood in memory from moment to moment."""

    type: Literal["measured"] = "measured"
    stage_id: str
    parts: list[PartCost]
    timeline: dict[str, list[Any]] = {}


class Trained(Event):
    """A stage that was trained, or whose result was reused: its curve, fingerprint and effective settings."""

    type: Literal["trained"] = "trained"
    stage_id: str
    reused: bool
    steps: list[Step] = []
    fingerprint: dict[str, float | None] = {}
    logits: list[float] = []
    effective: dict[str, Any] = {}
    order_digest: str | None = None
    real_tokens: int | None = None
    loss_tokens: int | None = None
    trainable_parameters: int | None = None
    total_parameters: int | None = None


class Artifact(Event):
    """A stage's result, written to disk and hashed."""

    type: Literal["artifact"] = "artifact"
    stage_id: str
    path: str
    sha256: str
    size_bytes: int


class Score(Event):
    """One task scored at one moment; the packed items are base64 of what ``harness.store.packing`` made."""

    type: Literal["score"] = "score"
    moment: Moment
    eval_id: str
    metric: str
    value: float | None
    n_items: int
    higher_is_better: bool
    correct: str | None = None
    values: str | None = None
    answers: str | None = None


class Done(Event):
    """The cell came to its end."""

    type: Literal["done"] = "done"


class Failed(Event):
    """The cell could not go on: how, why, and in which phase."""

    type: Literal["failed"] = "failed"
    status: Failure
    reason: str
    phase: str | None = None


AnyEvent = Annotated[
    PhaseStarted | Ceilings | Batches | Progress | Measured | Phase | Trained | Artifact | Score | Done | Failed,
    Field(discriminator="type"),
]
_adapter: TypeAdapter[Any] = TypeAdapter(AnyEvent)


def to_line(event: Event) -> bytes:
    """``event`` as one line of JSON."""
    return event.model_dump_json().encode() + b"\n"


def from_line(line: bytes) -> Any:
    """The event on ``line``; raises pydantic's ValidationError for anything else."""
    return _adapter.validate_json(line)
