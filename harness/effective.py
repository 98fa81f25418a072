"""What a built trainer really does, read back from it, and held against what its cell asked for.

Trainers change recipes in silence: mixed precision and checkpointing on by default, dropout set to zero, adapters
cast. A cell whose trainer differs from its recipe fails, with every difference named.
"""

from collections.abc import Iterable
from typing import Any

from methods.job import Job


class Mismatch(Exception):
    """The trainer is not what the cell asked for."""


def effective_settings(trainer: Any) -> dict[str, Any]:
    """The settings that a built trainer will train with."""
    model, arguments = trainer.model, trainer.args
    return {
        "trainable_dtypes": _dtypes(p for p in model.parameters() if p.requires_grad),
        "frozen_dtypes": _dtypes(p for p in model.parameters() if not p.requires_grad),
        "autocast": "bfloat16" if arguments.bf16 else "float16" if arguments.fp16 else "none",
        "dropout": _largest_dropout(model),
        "gradient_checkpointing": bool(getattr(model, "is_gradient_checkpointing", False)),
        "attention": model.config._attn_implementation,
        "learning_rate": arguments.learning_rate,
        "micro_batch_size": arguments.per_device_train_batch_size,
        "batch_size": arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps,
        "steps": arguments.max_steps,
        "optimizer": str(getattr(arguments.optim, "value", arguments.optim)),
        "weight_decay": arguments.weight_decay,
        "max_grad_norm": arguments.max_grad_norm,
        "warmup_steps": arguments.warmup_steps,
        "schedule": str(getattr(arguments.lr_scheduler_type, "value", arguments.lr_scheduler_type)),
        "seed": arguments.seed,
        "four_bit_layers": _four_bit_layers(model),
        "four_bit_layers_packed": _four_bit_layers(model, packed=True),
        "fused_kernels": bool(arguments.use_liger_kernel),
        "compiled": bool(arguments.torch_compile),
        "trainer": next(c.__name__ for c in type(trainer).__mro__ if not c.__module__.startswith("methods")),
    }


def check(found: dict[str, Any], job: Job, *, trains_adapter: bool) -> None:
    """Raises Mismatch with every difference between ``found`` and what ``job`` asks for."""
    precision = job.precision
    autocast = precision["compute"] if precision["compute"] != precision["weights"] else "none"
    asked = {
        "trainable_dtypes": [precision["adapter"] if trains_adapter else precision["weights"]],
        "autocast": "none" if autocast == "float32" else autocast,
        "dropout": _asked_dropout(job),
        "gradient_checkpointing": job.kernels["gradient_checkpointing"],
        "attention": job.kernels["attention"],
        "learning_rate": job.learning_rate,
        "micro_batch_size": job.micro_batch_size,
        "batch_size": job.batch_size,
        "steps": job.steps,
        "weight_decay": job.optimizer["weight_decay"],
        "max_grad_norm": job.optimizer["max_grad_norm"],
        "warmup_steps": job.optimizer["warmup_steps"],
        "schedule": job.optimizer["schedule"],
        "seed": job.seed,
        "four_bit_layers_packed": 0,
    }
    wrong = [key for key, value in asked.items() if found[key] != value]
    if wrong:
        raise Mismatch("; ".join(f"{key}: asked for {asked[key]!r}, the trainer has {found[key]!r}" for key in wrong))


def _dtypes(parameters: Iterable[Any]) -> list[str]:
    return sorted({str(parameter.dtype).removeprefix("torch.") for parameter in parameters})


def _asked_dropout(job: Job) -> float:
    own = getattr(job.parameters, "dropout", None)
    return float(own if own is not None else _largest_dropout(job.model))


def _largest_dropout(model: Any) -> float:
    import torch

    rates = [module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    return float(max(rates, default=0.0))


def _four_bit_layers(model: Any, packed: bool = False) -> int:
    layers = [module for module in model.modules() if type(module).__name__ == "Linear4bit"]
    if not packed:
        return len(layers)
    return sum(bool(getattr(layer, "support_avx512bf16_for_cpu", False)) for layer in layers)
