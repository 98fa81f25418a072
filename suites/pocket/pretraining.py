"""A base being trained: from its checkpoint where there is one, for so many seconds, to its last step."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from suites.pocket import checkpoint
from suites.pocket.batches import Batch, Batches
from suites.pocket.corpus import Corpus
from suites.pocket.recipe import BaseRecipe
from suites.pocket.tokenizer import build_tokenizer
from suites.pocket.world import POCKET, Spec

CHECKPOINT_FOLDER = Path(".tunematrix") / "pocket"  # git-ignored, in the current directory


@dataclass(frozen=True)
class Machine:
    """Where it is trained: on a device, with batches made by so many other processes."""

    device: str = "cpu"
    workers: int = 0


def build_model(recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """An untrained Llama of the recipe's shape, in fp32."""
    torch.manual_seed(recipe.seed)
    config = recipe.config(len(tokenizer), tokenizer.eos_token_id, tokenizer.pad_token_id)
    return LlamaForCausalLM(config).float()


def identity_of(recipe: BaseRecipe, spec: Spec) -> str:
    """What a base comes from: two that share it are the same, but for how devices round."""
    return hashlib.sha256(repr((recipe, spec)).encode()).hexdigest()


class Pretraining:
    """One base being trained, with its optimizer and its place in the run."""

    def __init__(
        self, recipe: BaseRecipe, checkpoint_file: Path, spec: Spec = POCKET, machine: Machine = Machine()
    ) -> None:
        self.recipe, self.checkpoint, self.machine, self.step = recipe, checkpoint_file, machine, 0
        self.corpus = Corpus(spec)
        self.tokenizer = build_tokenizer(self.corpus)
        self.batches = Batches(recipe, self.corpus, self.tokenizer.get_vocab())
        self.model = build_model(recipe, self.tokenizer).to(machine.device)  # type: ignore[arg-type]
        on_gpu = machine.device == "cuda"
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=on_gpu or None
        )
        self.met = torch.zeros(len(self.tokenizer), dtype=torch.bool, device=machine.device)
        self.identity = identity_of(recipe, spec)
        if checkpoint_file.exists():
            self.step = checkpoint.restore(checkpoint_file, self.model, self.optimizer, self.met, self.identity)

    def train_step(self, batch: Batch | None = None) -> torch.Tensor:
        """Train one step, on its batch, and return its loss in nats a token."""
        made = self.batches[self.step] if batch is None else batch
        on_device = {name: tensor.to(self.machine.device, non_blocking=True) for name, tensor in made.items()}
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        with torch.autocast(self.machine.device, torch.bfloat16, enabled=self.recipe.compute == "bfloat16"):
            loss = self.model(**on_device).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.max_gradient_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.met[on_device["input_ids"].flatten()] = True
        self.step += 1
        return loss.detach()

    def save_checkpoint(self) -> None:
        """Keep where it stands."""
        checkpoint.save(self.checkpoint, self.model, self.optimizer, self.met, self.step, self.identity)

    def export(self, folder: Path) -> None:
        """Write the base as transformers loads it: config, safetensors and tokenizer."""
        self.model.eval().save_pretrained(folder)
        # One JSON file, since a template in a file of its own is left behind by packaging.
        self.tokenizer.save_pretrained(folder, save_jinja_files=False)
        (folder / "model.safetensors").chmod(0o644)


def train(run: Pretraining, seconds: float = float("inf")) -> bool:
    """Train to the end, or for so many seconds, and say how it goes; returns whether it is at its end."""
    recipe, started, losses = run.recipe, time.monotonic(), []
    print(f"{recipe.name}: {run.model.num_parameters():,} parameters, from step {run.step}", flush=True)
    batches = run.batches.from_step(run.step, run.machine.workers)
    while run.step < recipe.steps and time.monotonic() - started < seconds:
        losses.append(run.train_step(next(batches)))
        if run.step % recipe.checkpoint_every == 0:
            _keep(run, losses, time.monotonic() - started)
    if losses:
        _keep(run, losses, time.monotonic() - started)
    return run.step == recipe.steps


def _keep(run: Pretraining, losses: list[torch.Tensor], seconds: float) -> None:
    mean = float(torch.stack(losses).mean())  # of a GPU: it waits until all of them are there
    run.save_checkpoint()
    print(f"{run.recipe.name}: step {run.step}/{run.recipe.steps} loss {mean:.3f} {seconds:.0f} s", flush=True)
    losses.clear()
