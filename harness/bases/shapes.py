"""The shapes of a base's linear layers: to refuse a rank that a layer has no room for before anything loads."""

from typing import Any

from harness.bases.resolve import Base
from harness.bases.weights import Tensor, read_tensors
from harness.errors import UserError

# These families store a linear layer as (in, out): transformers' Conv1D.
_TRANSPOSED_TYPES = {"gpt2", "openai-gpt", "gpt-sw3"}
_EMBEDDING_NAMES = {"wte", "wpe", "tokens_embed", "positions_embed"}


def layer_shapes(base: Base) -> dict[str, tuple[int, int]]:
    """``(out_features, in_features)`` of every linear layer, by the module's name in the checkpoint.

    Read from the weight files' headers; a ``config`` base is built without storage (imports torch, some
    seconds). Embeddings are left out, and so is an output layer that is tied to one. Raises UserError.
    """
    if base.folder is None:
        return _shapes_of_config(base)
    transposed = base.config.get("model_type") in _TRANSPOSED_TYPES
    linear = {t.name.removesuffix(".weight"): t.shape for t in read_tensors(base.folder) if _is_linear(t, base.config)}
    if transposed:
        return {name: (shape[1], shape[0]) for name, shape in linear.items()}
    return {name: (shape[0], shape[1]) for name, shape in linear.items()}


def _is_linear(tensor: Tensor, config: dict[str, Any]) -> bool:
    """Told by rank and name, since a header knows tensors and not modules."""
    if len(tensor.shape) != 2 or not tensor.name.endswith(".weight"):
        return False
    module = tensor.name.split(".")[-2] if tensor.name.count(".") else ""
    if module in ("lm_head", "embed_out"):  # embed_out: the output layer of the GPT-NeoX family
        return not config.get("tie_word_embeddings", False)
    return "embed" not in module and module not in _EMBEDDING_NAMES


def _shapes_of_config(base: Base) -> dict[str, tuple[int, int]]:
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM
    from transformers.pytorch_utils import Conv1D

    settings = dict(base.config)
    model_type = settings.pop("model_type")
    if model_type not in CONFIG_MAPPING:
        raise UserError(f"base {base.name}: the installed transformers knows no model_type {model_type!r}")
    try:
        config = CONFIG_MAPPING[model_type].from_dict(settings)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
    except Exception as error:  # whatever a wrong config makes a model's constructor do
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"base {base.name}: the config builds no model: {reason}") from error

    tied_head = model.get_output_embeddings() if config.tie_word_embeddings else None
    shapes = {}
    for name, module in model.named_modules():
        if isinstance(module, Conv1D):
            shapes[name] = (module.weight.shape[1], module.weight.shape[0])
        elif isinstance(module, torch.nn.Linear) and module is not tied_head:
            shapes[name] = (module.out_features, module.in_features)
    return shapes
