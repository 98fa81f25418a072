"""Pretrain the pocket bases: `python -m suites.pocket.pretrain [--base pocket-1m] [--out DIR]`.

Both bases train at once, a process with one thread each. A stopped run goes on from its last checkpoint; the
corpus is drawn by step number, so a resumed run sees the same documents as an unbroken one.
"""

import argparse
import multiprocessing
from pathlib import Path

import torch

from suites.pocket.pretraining import CHECKPOINT_FOLDER, Pretraining, train
from suites.pocket.recipe import BaseRecipe

BASES_FOLDER = Path(__file__).parent / "bases"

RECIPES = {
    recipe.name: recipe
    for recipe in (
        BaseRecipe("pocket-0.2m", hidden_size=64, steps=9000, learning_rate=4e-3),
        BaseRecipe("pocket-1m", hidden_size=128, steps=7000, learning_rate=2e-3),
    )
}


def pretrain(recipe: BaseRecipe, out: Path) -> None:
    """Train a base to the end, from its checkpoint where there is one, and export it under `out`."""
    torch.set_num_threads(1)  # a base is small: two threads lose more to each other than they gain
    run = Pretraining(recipe, CHECKPOINT_FOLDER / f"{recipe.name}.safetensors")
    train(run)
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
