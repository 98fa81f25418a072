"""The knobs that a method adds to a matrix file, as pydantic models that import nothing heavy."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Parameters(BaseModel):
    """What a method reads beside the settings that all stages share. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LoraParameters(Parameters):
    """Low-rank adapters (Hu et al. 2021): W + alpha / rank * B A, with A random and B zero at the start."""

    rank: Annotated[int, Field(gt=0, description="Width of the adapter: more to learn with, more memory.")] = 8
    alpha: Annotated[
        float | None,
        Field(gt=0, description="The scale is alpha / rank. If not given it is `alpha_per_rank` times the rank."),
    ] = None
    alpha_per_rank: Annotated[float, Field(gt=0, description="The scale that every rank has then.")] = 2.0
    target_modules: Annotated[
        str | tuple[str, ...],
        Field(description="`all-linear`, a pattern of whole names, or a list of the ends of names."),
    ] = "all-linear"
    dropout: Annotated[float, Field(ge=0, lt=1, description="Of the adapter's input, in training.")] = 0.0
    use_rslora: Annotated[bool, Field(description="Scale by alpha / sqrt(rank) instead (Kalajdzievski 2023).")] = False
    use_dora: Annotated[
        bool, Field(description="Learn length and direction of the weights apart (Liu et al. 2024).")
    ] = False
    bias: Annotated[
        Literal["none", "all", "lora_only"], Field(description="Which bias terms are trained beside the adapter.")
    ] = "none"
    init: Annotated[Literal["kaiming", "gaussian"], Field(description="How A is drawn.")] = "kaiming"

    @property
    def lora_alpha(self) -> float:
        """The numerator of the scale: ``alpha``, or ``alpha_per_rank`` times the rank."""
        return self.alpha if self.alpha is not None else self.alpha_per_rank * self.rank


class QuantisationParameters(Parameters):
    """4-bit base weights (Dettmers et al. 2023): the code, and whether the block scales are quantised again."""

    quantisation: Annotated[Literal["nf4", "fp4"], Field(description="The 4-bit code.")] = "nf4"
    double_quantisation: Annotated[bool, Field(description="Quantise the block scales again.")] = True


class QloraParameters(LoraParameters, QuantisationParameters):
    """LoRA over a base in 4 bit."""


class DpoParameters(Parameters):
    """Direct preference optimisation (Rafailov et al. 2023) from an SFT stage's result."""

    beta: Annotated[float, Field(gt=0, description="How closely the model is held to its reference.")] = 0.1
    loss_type: Annotated[Literal["sigmoid", "ipo", "hinge", "robust"], Field(description="TRL's loss.")] = "sigmoid"
    label_smoothing: Annotated[
        float,
        Field(
            ge=0,
            lt=0.5,
            description="Share of pairs taken to be the wrong way round (Chowdhury et al. 2024); for `robust` alone.",
        ),
    ] = 0.0
    reference: Annotated[
        Literal["precomputed", "model"],
        Field(description="After full SFT: its log-probabilities from before the first step, or a second model."),
    ] = "precomputed"
    adapter: Annotated[
        Literal["continue", "fresh"],
        Field(
            description="After LoRA or QLoRA: train its adapter further (the reference is a frozen copy of it), or "
            "merge it and train a new one (the reference is the model without it)."
        ),
    ] = "continue"

    @model_validator(mode="after")
    def _smoothing_is_read(self) -> "DpoParameters":
        if self.label_smoothing and self.loss_type != "robust":
            raise ValueError(f"label_smoothing {self.label_smoothing} needs loss_type robust (got {self.loss_type})")
        return self


class BaseParameters(Parameters):
    """The untrained row: in full precision or in 4 bit, bare or with examples in its prompt."""

    quantisation: Annotated[
        Literal["none", "nf4", "fp4"], Field(description="In full precision, or the 4-bit code.")
    ] = "none"
    double_quantisation: Annotated[bool, Field(description="Quantise the block scales again.")] = True
    shots: Annotated[
        int, Field(ge=0, description="Examples in the prompt; then only evals with `prompted: true` are scored.")
    ] = 0
