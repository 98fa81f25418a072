"""`make gpu-pocket`: the quality side on a GPU. Two bases are pretrained on a large generated world, then the whole
matrix of methods runs on them, for so many seconds.

Everything is kept as it goes, bases at every checkpoint and cells when they end, so that several short visits to a GPU
add up: the same command goes on. With `--only` the bases of these cells alone are pretrained. `--device cpu` rehearses
it all on small bases; `--plan` says what it should take.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.arms import is_named
from harness.errors import UserError
from harness.matrix import load_matrix
from harness.predict.devices import assumed_profile, card_named
from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import shape_of
from harness.predict.time import step_seconds
from scripts.arguments import Options, place, seconds
from scripts.gpu_matrix import LEAST_SECONDS, ROOT, Visit, check, command
from suites.pocket.recipe import MAX_POSITIONS, BaseRecipe
from suites.pocket_large.bases import MATRIX, REAL, REHEARSAL, TIME_IS_UP, Question

FOLDER = Path(".tunematrix") / "pocket_large"  # in the checkout
MOST_JOBS = 6
# A rehearsal has every kind of cell of the matrix, each short and few of them.
SHORT = (
    *("seeds=1", "budget.steps=8", "batch_size=16", "measure.warmup_steps=2", "measure.steps=4", "threads=1"),
    *("precision.compute=float32", "tuning.keep=1", "methods.full_sft.learning_rate=[1e-3,3e-3]"),
    *("methods.lora.rank=8", "methods.lora.learning_rate=[3e-3,1e-2]"),
    *("methods.qlora.rank=8", "methods.qlora.learning_rate=3e-3"),
    *("methods.dpo-full.learning_rate=2e-4", "methods.dpo-full.budget.steps=4"),
    *("methods.dpo-lora.learning_rate=1e-3", "methods.dpo-lora.budget.steps=4"),
)


def main() -> int:
    """Exit code 0: all that is left went well or time is up; 1: some cells failed, or a base is unfit; 2: wrong use."""
    asked = _parsed()
    try:
        bases = bases_of(REHEARSAL if asked.device == "cpu" else REAL, asked.only)
        jobs = jobs_on(asked.device) if asked.jobs is None else asked.jobs
        if jobs < 1:
            raise UserError(f"--jobs {jobs}: expected 1 or more")
        for line in _told(REAL, asked.card) if asked.plan else check(asked.device):
            print(line, flush=True)
    except UserError as error:
        print(f"gpu-pocket: {error}", file=sys.stderr)
        return 2
    if asked.plan:
        return 0
    ends = time.monotonic() + asked.budget
    folder = asked.folder / "rehearsal" if asked.device == "cpu" else asked.folder
    code = subprocess.run(_pretraining(folder, bases, asked), cwd=ROOT, check=False).returncode
    left = ends - time.monotonic()
    if code == TIME_IS_UP or (code == 0 and left < LEAST_SECONDS):
        print("time is up: the same command goes on from here")
        return 0
    if code:
        return code
    words = command(visit(folder, asked.device, asked.only), asked.db, asked.device, left, jobs)
    return subprocess.run(words, cwd=ROOT, check=False).returncode


def _parsed() -> argparse.Namespace:
    parser = Options("gpu-pocket", description=__doc__)
    parser.add_argument("--db", type=place, default="gpu.db", help="the results file")
    parser.add_argument("--budget", type=seconds, default=540.0, metavar="SECONDS", help="how long (540)")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: a rehearsal, on small bases")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where data, bases and checkpoints go")
    parser.add_argument("--only", metavar="KEY=VALUE,...", help="these cells and their bases alone: base=pocket-10m")
    parser.add_argument(
        "--jobs", type=int, help=f"cells at once (a GPU: half the cores, at most {MOST_JOBS}; a CPU: 1)"
    )
    parser.add_argument("--accept", action="store_true", help="take bases that know less than they should")
    parser.add_argument("--plan", action="store_true", help="say how long pretraining should take, and do nothing")
    parser.add_argument("--card", default="h100", help="of --plan: on which card (h100)")
    return parser.parse_args()


def bases_of(question: Question, only: str | None) -> list[str]:
    """The bases of the cells that ``only`` names. Raises UserError where it names none."""
    names = {real.name: recipe.name for real, recipe in zip(REAL.recipes, question.recipes, strict=True)}
    variants = [replace(variant, base=names[variant.base]) for variant in load_matrix(MATRIX).variants]
    found = {variant.base for variant in variants if only is None or is_named(variant, only)}
    if not found:
        raise UserError(f"--only {only}: nothing matches (bases: {', '.join(names.values())})")
    return [name for name in names.values() if name in found]


def jobs_on(device: str) -> int:
    """Cells at once: small ones leave a GPU waiting for its launches, so that several share it, each with two cores.
    What is measured has it to itself all the same."""
    return max(1, min(MOST_JOBS, len(os.sched_getaffinity(0)) // 2)) if device == "cuda" else 1


def _pretraining(folder: Path, bases: list[str], asked: argparse.Namespace) -> list[str]:
    where = ("--folder", str(folder), "--device", asked.device)
    what = ("--bases", ",".join(bases), "--seconds", f"{asked.budget:.0f}")
    flags = (*(["--rehearsal"] if asked.device == "cpu" else []), *(["--accept"] if asked.accept else []))
    return [sys.executable, "-m", "suites.pocket_large.pretrain", *where, *what, *flags]


def visit(folder: Path, device: str, only: str | None) -> Visit:
    """The matrix that was laid out in ``folder``, as it runs on a device."""
    short = [word for setting in (SHORT if device == "cpu" else ()) for word in ("--set", setting)]
    return Visit(folder / "matrix.yaml", ("run", *short, *(("--only", only) if only else ())))


def pretraining_seconds(recipe: BaseRecipe, vocabulary: int, card: str) -> float:
    """How long a base should take on a card, by its data sheet: predicted, as `tunematrix fit` does, and not measured.

    Every step is taken for a packed one; what makes its batches is taken to keep up.
    """
    shape = shape_of(recipe.config(vocabulary, 0, 1).to_dict(), recipe.name)
    rows = Batch(recipe.packed_rows, MAX_POSITIONS)
    facts = Recipe(weights="float32", compute=recipe.compute)
    return recipe.steps * step_seconds(shape, facts, rows, assumed_profile(card_named(card))).seconds


def _told(question: Question, card: str) -> Iterator[str]:
    from suites.pocket.corpus import Corpus
    from suites.pocket.tokenizer import vocabulary

    size = len(vocabulary(Corpus(question.spec)))
    for recipe in question.recipes:
        seconds = pretraining_seconds(recipe, size, card)
        tokens = recipe.steps * recipe.packed_rows * MAX_POSITIONS
        yield f"{recipe.name}: {tokens / 1e6:.0f} M tokens, {seconds:.0f} s on {card}: predicted, not measured"


if __name__ == "__main__":
    sys.exit(main())
