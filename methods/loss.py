"""The loss over the vocabulary: in chunks, as TRL computes it, or the model's own, from all logits or by Liger.

TRL goes through an output layer of its own, which makes a tile of logits at a time and keeps none.
"""

from typing import Any

LIGER_LOSS = "fused_linear_cross_entropy"


class LossOfTheModel:
    """Mixed into TRL's SFTTrainer: the loss that the model itself gives, as Transformers' trainer takes it."""

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The sum over the tokens with loss, divided by ``num_items_in_batch``."""
        from transformers import Trainer

        inputs = {**inputs, "use_cache": False}
        return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)  # type: ignore[arg-type]


def fuse_with_liger(model: Any) -> None:
    """Let ``model`` compute its loss by Liger's fused output layer, and nothing else by Liger.

    It takes the place of TRL's own output layer, which has to stand by then. Raises ValueError for a family of models
    that Liger has none for.
    """
    from inspect import signature

    from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN

    apply = MODEL_TYPE_TO_APPLY_LIGER_FN.get(model.config.model_type)
    if apply is None:
        raise ValueError(f"kernels.loss: liger: liger-kernel has none for {model.config.model_type}")
    apply(model=model, **{part: part == LIGER_LOSS for part in signature(apply).parameters if part != "model"})


def loss_of(trainer: Any) -> str:
    """How a built trainer will compute it."""
    from transformers import Trainer

    taken_from = next(owner for owner in type(trainer).__mro__ if "compute_loss" in vars(owner))
    if taken_from not in (LossOfTheModel, Trainer):
        return "chunked"
    forward = getattr(without_adapter(trainer.model).forward, "__func__", None)
    return "liger" if getattr(forward, "__module__", "").startswith("liger_kernel") else "whole"


def without_adapter(model: Any) -> Any:
    """The model that an adapter was put on, or ``model`` itself."""
    return model.get_base_model() if hasattr(model, "peft_config") else model
