"""Load a model for a stage: in full precision or in 4 bit, safetensors only, no remote code."""

from pathlib import Path
from typing import Any


def load_model(
    folder: Path, *, precision: dict[str, str], attention: str, device: str, quantisation: dict[str, Any] | None
) -> Any:
    """The causal language model in ``folder``, its weights of ``precision['weights']`` or in 4 bit.

    ``quantisation`` is ``{"quantisation": "nf4" | "fp4", "double_quantisation": bool}`` or None.
    """
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=getattr(torch, precision["weights"]),
        quantization_config=four_bit_config(quantisation, precision) if quantisation else None,
        attn_implementation=attention,
        device_map={"": device} if quantisation or device != "cpu" else None,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    return finished(model)


def finished(model: Any) -> Any:
    """The model with all that holds for any that is loaded or drawn: exact 4-bit layers, no settings of its own for
    decoding."""
    keep_four_bit_exact(model)
    _pin_generation(model)
    return model


def keep_four_bit_exact(model: Any) -> int:
    """Switch off bitsandbytes' CPU packing on every 4-bit layer; returns how many layers there are.

    On a processor with AVX-512 bfloat16 the first forward pass in evaluation mode would repack each layer in place:
    outputs move, double quantisation is dropped, and training after it has wrong gradients with only a warning.
    """
    import bitsandbytes

    layers = [module for module in model.modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    for layer in layers:
        layer.support_avx512bf16_for_cpu = False
    return len(layers)


def _pin_generation(model: Any) -> None:
    """Decoding comes from the task alone: a base's own generation_config may hold a repetition penalty."""
    from transformers import GenerationConfig

    ids = {key: getattr(model.config, key, None) for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    model.generation_config = GenerationConfig(**ids)


def four_bit_config(quantisation: dict[str, Any], precision: dict[str, str]) -> Any:
    """What tells Transformers how to quantise; ``quantisation`` as in ``load_model``."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantisation["quantisation"],
        bnb_4bit_use_double_quant=quantisation["double_quantisation"],
        bnb_4bit_compute_dtype=getattr(torch, precision["compute"]),
    )
