"""The command line that both scripts share, and the note that they leave."""

import argparse
import json
from pathlib import Path
from typing import Any


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


def shared_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What SFTConfig and DPOConfig are both told; the rest is left as TRL has it."""
    return {
        "output_dir": options.output,
        "max_steps": options.steps,
        "per_device_train_batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": options.schedule,
        "warmup_steps": options.warmup_steps,
        "weight_decay": options.weight_decay,
        "max_length": options.max_length,
        "seed": options.seed,
        "train_sampling_strategy": "sequential",
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
    }


def note(options: argparse.Namespace, seconds: float, trained: Any) -> None:
    """Write down how long ``trainer.train()`` took, and its mean loss."""
    options.timings.write_text(json.dumps({"train_seconds": seconds, "mean_loss": trained.training_loss}))
