"""How a stage is trained and scored, as a matrix file says it: every knob with its default, none left to a trainer.

A list where a single value is expected makes that knob an axis; ``harness.matrix`` expands it before these
models see it, so here every field is one value.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

DType = Literal["float32", "bfloat16", "float16"]
Role = Literal["target", "general", "preference", "safety"]
Part = Literal["train", "validation", "test"]


class Strict(BaseModel):
    """A model that refuses unknown keys and cannot be changed once it is built."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Budget(Strict):
    """How much a stage trains: exactly one of the three."""

    steps: Annotated[int, Field(gt=0)] | None = None
    epochs: Annotated[float, Field(gt=0)] | None = None
    real_tokens: Annotated[int, Field(gt=0)] | None = None  # attention-mask tokens, padding apart

    @model_validator(mode="after")
    def _exactly_one(self) -> "Budget":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of steps, epochs, real_tokens (got {', '.join(given) or 'none'})")
        return self


class Precision(Strict):
    """Data types of the weights, of the arithmetic (autocast where it differs), and of an adapter's weights."""

    weights: DType = "float32"
    compute: DType = "float32"
    adapter: DType = "float32"

    @model_validator(mode="after")
    def _computed_in_no_more_than_it_is_kept_in(self) -> "Precision":
        if self.weights != "float32" and self.compute != self.weights:
            raise ValueError(
                f"compute {self.compute} over weights {self.weights}: autocast lowers float32 and raises nothing; "
                f"give compute: {self.weights}, or weights: float32"
            )
        return self


class Kernels(Strict):
    """How a step is computed. Part of the execution's id, not of the recipe's: it may change bits, not meaning."""

    attention: Literal["eager", "sdpa", "flash_attention_2"] = "sdpa"
    gradient_checkpointing: bool = False  # less memory for activations, about a third more arithmetic
    compile: bool = False
    liger: bool = False
    patch: str | None = None  # "package.module:function", called on the loaded model


class Optimizer(Strict):
    """The update rule and its schedule."""

    name: Literal["adamw", "adamw_8bit", "paged_adamw_8bit"] = "adamw"
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0)] = 1e-8
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    warmup_steps: Annotated[int, Field(ge=0)] = 10


class Source(Strict):
    """One file of a training mix.

    ``share`` is its part of the examples drawn; files without one divide what the others leave. ``role`` says
    what it is there for, so that a share of replayed general data, or of bad data, can be an axis. ``split`` takes
    one part of the file alone, as ``Mixes.split`` parts it.
    """

    file: str
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    role: Literal["target", "replay", "bad"] = "target"
    split: Part | None = None


class Split(Strict):
    """How files are parted into train, validation and test: all of them together, so that a prompt is on one side."""

    seed: int = 0
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Annotated[float, Field(ge=0, lt=1)] = 0.1


class Mixes(Strict):
    """The training mix of each kind of stage."""

    sft: tuple[Source, ...] = ()
    preference: tuple[Source, ...] = ()
    split: Split = Split()

    @model_validator(mode="after")
    def _shares_add_up(self) -> "Mixes":
        for kind, sources in (("sft", self.sft), ("preference", self.preference)):
            given = [source.share for source in sources if source.share is not None]
            whole = sources and len(given) == len(sources)
            if sum(given) > 1 + 1e-9 or (whole and abs(sum(given) - 1) > 1e-9):
                files = ", ".join(source.file for source in sources)
                raise ValueError(f"{kind}: the shares of {files} add up to {sum(given):g}, not to 1")
        return self


class Settings(Strict):
    """Everything that a trained stage takes from the matrix, apart from its method's own parameters."""

    data: Mixes = Mixes()
    budget: Budget = Budget(steps=100)
    sequence_length: Annotated[int, Field(gt=1)] = 512
    batch_size: Annotated[int, Field(gt=0)] = 16  # examples a step
    micro_batch_size: Annotated[int, Field(gt=0)] | None = None  # examples a forward pass; all of them if not given
    on_bad_record: Literal["error", "drop"] = "error"
    on_long_record: Literal["error", "drop"] = "error"
    precision: Precision = Precision()
    kernels: Kernels = Kernels()
    optimizer: Optimizer = Optimizer()
    threads: Annotated[int, Field(gt=0)] = 1

    @model_validator(mode="after")
    def _batch_splits_evenly(self) -> "Settings":
        if self.micro_batch_size and self.batch_size % self.micro_batch_size:
            raise ValueError(f"micro_batch_size {self.micro_batch_size} does not divide batch_size {self.batch_size}")
        return self


class Eval(Strict):
    """A task and what it is for: which lm-eval metric is read, over which split."""

    task: str
    role: Role
    split: Literal["validation", "test"] = "test"
    metric: str = "acc"
    higher_is_better: bool = True
    chance: float | None = None
    prompted: bool = False  # is it scored with examples in its prompt, too?
    merged: bool = True  # is it scored again once an adapter is merged?


class Tuning(Strict):
    """How a learning rate is chosen: every rate at the first seeds, then the best ones at all seeds."""

    screen_seeds: Annotated[int, Field(gt=0)] = 1
    keep: Annotated[int, Field(gt=0)] = 2


class Measure(Strict):
    """The run that has the device to itself, for memory and speed."""

    enabled: bool = True
    warmup_steps: Annotated[int, Field(ge=0)] = 5
    steps: Annotated[int, Field(gt=0)] = 30


class Selection(Strict):
    """The validation task on which each kind of stage chooses its learning rate."""

    sft: str | None = None
    preference: str | None = None


def defaults_merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """``lower`` overridden by ``upper``, key by key and as deep as both are mappings.

    A budget is replaced whole: its keys are alternatives, so steps given here must not meet epochs given there.
    """
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if key != "budget" and isinstance(below, dict) and isinstance(value, dict):
            merged[key] = defaults_merged(below, value)
        else:
            merged[key] = value
    return merged
