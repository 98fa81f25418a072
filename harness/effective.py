"""What a built trainer really does, read back from it, and held against what its cell asked for.

Trainers change recipes in silence: mixed precision and checkpointing on by default, dropout set to zero, adapters
cast. A cell whose trainer differs from its recipe fails, with every difference named.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.settings import LATER_KERNELS
from methods.job import Job
from methods.loss import loss_of
from methods.parameters import DpoParameters
from methods.trainer_arguments import OPTIMIZERS


class Mismatch(Exception):
    """The trainer is not what the cell asked for."""


def asked_settings(job: Job) -> dict[str, Any]:
    """What ``job`` asks for. To be called before the trainer is built: building may change the model."""
    precision, optimizer, model = job.precision, job.optimizer, job.model
    adapted = hasattr(model, "peft_config")
    own_dropout = getattr(job.parameters, "dropout", None)
    asked = {
        "trainable_dtypes": [precision["adapter"] if adapted else precision["weights"]],
        "frozen_dtypes": _asked_frozen(job, adapted),
        "compute": precision["compute"],
        "adapter_compute": _asked_of_adapter(precision) if adapted else None,
        "adapter_dropout": (_adapter_dropout(model) if own_dropout is None else own_dropout) if adapted else 0.0,
        "base_dropout": _base_dropout(model),
        "gradient_checkpointing": job.kernels["gradient_checkpointing"],
        "attention": job.kernels["attention"],
        "compiled": job.kernels["compile"],
        "fused_kernels": job.kernels["liger"],
        "packing": job.kernels["packing"],
        "learning_rate": job.learning_rate,
        "micro_batch_size": job.micro_batch_size,
        "batch_size": job.batch_size,
        "steps": job.steps,
        "optimizer": OPTIMIZERS[optimizer["name"]],
        "betas": [optimizer["beta1"], optimizer["beta2"]],
        **{key: optimizer[key] for key in ("epsilon", "weight_decay", "max_grad_norm", "warmup_steps", "schedule")},
        "seed": job.seed,
        "four_bit_layers": len(_four_bit(model)),
        "four_bit_layers_packed": 0,
    }
    if job.kernels["loss"] != LATER_KERNELS["loss"]:  # else a third party's trainer computes it as it does
        asked["loss"] = job.kernels["loss"]
    if isinstance(job.parameters, DpoParameters):
        asked["reference"] = _asked_reference(job.parameters, adapted)
    return asked


def effective_settings(trainer: Any) -> dict[str, Any]:
    """The settings that a built trainer will train with; makes its optimizer, to read it."""
    model, arguments = trainer.model, trainer.args
    trainer.create_optimizer()
    groups = trainer.optimizer.param_groups
    base = [parameter for name, parameter in model.named_parameters() if not _in_adapter(name)]
    autocast = {"bf16": "bfloat16", "fp16": "float16"}.get(trainer.accelerator.mixed_precision)
    found = {
        "trainable_dtypes": _dtypes(p for p in model.parameters() if p.requires_grad),
        "frozen_dtypes": _dtypes(p for p in base if not p.requires_grad),
        "compute": autocast or _dtypes(p for p in base if p.is_floating_point())[0],
        "adapter_compute": _found_of_adapter(model, autocast),
        "adapter_dropout": _adapter_dropout(model),
        "base_dropout": _base_dropout(model),
        "gradient_checkpointing": _checkpoints(trainer),
        "attention": model.config._attn_implementation,
        "compiled": bool(arguments.torch_compile),
        "fused_kernels": bool(arguments.use_liger_kernel),
        "packing": bool(getattr(trainer.data_collator, "padding_free", False)),
        "loss": loss_of(trainer),
        "learning_rate": max(group["lr"] for group in groups),
        "micro_batch_size": arguments.per_device_train_batch_size,
        "batch_size": arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps,
        "steps": arguments.max_steps,
        "optimizer": str(getattr(arguments.optim, "value", arguments.optim)),
        "optimizer_class": type(trainer.optimizer).__name__,
        "betas": list(groups[0]["betas"]),
        "epsilon": groups[0]["eps"],
        "weight_decay": max(group["weight_decay"] for group in groups),
        "max_grad_norm": arguments.max_grad_norm,
        "warmup_steps": arguments.warmup_steps,
        "schedule": str(getattr(arguments.lr_scheduler_type, "value", arguments.lr_scheduler_type)),
        "seed": arguments.seed,
        "four_bit_layers": len(_four_bit(model)),
        "four_bit_layers_packed": sum(bool(layer.support_avx512bf16_for_cpu) for layer in _four_bit(model)),
        "trainer": next(c.__name__ for c in type(trainer).__mro__ if not c.__module__.startswith("methods")),
    }
    if hasattr(trainer, "precompute_ref_logps"):
        found["reference"] = _found_reference(trainer)
    return found


def check(found: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raises Mismatch with every difference between the settings asked for and those found."""
    wrong = [key for key, value in asked.items() if found.get(key) != value]
    if wrong:
        said = (f"{key}: asked for {asked[key]!r}, the trainer has {found.get(key)!r}" for key in wrong)
        raise Mismatch("; ".join(said))


def _dtypes(parameters: Iterable[Any]) -> list[str]:
    return sorted({str(parameter.dtype).removeprefix("torch.") for parameter in parameters})


def _asked_frozen(job: Job, adapted: bool) -> list[str]:
    """Under an adapter the whole base, in 4 bit or not; else what the method itself has frozen, if anything."""
    if not adapted and all(parameter.requires_grad for parameter in job.model.parameters()):
        return []
    return sorted({job.precision["weights"]} | ({"uint8"} if _four_bit(job.model) else set()))


def _asked_of_adapter(precision: Mapping[str, str]) -> str:
    """Products in a lower type are the adapter's too; nothing raises those of an adapter that is itself lower."""
    return precision["adapter"] if precision["compute"] == "float32" else precision["compute"]


def _found_of_adapter(model: Any, autocast: str | None) -> str | None:
    """PEFT lifts inputs to the adapter's type, where autocast does not choose another."""
    own = _dtypes(parameter for name, parameter in model.named_parameters() if _in_adapter(name))
    return autocast or own[0] if own else None


def _in_adapter(name: str) -> bool:
    return ".default." in name or ".ref." in name


def _checkpoints(trainer: Any) -> bool:
    """Transformers switches checkpointing on when training begins; a model that has it on already keeps it."""
    on = any(getattr(module, "gradient_checkpointing", False) for module in trainer.model.modules())
    return bool(trainer.args.gradient_checkpointing) or on


def _asked_reference(parameters: DpoParameters, adapted: bool) -> str:
    if not adapted:
        return parameters.reference
    return "adapter_off" if parameters.adapter == "fresh" else "frozen_copy"


def _found_reference(trainer: Any) -> str:
    if trainer.precompute_ref_logps:
        return "precomputed"
    if trainer.ref_model is not None:
        return "model"
    return "frozen_copy" if "ref" in trainer.model.peft_config else "adapter_off"


def _adapter_dropout(model: Any) -> float:
    return _largest_dropout(module for name, module in model.named_modules() if "lora_dropout" in name)


def _base_dropout(model: Any) -> float:
    """The base's own: its Dropout layers, and the rate that attention applies by itself."""
    return _largest_dropout(module for name, module in model.named_modules() if "lora_dropout" not in name)


def _largest_dropout(modules: Iterable[Any]) -> float:
    import torch

    rates = [
        module.p if isinstance(module, torch.nn.Dropout) else getattr(module, "attention_dropout", 0.0)
        for module in modules
    ]
    return float(max((rate for rate in rates if isinstance(rate, float | int)), default=0.0))


def _four_bit(model: Any) -> list[Any]:
    return [
        module for module in model.modules() if type(module).__name__ == "Linear4bit" and hasattr(module, "quant_state")
    ]
