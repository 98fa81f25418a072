"""A model of a shape whose weights are drawn: for its memory and speed, or to be trained from nothing.

Drawn where they will be used and in the type in which they are kept, a module at a time; a layer in 4 bit is quantised
as soon as it is drawn, so that the model of full width never exists whole.
"""

import hashlib
from pathlib import Path
from typing import Any

from harness.loading import finished, four_bit_config


def random_model(
    config_folder: Path,
    *,
    init_seed: int,
    precision: dict[str, str],
    attention: str,
    device: str,
    quantisation: dict[str, Any] | None = None,
) -> Any:
    """A model of the shape in ``config_folder``, its weights those of ``init_seed``; ``quantisation`` as in
    ``harness.loading.load_model``, of the very weights that are drawn without it.

    Each module draws from a seed of its own, as its architecture initialises it, so that no order and no quantisation
    changes what another one gets. A GPU's generator draws other numbers than a CPU's.
    """
    import torch
    from accelerate import init_empty_weights
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(config_folder, local_files_only=True, trust_remote_code=False)
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(
            config, dtype=getattr(torch, precision["weights"]), attn_implementation=attention, trust_remote_code=False
        )
    quantiser = _quantiser(model, quantisation, precision, device) if quantisation else None
    _draw(model, init_seed, device)
    model.tie_weights()
    model.to(device)  # what is no weight: angles of positions
    if quantiser is not None:
        quantiser.postprocess_model(model)
        model.hf_quantizer = quantiser
    return finished(model.eval())


def _quantiser(model: Any, quantisation: dict[str, Any], precision: dict[str, str], device: str) -> Any:
    """What Transformers quantises with; the model's linear layers are 4-bit ones afterwards, without weights yet."""
    from transformers.quantizers import AutoHfQuantizer

    quantiser = AutoHfQuantizer.from_config(four_bit_config(quantisation, precision), pre_quantized=False)
    quantiser.validate_environment(device_map={"": device})
    quantiser.preprocess_model(model=model, device_map={"": device})
    return quantiser


def _draw(model: Any, init_seed: int, device: str) -> None:
    import bitsandbytes
    import torch

    drawn: set[int] = set()
    for name, module in model.named_modules():
        own = [parameter for parameter in module.parameters(recurse=False) if id(parameter) not in drawn]
        if not own:
            continue
        drawn.update(map(id, own))
        torch.manual_seed(int.from_bytes(hashlib.sha256(f"{init_seed}:{name}".encode()).digest()[:8], "big"))
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            _draw_four_bit(model, module, device)
        else:
            module.to_empty(device=device, recurse=False)
            model._init_weights(module)


def _draw_four_bit(model: Any, layer: Any, device: str) -> None:
    """Draw a plain layer of the same size, and quantise that."""
    import bitsandbytes
    import torch

    sizes, bias = (layer.in_features, layer.out_features), layer.bias is not None
    plain = torch.nn.utils.skip_init(torch.nn.Linear, *sizes, bias=bias, device=device, dtype=model.dtype)
    model._init_weights(plain)
    settings = layer.weight.__dict__
    weight: Any = bitsandbytes.nn.Params4bit(plain.weight.data, requires_grad=False, **settings)
    layer.weight = weight.to(device)  # which quantises it
    if bias:
        layer.bias = torch.nn.Parameter(plain.bias.data, requires_grad=False)
