"""Models of a shape as the harness builds and trains them, for tests that count what a step does."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from harness.predict.recipe import Recipe
from harness.predict.shapes import shape_files

TILES = "trl.kernels.chunked_logprob"


def model_of(name: str, recipe: Recipe, device: str) -> Any:
    """As the harness builds and trains it, with TRL's fused output layer."""
    import torch
    from peft.tuners.tuners_utils import BaseTunerLayer
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    from methods.adapters import add_adapter
    from methods.parameters import LoraParameters

    settings = json.loads(shape_files()[name].read_text())
    config = CONFIG_MAPPING[settings.pop("model_type")].from_dict(settings)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(
            config, dtype=getattr(torch, recipe.weights), attn_implementation=recipe.attention
        )
        add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
        if recipe.adapter is not None:
            parameters = LoraParameters(rank=recipe.adapter.rank, target_modules=recipe.adapter.targets)
            model = add_adapter(model, parameters, recipe.adapter_dtype)
    for module in model.modules() if recipe.autocast else ():
        if isinstance(module, BaseTunerLayer):
            module.cast_input_dtype_enabled = False
    if recipe.checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable()
    return model.train()


def loss_of(model: Any, tokens: Any, recipe: Recipe) -> Any:
    """As the harness's trainers compute it, summed."""
    import torch

    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.autocast):
        if recipe.loss == "whole":
            return model(input_ids=tokens, labels=tokens, use_cache=False, num_items_in_batch=1).loss
        return -model(input_ids=tokens, labels=tokens, use_cache=False, fused_lm_head=True).log_probs.sum()


@contextmanager
def tiles_in_place() -> Iterator[None]:
    """On a GPU a tile of the loss is worked on where it lies; the CPU makes copies, which these leave out."""
    with ExitStack() as stack:
        for name in ("_forward_tile", "_backward_tile", "_addmm_fp32"):
            stack.enter_context(patch(f"{TILES}.{name}", lambda *_, **__: None))
        yield
