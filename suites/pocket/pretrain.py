"""Pretrain the pocket bases: `python -m suites.pocket.pretrain [--base pocket-1m] [--out DIR]`.

Both bases train at once, a process with one thread each. A stopped run goes on from its last checkpoint; the
corpus is drawn by step number, so a resumed run sees the same documents as an unbroken one.
"""

import argparse
import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from suites.pocket.corpus import Corpus
from suites.pocket.tokenizer import MAX_POSITIONS, build_tokenizer

BASES_FOLDER = Path(__file__).parent / "bases"
CHECKPOINT_FOLDER = Path(".tunematrix") / "pocket"  # git-ignored, in the current directory


@dataclass(frozen=True)
class BaseRecipe:
    """The shape of a base and how it is pretrained."""

    name: str
    hidden_size: int
    steps: int
    learning_rate: float
    seed: int = 1
    layers: int = 4
    heads: int = 4
    rows_per_step: int = 32
    packed_every: int = 16  # each such step trains on packed rows, for positions beyond one question
    packed_rows: int = 6
    warmup_steps: int = 100
    constant_until: float = 0.6  # share of the steps before the rate falls linearly to zero
    weight_decay: float = 0.05
    max_gradient_norm: float = 1.0
    checkpoint_every: int = 500

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: warm-up, constant, then linear to zero."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = (self.steps - step) / (self.steps * (1 - self.constant_until))
        return self.learning_rate * min(warm, left)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        BaseRecipe("pocket-0.2m", hidden_size=64, steps=9000, learning_rate=4e-3),
        BaseRecipe("pocket-1m", hidden_size=128, steps=7000, learning_rate=2e-3),
    )
}


def build_model(recipe: BaseRecipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """An untrained Llama of the recipe's shape, in fp32."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden_size,
        intermediate_size=3 * recipe.hidden_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=MAX_POSITIONS,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    return model.float()


def batch_of(
    recipe: BaseRecipe, corpus: Corpus, tokenizer: PreTrainedTokenizerFast, step: int
) -> dict[str, torch.Tensor]:
    """The batch of a step: token ids, attention mask and labels, each (rows, longest row)."""
    if step % recipe.packed_every == 0:
        rows = corpus.packed_rows(step, recipe.packed_rows, MAX_POSITIONS)
    else:
        rows = corpus.rows(step, recipe.rows_per_step)
    batch = dict(tokenizer(rows, padding=True, return_tensors="pt", return_token_type_ids=False))
    batch["labels"] = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    return batch


class Pretraining:
    """One base being trained, with its optimizer and its place in the run."""

    def __init__(self, recipe: BaseRecipe, checkpoint: Path) -> None:
        self.recipe, self.checkpoint, self.step = recipe, checkpoint, 0
        self.corpus = Corpus()
        self.tokenizer = build_tokenizer(self.corpus)
        self.model = build_model(recipe, self.tokenizer)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
        )
        if checkpoint.exists():
            self._restore()

    def train_step(self) -> float:
        """Train one step and return its loss in nats a token."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        loss = self.model(**batch_of(self.recipe, self.corpus, self.tokenizer, self.step)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.max_gradient_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return float(loss.detach())

    def save_checkpoint(self) -> None:
        """Write model, optimizer and step under a temporary name, then rename: never half a checkpoint."""
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.checkpoint.with_suffix(".tmp")
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save({**state, "recipe": repr(self.recipe)}, temporary)
        os.replace(temporary, self.checkpoint)

    def export(self, folder: Path) -> None:
        """Write the base as transformers loads it: config, safetensors and tokenizer."""
        self.model.eval().save_pretrained(folder)
        # One JSON file, since a template in a file of its own is left behind by packaging.
        self.tokenizer.save_pretrained(folder, save_jinja_files=False)
        (folder / "model.safetensors").chmod(0o644)

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        if state["recipe"] != repr(self.recipe):  # the recipe was edited: its old progress is of no use
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def pretrain(recipe: BaseRecipe, out: Path) -> None:
    """Train a base to the end, from its checkpoint where there is one, and export it under `out`."""
    torch.set_num_threads(1)  # a base is small: two threads lose more to each other than they gain
    run = Pretraining(recipe, CHECKPOINT_FOLDER / f"{recipe.name}.pt")
    print(f"{recipe.name}: {run.model.num_parameters():,} parameters, from step {run.step}", flush=True)
    started = time.monotonic()
    losses: list[float] = []
    while run.step < recipe.steps:
        losses.append(run.train_step())
        if run.step % recipe.checkpoint_every == 0 or run.step == recipe.steps:
            run.save_checkpoint()
            seconds, mean = time.monotonic() - started, sum(losses) / len(losses)
            print(f"{recipe.name}: step {run.step}/{recipe.steps} loss {mean:.3f} {seconds:.0f} s", flush=True)
            losses.clear()
    run.export(out / recipe.name)
    print(f"{recipe.name}: written to {out / recipe.name}", flush=True)


def main() -> None:
    """Pretrain the bases asked for, all at once."""
    parser = argparse.ArgumentParser(description="Pretrain the pocket bases.")
    parser.add_argument("--base", choices=sorted(RECIPES), action="append", help="only this base")
    parser.add_argument("--out", type=Path, default=BASES_FOLDER, help="folder that gets a folder a base")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    chosen = [RECIPES[name] for name in options.base or RECIPES]
    processes = [context.Process(target=pretrain, args=(recipe, options.out)) for recipe in chosen]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise SystemExit("a base failed to train: see above")


if __name__ == "__main__":
    main()
