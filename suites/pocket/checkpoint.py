"""Where a pretraining stands, as one safetensors file: weights, AdamW's state, the tokens that were met, the step."""

import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

_STATE = ("exp_avg", "exp_avg_sq")


def save(
    file: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, met: torch.Tensor, step: int, of: str
) -> None:
    """Write it under a temporary name, then rename: never half a checkpoint. ``of`` says of which recipe it is."""
    tensors = {"met": met}
    for name, weight in model.named_parameters():
        tensors[f"weight.{name}"] = weight.detach()
        tensors |= {f"{key}.{name}": optimizer.state[weight][key] for key in _STATE if weight in optimizer.state}
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, {"step": str(step), "of": of})
    os.replace(temporary, file)


def restore(file: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, met: torch.Tensor, of: str) -> int:
    """Fill in what the file holds; returns the step that it stands at, 0 where it is of another recipe."""
    with safe_open(file, framework="pt") as stored:
        about = stored.metadata()
        if about["of"] != of:  # the recipe or the world was edited: old progress is of no use
            return 0
        step = int(about["step"])
        met.copy_(stored.get_tensor("met"))
        for name, weight in model.named_parameters():
            weight.data.copy_(stored.get_tensor(f"weight.{name}"))
            if step:
                kept = {key: stored.get_tensor(f"{key}.{name}").to(weight.device) for key in _STATE}
                on = weight.device if optimizer.defaults["fused"] else "cpu"
                optimizer.state[weight] = {"step": torch.tensor(float(step), device=on), **kept}
    return step
