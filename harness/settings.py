"""How a stage is trained and scored, as a matrix file says it: every knob with its default, none left to a trainer.

A list where a single value is expected makes that knob an axis; ``harness.matrix`` expands it before these
models see it, so here every field is one value. The descriptions are what `tunematrix schema` and docs/matrix.md say.
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

    steps: Annotated[int | None, Field(gt=0, description="Optimizer steps.")] = None
    epochs: Annotated[float | None, Field(gt=0, description="How often the files are gone through.")] = None
    real_tokens: Annotated[int | None, Field(gt=0, description="Tokens, padding not counted.")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Budget":
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of steps, epochs, real_tokens (got {', '.join(given) or 'none'})")
        return self


class Precision(Strict):
    """Data types of the weights, of the arithmetic (autocast where it differs), and of an adapter's weights."""

    weights: Annotated[DType, Field(description="The base's weights; of 4-bit weights, what is not quantised.")] = (
        "float32"
    )
    compute: Annotated[
        DType,
        Field(
            description="The arithmetic, an adapter's too. Over float32 weights it may be lower (autocast), else it is "
            "theirs."
        ),
    ] = "float32"
    adapter: Annotated[DType, Field(description="An adapter's own weights.")] = "float32"

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

    attention: Annotated[
        Literal["eager", "sdpa", "flash_attention_2"],
        Field(description="The attention kernel. `flash_attention_2` needs CUDA and the package flash-attn."),
    ] = "sdpa"
    gradient_checkpointing: Annotated[
        bool, Field(description="Compute activations a second time: less memory, about a third more arithmetic.")
    ] = False
    compile: Annotated[bool, Field(description="torch.compile; on a CPU it needs a C++ compiler.")] = False
    liger: Annotated[
        bool, Field(description="Liger's kernels in the layers; they need CUDA and the package liger-kernel.")
    ] = False
    loss: Annotated[
        Literal["whole", "chunked", "liger"],
        Field(
            description="Over the vocabulary: all logits at once, TRL's a tile at a time, or Liger's, fused with the "
            "output layer (it needs CUDA and liger-kernel). For SFT stages."
        ),
    ] = "chunked"
    packing: Annotated[
        bool, Field(description="The examples of a forward pass in one row, without padding. For SFT stages.")
    ] = False
    patch: Annotated[
        str | None, Field(description="A kernel of your own, as `package.module:function`: called on the loaded model.")
    ] = None


# Those that came later: an execution that lacks one was computed at its default, and keeps its id.
LATER_KERNELS: dict[str, Any] = {name: Kernels.model_fields[name].default for name in ("loss", "packing")}


class Optimizer(Strict):
    """The update rule and its schedule."""

    name: Annotated[
        Literal["adamw", "adamw_8bit", "paged_adamw_8bit"],
        Field(description="Those in 8 bit need CUDA; the paged one's state moves to the host where the GPU is full."),
    ] = "adamw"
    beta1: Annotated[float, Field(ge=0, lt=1, description="Decay of the mean of gradients.")] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1, description="Decay of the mean of their squares.")] = 0.999
    epsilon: Annotated[float, Field(gt=0, description="Added to the root of that mean.")] = 1e-8
    weight_decay: Annotated[float, Field(ge=0, description="Decoupled from the gradient.")] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0, description="Longer gradients are clipped to this norm.")] = 1.0
    schedule: Annotated[
        Literal["linear", "cosine", "constant_with_warmup"],
        Field(description="How the rate goes on after warm-up: down to zero, or constant."),
    ] = "linear"
    warmup_steps: Annotated[int, Field(ge=0, description="Steps in which the rate rises from zero.")] = 10


class Source(Strict):
    """One file of a training mix."""

    file: Annotated[str, Field(description="A path, relative to the matrix file, or `hub:org/name[/file][@revision]`.")]
    share: Annotated[
        float | None,
        Field(ge=0, le=1, description="Its part of the examples drawn. Files without one divide what others leave."),
    ] = None
    role: Annotated[
        Literal["target", "replay", "bad"],
        Field(description="What the file is there for: part of the mix's id, it changes no training by itself."),
    ] = "target"
    split: Annotated[
        Part | None, Field(description="Only this part of the file, as `data.split` parts it; all of it if not given.")
    ] = None


class Split(Strict):
    """How files are parted into train, validation and test: all of them together, so that a prompt is on one side."""

    seed: Annotated[int, Field(description="Which examples go to which part.")] = 0
    validation: Annotated[float, Field(ge=0, lt=1, description="Share of the examples to choose rates by.")] = 0.1
    test: Annotated[float, Field(ge=0, lt=1, description="Share of the examples that nothing is chosen by.")] = 0.1


class Mixes(Strict):
    """The training mix of each kind of stage."""

    sft: Annotated[tuple[Source, ...], Field(description="Files of examples, for SFT stages.")] = ()
    preference: Annotated[tuple[Source, ...], Field(description="Files of pairs, for DPO stages; the same keys.")] = ()
    split: Annotated[Split, Field(description="How files of which a part is used are parted.")] = Split()

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

    data: Annotated[Mixes, Field(description="What the stages learn from.")] = Mixes()
    budget: Annotated[Budget, Field(description="How long a stage trains: exactly one of its keys.")] = Budget(
        steps=100
    )
    sequence_length: Annotated[int, Field(gt=1, description="Tokens of the longest example.")] = 512
    batch_size: Annotated[int, Field(gt=0, description="Examples a step.")] = 16
    micro_batch_size: Annotated[
        int | None,
        Field(gt=0, description="Examples a forward pass; a divisor of `batch_size`, which it is if not given."),
    ] = None
    on_bad_record: Annotated[
        Literal["error", "drop"], Field(description="What to do with records that cannot be used.")
    ] = "error"
    on_long_record: Annotated[
        Literal["error", "drop"], Field(description="What to do with records longer than `sequence_length`.")
    ] = "error"
    precision: Annotated[Precision, Field(description="Data types: part of the recipe.")] = Precision()
    kernels: Annotated[Kernels, Field(description="How a step is computed: part of the execution.")] = Kernels()
    optimizer: Annotated[Optimizer, Field(description="AdamW, and how its rate rises and falls.")] = Optimizer()
    threads: Annotated[
        int, Field(gt=0, description="Of each cell, on a CPU. Cells at once: the cores divided by this, or --jobs.")
    ] = 1

    @model_validator(mode="after")
    def _batch_splits_evenly(self) -> "Settings":
        if self.micro_batch_size and self.batch_size % self.micro_batch_size:
            raise ValueError(f"micro_batch_size {self.micro_batch_size} does not divide batch_size {self.batch_size}")
        return self


class Eval(Strict):
    """A task and what it is for: which lm-eval metric is read, over which split."""

    task: Annotated[str, Field(description="The `task` of a file in tasks/ beside the matrix file.")]
    role: Annotated[
        Role,
        Field(description="What is tuned for (`target`), must not be forgotten (`general`), is preferred, is refused."),
    ]
    split: Annotated[
        Literal["validation", "test"],
        Field(description="A `validation` task may choose rates and is in no table; a `test` task chooses nothing."),
    ] = "test"
    metric: Annotated[str, Field(description="The metric of the task that is read.")] = "acc"
    higher_is_better: Annotated[bool, Field(description="`false` for perplexities and other losses.")] = True
    chance: Annotated[
        float | None, Field(description="The score of guessing. It is kept with the eval; no figure is made of it.")
    ] = None
    prompted: Annotated[
        bool, Field(description="Score it on entries with `shots` too; other evals are left out there.")
    ] = False
    merged: Annotated[bool, Field(description="Score it again once an adapter is merged.")] = True


class Tuning(Strict):
    """How a learning rate is chosen: every rate at the first seeds, then the best ones at all seeds."""

    screen_seeds: Annotated[int, Field(gt=0, description="How many seeds every rate runs at.")] = 1
    keep: Annotated[int, Field(gt=0, description="How many of the best rates then run at all seeds.")] = 2


class Measure(Strict):
    """The run that has the device to itself, for memory and speed."""

    enabled: Annotated[bool, Field(description="Without it there are no figures of memory and speed.")] = True
    warmup_steps: Annotated[int, Field(ge=0, description="Steps that are not timed.")] = 5
    steps: Annotated[int, Field(gt=0, description="Steps that are.")] = 30


class Selection(Strict):
    """The validation task on which each kind of stage chooses its learning rate."""

    sft: Annotated[str | None, Field(description="For SFT stages. Needed where an entry has several rates.")] = None
    preference: Annotated[str | None, Field(description="The same for DPO stages.")] = None


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
