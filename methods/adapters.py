"""PEFT adapters: made for training, saved, merged."""

from typing import Any

from methods.parameters import LoraParameters


def add_adapter(model: Any, parameters: LoraParameters, dtype: str) -> Any:
    """``model`` frozen, with a fresh LoRA adapter named ``default`` whose weights are of ``dtype``.

    The caller seeds torch before: A is drawn at random, B is zero, so the model's outputs do not change yet.
    Raises ValueError for a rank larger than a layer, or modules that the model does not have.
    """
    import torch
    from peft import LoraConfig, TaskType, get_peft_model

    targets = parameters.target_modules
    config = LoraConfig(
        r=parameters.rank,
        lora_alpha=parameters.lora_alpha,  # type: ignore[arg-type]
        target_modules=targets if isinstance(targets, str) else list(targets),
        lora_dropout=parameters.dropout,
        use_rslora=parameters.use_rslora,
        use_dora=parameters.use_dora,
        bias=parameters.bias,
        init_lora_weights=True if parameters.init == "kaiming" else parameters.init,
        task_type=TaskType.CAUSAL_LM,
    )
    model.requires_grad_(False)
    wrapped = get_peft_model(model, config, autocast_adapter_dtype=False)
    for parameter in wrapped.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(getattr(torch, dtype))
    return wrapped
