"""The command line that all scripts share, and the note that they leave."""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from transformers import BitsAndBytesConfig


def parser(description: str) -> argparse.ArgumentParser:
    """Options of any stage."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--model", required=True)
    options.add_argument("--data", required=True, help="JSON lines, in the order in which they are to be seen")
    options.add_argument("--output", required=True)
    options.add_argument("--timings", type=Path, required=True)
    options.add_argument("--steps", type=int, required=True)
    options.add_argument("--batch-size", type=int, required=True)
    options.add_argument("--learning-rate", type=float, required=True)
    options.add_argument("--schedule", default="linear")
    options.add_argument("--warmup-steps", type=int, default=0)
    options.add_argument("--weight-decay", type=float, default=0.0)
    options.add_argument("--max-length", type=int, required=True)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--four-bit", action="store_true")
    return options


def add_sft_options(cli: argparse.ArgumentParser) -> None:
    """What supervised fine-tuning takes beside them."""
    cli.add_argument("--lora-rank", type=int)
    cli.add_argument("--lora-alpha", type=float)
    cli.add_argument("--lora-targets", default="all-linear")
    cli.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    cli.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    cli.add_argument("--watch", type=Path, help="write each step's loss, tokens and seconds here; nothing is saved")


def trainer_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What every trainer is told; the rest is left as its library has it."""
    watched = getattr(options, "watch", None) is not None
    return {
        "output_dir": options.output,
        "max_steps": options.steps,
        "per_device_train_batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": options.schedule,
        "warmup_steps": options.warmup_steps,
        "weight_decay": options.weight_decay,
        "seed": options.seed,
        "train_sampling_strategy": "sequential",
        "gradient_checkpointing": False,
        "bf16": getattr(options, "dtype", "float32") == "bfloat16",
        "use_cpu": getattr(options, "device", "cpu") == "cpu",
        "save_strategy": "no",
        "report_to": "none",
        **({"logging_steps": 1} if watched else {}),
    }


def shared_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What SFTConfig and DPOConfig are both told."""
    return {**trainer_settings(options), "max_length": options.max_length}


def loading(options: argparse.Namespace) -> dict[str, Any]:
    """What ``from_pretrained`` is told: the type of the weights, 4 bit or not, and where they go."""
    dtype = getattr(torch, options.dtype)
    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    placed = {} if options.device == "cpu" else {"device_map": {"": options.device}}
    return {"dtype": dtype, "quantization_config": four_bit if options.four_bit else None, **placed}


def note(options: argparse.Namespace, seconds: float, trained: Any) -> None:
    """Write down how long ``trainer.train()`` took, and its mean loss."""
    options.timings.write_text(json.dumps({"train_seconds": seconds, "mean_loss": trained.training_loss}))
