"""The knobs that a method adds to a matrix file, as pydantic models that import nothing heavy."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Parameters(BaseModel):
    """What a method reads beside the settings that all stages share. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LoraParameters(Parameters):
    """Low-rank adapters (Hu et al. 2021): W + alpha / rank * B A, with A random and B zero at the start.

    ``alpha`` is a factor of the rank by default, so that an arm of another rank has the same scale.
    """

    rank: Annotated[int, Field(gt=0)] = 8
    alpha: Annotated[float, Field(gt=0)] | None = None
    alpha_per_rank: Annotated[float, Field(gt=0)] = 2.0
    target_modules: str | tuple[str, ...] = "all-linear"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    use_rslora: bool = False  # scale by alpha / sqrt(rank)
    use_dora: bool = False
    bias: Literal["none", "all", "lora_only"] = "none"
    init: Literal["kaiming", "gaussian"] = "kaiming"

    @property
    def lora_alpha(self) -> float:
        """The numerator of the scale: ``alpha``, or ``alpha_per_rank`` times the rank."""
        return self.alpha if self.alpha is not None else self.alpha_per_rank * self.rank


class QuantisationParameters(Parameters):
    """4-bit base weights (Dettmers et al. 2023): the code, and whether the block scales are quantised again."""

    quantisation: Literal["nf4", "fp4"] = "nf4"
    double_quantisation: bool = True


class QloraParameters(LoraParameters, QuantisationParameters):
    """LoRA over a base in 4 bit."""


class DpoParameters(Parameters):
    """Direct preference optimisation (Rafailov et al. 2023) from an SFT stage's result.

    ``adapter: continue`` trains the SFT stage's adapter further, with a frozen copy of it as the reference;
    ``adapter: fresh`` merges it and trains a new one, whose absence is the reference. ``label_smoothing`` is the
    share of pairs taken to be the wrong way round by ``loss_type: robust`` (Chowdhury et al. 2024); TRL's other
    losses ignore it.
    """

    beta: Annotated[float, Field(gt=0)] = 0.1
    loss_type: Literal["sigmoid", "ipo", "hinge", "robust"] = "sigmoid"
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    reference: Literal["precomputed", "model"] = "precomputed"  # for full weights
    adapter: Literal["continue", "fresh"] = "continue"

    @model_validator(mode="after")
    def _smoothing_is_read(self) -> "DpoParameters":
        if self.label_smoothing and self.loss_type != "robust":
            raise ValueError(f"label_smoothing {self.label_smoothing} needs loss_type robust (got {self.loss_type})")
        return self


class BaseParameters(Parameters):
    """The untrained row: in full precision or in 4 bit, bare or with examples in its prompt."""

    quantisation: Literal["none", "nf4", "fp4"] = "none"
    double_quantisation: bool = True
    shots: Annotated[int, Field(ge=0)] = 0
