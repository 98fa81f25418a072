"""`make bench`: the harness against the stock way, side by side in one run, on one machine.

The stock way is a script with TRL's trainer in a process of its own (for a DPO cell two of them: the SFT stage it
starts from is trained on both sides), then lm-eval's command line in another: same recipe, same steps, same order of
examples, same items. One cell at a time, no cached stages, the same threads on both sides. Each side's wall time is
parted into training (``trainer.train()``), scoring (lm-eval's model calls) and overhead (the rest).

The harness also scores an adapter's merged model, the stock command the tuned one alone. ``ratio`` is over the same
work: the harness' wall time without its phases that make and score merged models. ``ratio_whole_cell`` counts them
against the harness, ``ratio_every_moment`` adds an lm-eval command for each of them to the stock way. The overhead is
the whole cell's, merged models included.

The harness' fork server starts once a session; that time is shown apart (``harness_start_up_seconds``) and is in the
whole matrix, which is timed from the command line's start to its exit (see ``benchmarks.whole_matrix``).
"""

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import IO, Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks import whole_matrix
from benchmarks.arithmetic import (
    ScoringCost,
    Side,
    Target,
    TrainingCost,
    difference,
    largest_difference,
    middle,
)
from benchmarks.clock import timed
from benchmarks.sample import POCKET, STORIES, Sampled, open_sampled
from benchmarks.stock_side import ROOT, Commands, Stock, run_stock
from benchmarks.whole_matrix import Costs
from harness.errors import UserError
from harness.matrix import load_matrix
from harness.matrix_files import suite_file
from harness.stack import stack_facts

# The same on both sides: every process is started with them.
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

VERSION = 1
QUIET_LOAD = 0.5
MERGED_PHASES = ("merge", "evaluate_merged", "requantise", "evaluate_requantised")
PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "lm_eval", "accelerate", "datasets")

Found = dict[str, Any]


class Harness:
    """The harness' side of one suite: a process with a fork server, asked for one cell at a time."""

    def __init__(self, first: Sampled, *, quick: bool, log: IO[str]) -> None:
        command = [sys.executable, "-m", "benchmarks.harness_side", first.name, *(["--quick"] if quick else [])]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.log = log
        self.start_up_seconds: float = self._answer()["start_up_seconds"]

    def run(self, sampled: Sampled) -> Found:
        """Run a cell in a fresh folder."""
        assert self.process.stdin is not None
        print(sampled.name, file=self.process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """No more cells."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def _answer(self) -> Found:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.log.flush()
            raise RuntimeError(f"the harness' side ended:\n{Path(self.log.name).read_text()[-2000:]}")
        found: Found = json.loads(line)
        return found


def main() -> None:
    """Run the bench, print its table, write ``bench.json``."""
    options = _options()
    os.environ.update(SETTINGS)
    console = Console() if sys.stdout.isatty() else Console(width=140)
    load = os.getloadavg()[0]
    if load > QUIET_LOAD:
        console.print(f"[yellow]the machine is not quiet: load {load:.1f}; figures will move[/]")
    with tempfile.TemporaryDirectory(prefix="tunematrix-bench-") as made:
        folder = Path(made)
        cells, skipped = _cells(options, folder, console)
        matrix = None if options.skip_matrix else _matrix(cells, folder, options, console)
    found = _results(cells, skipped, matrix, load, options)
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    _print(found, console)
    console.print(f"wrote {options.out}", highlight=False)


# --- the sampled cells ------------------------------------------------------------------------------------------------


def _cells(options: argparse.Namespace, folder: Path, console: Console) -> tuple[list[Found], dict[str, str]]:
    wanted = [s for s in (*POCKET, *STORIES) if options.cells is None or options.cells in s.name]
    if not wanted:
        raise SystemExit(f"--cells {options.cells}: no sampled cell has that in its name")
    cells: list[Found] = []
    skipped: dict[str, str] = {}
    for suite in dict.fromkeys(s.suite for s in wanted):
        mine = [s for s in wanted if s.suite == suite]
        reason = _unavailable(suite, folder)
        if reason:
            skipped |= {s.name: reason for s in mine}
            console.print(f"skipped {', '.join(s.name for s in mine)}: {reason}", style="yellow", highlight=False)
            continue
        console.print(f"{suite}: starting the harness' workers", highlight=False)
        with _harness(mine[0], folder, quick=options.quick) as harness:
            console.print(f"  ready after {harness.start_up_seconds:.1f} s (once a session)", highlight=False)
            cells += [_cell(sampled, harness, folder, options, console) for sampled in mine]
    return cells, skipped


def _cell(sampled: Sampled, harness: Harness, folder: Path, options: argparse.Namespace, console: Console) -> Found:
    ours, theirs = [], []
    for number in range(options.repeats):
        place = folder / f"{len(list(folder.iterdir()))}"
        place.mkdir()
        ours.append(_told(console, f"{sampled.name}: harness", lambda: harness.run(sampled)))
        commands = Commands(*open_sampled(sampled, place, quick=options.quick), place)
        commands.write_data()
        theirs.append(_told(console, f"{sampled.name}: stock", lambda c=commands: run_stock(c)))  # type: ignore[misc]
        if number < options.repeats - 1:
            shutil.rmtree(place)
    return compared(sampled, commands, ours, theirs, harness.start_up_seconds)


def compared(sampled: Sampled, commands: Commands, ours: list[Found], theirs: list[Stock], start_up: float) -> Found:
    """Both sides of a cell, over its repeats."""
    harness = middle([Side(o["wall_seconds"], o["train_seconds"], o["score_seconds"]) for o in ours])
    stock = middle([Side(t.wall_seconds, t.train_seconds, t.evaluation["score_seconds"]) for t in theirs])
    our_scores, their_scores = ours[0]["scores"], theirs[0].evaluation["scores"]
    tuned = our_scores["tuned"]
    losses = [difference(a, b["mean_loss"]) for a, b in zip(ours[0]["mean_losses"], theirs[0].scripts, strict=True)]
    evaluation = theirs[0].evaluation["wall_seconds"]
    same_work = median(same_work_seconds(o["wall_seconds"], o["phases"]) for o in ours)
    return {
        "cell": sampled.name,
        "suite": sampled.suite,
        "method": sampled.method,
        "base": sampled.base,
        "steps": [stage["steps"] for stage in commands.stages],
        "repeats": len(ours),
        "harness": {
            **asdict(harness),
            "overhead_seconds": harness.overhead_seconds,
            "same_work_seconds": same_work,
            "run_seconds": ours[0]["run_seconds"],
            "phases": ours[0]["phases"],
            "model_calls": ours[0]["model_calls"],
            "moments": list(our_scores),
            "start_up_seconds": start_up,
        },
        "stock": {
            **asdict(stock),
            "overhead_seconds": stock.overhead_seconds,
            "scripts": theirs[0].scripts,
            "lm_eval_wall_seconds": evaluation,
            "model_calls": theirs[0].evaluation["model_calls"],
            "items": ours[0]["items"]["tuned"],
            "commands": [*(commands.training(i) for i in range(len(commands.stages))), commands.scoring()],
        },
        "ratio": stock.wall_seconds / same_work,
        "ratio_whole_cell": stock.wall_seconds / harness.wall_seconds,
        "ratio_every_moment": (stock.wall_seconds + (len(our_scores) - 1) * evaluation) / harness.wall_seconds,
        "train_ratio": stock.train_seconds / harness.train_seconds,
        "largest_score_difference": largest_difference(tuned, their_scores),
        "largest_loss_difference": max(losses),
        "scores": {"harness": our_scores, "stock": {"tuned": their_scores}},
    }


def same_work_seconds(wall_seconds: float, phases: dict[str, float]) -> float:
    """A cell's wall time without the phases that make and score merged models."""
    return wall_seconds - sum(phases.get(phase, 0.0) for phase in MERGED_PHASES)


def _unavailable(suite: str, folder: Path) -> str | None:
    """Why a suite cannot be run here."""
    sampled = next(s for s in (*POCKET, *STORIES) if s.suite == suite)
    try:
        open_sampled(sampled, folder / "probe", quick=False)
    except UserError as error:
        return str(error.lines[0])
    return None


@contextmanager
def _harness(first: Sampled, folder: Path, *, quick: bool) -> Iterator[Harness]:
    with (folder / f"{first.suite}.log").open("w") as log:
        harness = Harness(first, quick=quick, log=log)
        try:
            yield harness
        finally:
            harness.close()


def _told(console: Console, what: str, work: Callable[[], Any]) -> Any:
    console.print(f"  {what} ...", highlight=False)
    result, seconds = timed(work)
    console.print(f"  {what}: {seconds:.1f} s", highlight=False)
    return result


# --- the whole matrix -------------------------------------------------------------------------------------------------


def costs_of(cells: list[Found]) -> Costs | None:
    """The stock way's costs, from the pocket cells; None where one of them is missing."""
    mine = {(cell["method"], cell["base"]): cell["stock"] for cell in cells if cell["suite"] == "pocket"}
    if not {(s.method, s.base) for s in POCKET} <= mine.keys():
        return None
    base = POCKET[0].base
    forms = {"model": "full_sft", "adapter": "lora", "four_bit": "qlora"}
    return Costs(
        base,
        {
            key: TrainingCost.of(script["wall_seconds"], script["train_seconds"], script["steps"])
            for key, stock in mine.items()
            for script in stock["scripts"][-1:]
        },
        {
            form: ScoringCost.of(stock["lm_eval_wall_seconds"], stock["score_seconds"], stock["items"])
            for form, method in forms.items()
            for stock in [mine[method, base]]
        },
    )


def _matrix(cells: list[Found], folder: Path, options: argparse.Namespace, console: Console) -> Found | None:
    costs = costs_of(cells)
    if costs is None:
        console.print("skipped the whole matrix: its costs need every pocket cell", style="yellow", highlight=False)
        return None
    fresh = folder / "matrix"
    fresh.mkdir()
    overrides = ["budget.steps=4", "seeds=1", "measure={warmup_steps: 1, steps: 3}"] if options.quick else []
    console.print("the whole pocket matrix, as it is run", highlight=False)
    seconds, db = whole_matrix.run_matrix(fresh, overrides, lambda line: console.print(f"  {line}", highlight=False))
    measure = load_matrix(suite_file("pocket"), tuple(overrides)).header.measure
    done = whole_matrix.work_done(db, measure.warmup_steps + measure.steps)
    stock = whole_matrix.stock_seconds(done, costs)
    console.print(f"  {len(done)} runs: {seconds:.0f} s; the stock way {stock['total']:.0f} s", highlight=False)
    return {
        "harness_seconds": seconds,
        "stock_seconds": stock,
        "ratio": stock["total"] / seconds,
        "ratio_tuned_only": stock["tuned_only_total"] / seconds,
        "runs": len(done),
        "failed_runs": whole_matrix.failed_runs(db),
        "moments_scored": sum(len(work.items) for work in done),
        "trainings": sum(work.steps > 0 for work in done),
        "costs": {
            "training": {f"{method} · {base}": asdict(cost) for (method, base), cost in costs.training.items()},
            "scoring": {form: asdict(cost) for form, cost in costs.scoring.items()},
        },
        "arithmetic": whole_matrix.__doc__,
    }


# --- results ----------------------------------------------------------------------------------------------------------


def _results(
    cells: list[Found], skipped: dict[str, str], matrix: Found | None, load: float, options: argparse.Namespace
) -> Found:
    pocket = [cell for cell in cells if cell["suite"] == "pocket"]
    overheads = [cell["harness"]["overhead_seconds"] for cell in pocket]
    targets = [
        Target("overhead_seconds", median(overheads) if overheads else None, under=1.0),
        Target("train_ratio", _middle_of(cells, "train_ratio"), at_least=1.0),
        Target("ratio", _middle_of(pocket, "ratio"), at_least=5.0),
        Target("matrix_ratio", matrix["ratio"] if matrix else None, at_least=10.0),
    ]
    return {
        "version": VERSION,
        **{target.name: target.value for target in targets},
        "stock_overhead_seconds": median([c["stock"]["overhead_seconds"] for c in pocket]) if pocket else None,
        "ratio_whole_cell": _middle_of(pocket, "ratio_whole_cell"),
        "ratio_every_moment": _middle_of(pocket, "ratio_every_moment"),
        "matrix_ratio_tuned_only": matrix["ratio_tuned_only"] if matrix else None,
        "largest_score_difference": max((c["largest_score_difference"] for c in cells), default=None),
        "targets": {target.name: target.as_json() for target in targets},
        "quick": options.quick,  # few steps: a test of the benchmark, not a result
        "machine": _machine(load),
        "environment": SETTINGS,
        "cells": cells,
        "skipped": skipped,
        "matrix": matrix,
        "arithmetic": __doc__,
    }


def _middle_of(cells: list[Found], key: str) -> float | None:
    return median(cell[key] for cell in cells) if cells else None


def _machine(load: float) -> Found:
    return {
        **stack_facts("cpu"),
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_before": load,
        "quiet": load <= QUIET_LOAD,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _print(found: Found, console: Console) -> None:
    table = Table(title="Seconds, stock against harness", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("cell")
    columns = (
        "all",
        "training",
        "scoring",
        "overhead",
        "ratio",
        "whole cell",
        "train ratio",
        "scores apart",
        "loss apart",
    )
    for column in columns:
        table.add_column(column, justify="right")
    for cell in found["cells"]:
        stock, ours = cell["stock"], cell["harness"]
        keys = ("wall_seconds", "train_seconds", "score_seconds", "overhead_seconds")
        ratios = f"{cell['ratio']:.1f}", f"{cell['ratio_whole_cell']:.1f}", f"{cell['train_ratio']:.2f}"
        apart = f"{cell['largest_score_difference']:.2g}", f"{cell['largest_loss_difference']:.1g}"
        table.add_row(cell["cell"], *(f"{stock[key]:.1f} / {ours[key]:.1f}" for key in keys), *ratios, *apart)
    console.print(table)
    if found["matrix"]:
        matrix = found["matrix"]
        stock = matrix["stock_seconds"]
        console.print(
            f"whole matrix: {matrix['runs']} runs in {matrix['harness_seconds']:.0f} s; the stock way "
            f"{stock['total']:.0f} s for the same scores ({stock['tuned_only_total']:.0f} s without merged models)",
            highlight=False,
        )
    for name, target in found["targets"].items():
        console.print(_target_line(name, target), highlight=False)


def _target_line(name: str, target: Found) -> str:
    wanted = f"at least {target['at_least']:g}" if "at_least" in target else f"under {target['under']:g}"
    if target["value"] is None:
        return f"  [dim]not taken[/]  {name} ({wanted})"
    verdict = "[green]met[/]   " if target["met"] else "[red]missed[/]"
    return f"  {verdict}  {name} {target['value']:.2f} ({wanted})"


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=(__doc__ or "").splitlines()[0])
    options.add_argument("--cells", metavar="TEXT", help="only the sampled cells with this in their name")
    options.add_argument("--skip-matrix", action="store_true", help="leave the whole matrix out")
    options.add_argument("--repeats", type=int, default=1, help="times each sampled cell is run; medians are kept")
    options.add_argument("--out", type=Path, default=Path("bench.json"))
    options.add_argument("--quick", action="store_true", help="a few steps a cell, to see that everything works")
    return options.parse_args()


if __name__ == "__main__":
    main()
