"""The Transformers training arguments that every stage shares, each set from the cell: no default is left to chance."""

from typing import Any

from methods.job import Job

OPTIMIZERS = {"adamw": "adamw_torch_fused", "adamw_8bit": "adamw_bnb_8bit", "paged_adamw_8bit": "paged_adamw_8bit"}


def trainer_arguments(job: Job) -> dict[str, Any]:
    """Keyword arguments for ``SFTConfig`` and ``DPOConfig`` alike."""
    on_cpu = job.device == "cpu"
    mixed = _is_mixed(job)
    return {
        "output_dir": str(job.folder),
        "max_steps": job.steps,
        "per_device_train_batch_size": job.micro_batch_size,
        "gradient_accumulation_steps": job.batch_size // job.micro_batch_size,
        "learning_rate": job.learning_rate,
        "seed": job.seed,
        "data_seed": job.seed,
        "optim": OPTIMIZERS[job.optimizer["name"]],
        "adam_beta1": job.optimizer["beta1"],
        "adam_beta2": job.optimizer["beta2"],
        "adam_epsilon": job.optimizer["epsilon"],
        "weight_decay": job.optimizer["weight_decay"],
        "max_grad_norm": job.optimizer["max_grad_norm"],
        "lr_scheduler_type": job.optimizer["schedule"],
        "warmup_steps": job.optimizer["warmup_steps"],
        "label_smoothing_factor": 0.0,
        "neftune_noise_alpha": None,
        "use_cpu": on_cpu,
        # On a CPU `use_cpu` alone would still train in bfloat16: TRL turns it on by default.
        "bf16": mixed and job.precision["compute"] == "bfloat16",
        "fp16": mixed and job.precision["compute"] == "float16",
        "gradient_checkpointing": job.kernels["gradient_checkpointing"],
        "torch_compile": job.kernels["compile"],
        "use_liger_kernel": job.kernels["liger"],
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
        "logging_steps": _logging_steps(job.steps),
        "logging_first_step": True,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": not on_cpu,
        "remove_unused_columns": True,
        "ddp_find_unused_parameters": False,
        "push_to_hub": False,
    }


def _is_mixed(job: Job) -> bool:
    """Is anything of another type than products are computed in? An adapter of float32 beside a base of bfloat16 is:
    without autocast its products would be computed in float32."""
    types = {job.precision["weights"]} | ({job.precision["adapter"]} if hasattr(job.model, "peft_config") else set())
    return types != {job.precision["compute"]}


def _logging_steps(steps: int) -> int:
    """Steps from one point of the loss curve to the next: at most 64 points, the first step being one of them."""
    return 1 if steps <= 64 else -(-steps // 63)
