"""The whole default matrix as it is run, against the stock way for all its cells one after another.

The harness' side is the command line, `tunematrix run pocket --db <fresh>`, from its start to its exit. The stock
side is worked out from what the database says was done, with the costs timed on the sampled cells:

    training script    start_up + steps x step_seconds, by method; a method's steps on another base take LoRA's
                       ratio between the bases; one script for a quality run's last stage (its SFT stage was another
                       cell's), one for a measure run
    lm-eval command    start_up + items x item_seconds, by the model's form (whole, adapter, 4 bit); one for each
                       moment that was scored, a base row's too

Ranks are not told apart, DPO on whole weights is taken for DPO on an adapter, merging and saving are left out, and a
run that failed is not counted: all of that is in the stock way's favour or small.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.arithmetic import ScoringCost, TrainingCost

TELL_SECONDS = 30.0


@dataclass(frozen=True)
class Work:
    """What one finished run of the matrix did: ``steps`` trained (0 for a base row), items scored by moment."""

    purpose: str
    method: str
    base: str
    four_bit: bool
    adapter: bool
    steps: int
    items: dict[str, int]


@dataclass(frozen=True)
class Costs:
    """Costs of the stock way, from the sample.

    ``training`` by (method, base), ``scoring`` by form: ``model``, ``adapter``, ``four_bit``. The base that has them
    all is ``base``; others have LoRA's.
    """

    base: str
    training: dict[tuple[str, str], TrainingCost]
    scoring: dict[str, ScoringCost]

    def script(self, work: Work) -> float:
        """Seconds of the training script for ``work``; none for a base row."""
        if work.steps == 0:
            return 0.0
        known = self.training.get((work.method, work.base))
        if known is None:
            known = self.training[work.method, self.base].at(self._step_factor(work.base))
        return known.seconds(work.steps)

    def commands(self, work: Work, moments: set[str] | None = None) -> float:
        """Seconds of the lm-eval commands for ``work``: at every moment that was scored, or at those given."""
        return sum(
            self.scoring[form(work, moment)].seconds(items)
            for moment, items in work.items.items()
            if moments is None or moment in moments
        )

    def _step_factor(self, base: str) -> float:
        known = self.training.get(("lora", base))
        return known.step_seconds / self.training["lora", self.base].step_seconds if known else 1.0


def form(work: Work, moment: str) -> str:
    """What lm-eval loads: a whole model, one with an adapter, or one in 4 bit."""
    if moment == "merged":
        return "model"
    if work.four_bit:
        return "four_bit"
    return "adapter" if work.adapter and moment == "tuned" else "model"


def stock_seconds(done: list[Work], costs: Costs) -> dict[str, float]:
    """The stock way for all of ``done``, one after another, in parts; ``tuned_only`` leaves merged models unscored."""
    scripts = sum(costs.script(work) for work in done)
    return {
        "training_scripts": scripts,
        "lm_eval_commands": sum(costs.commands(work) for work in done),
        "total": scripts + sum(costs.commands(work) for work in done),
        "tuned_only_total": scripts + sum(costs.commands(work, {"base", "prompted", "tuned"}) for work in done),
    }


def run_matrix(folder: Path, overrides: list[str], say: Callable[[str], None]) -> tuple[float, Path]:
    """The command line on the pocket matrix in a fresh ``folder``: its seconds, its database. Raises RuntimeError."""
    db = folder / "matrix.db"
    command = [str(Path(sys.executable).parent / "tunematrix"), "run", "pocket", "--db", str(db)]
    command += [word for override in overrides for word in ("--set", override)]
    log, began, told = folder / "matrix.log", time.perf_counter(), 0.0
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, env=dict(os.environ))
        while process.poll() is None:
            time.sleep(0.05)
            seconds = time.perf_counter() - began
            if seconds - told > TELL_SECONDS:
                told = seconds
                say(f"{seconds:.0f} s: {_last_line(log)}")
    seconds = time.perf_counter() - began
    if process.returncode not in (0, 1):  # 1: some cells failed, which is a result
        raise RuntimeError(f"{' '.join(command)}\nended with {process.returncode}:\n{log.read_text()[-2000:]}")
    return seconds, db


def work_done(db: Path, measure_steps: int) -> list[Work]:
    """Every run of the database that ended well."""
    with closing(sqlite3.connect(db)) as rows:
        items: dict[str, dict[str, int]] = {}
        for run, moment, count in rows.execute("SELECT run_id, moment, sum(n_items) FROM scores GROUP BY 1, 2"):
            items.setdefault(run, {})[moment] = count
        query = """SELECT run_id, purpose, method, base, recipe FROM runs JOIN cells USING (cell_id)
                   WHERE status = 'ok' ORDER BY started_at"""
        return [
            _work(purpose, method, base, json.loads(recipe), items.get(run, {}), measure_steps)
            for run, purpose, method, base, recipe in rows.execute(query)
        ]


def failed_runs(db: Path) -> int:
    """How many runs did not end well."""
    with closing(sqlite3.connect(db)) as rows:
        return int(rows.execute("SELECT count(*) FROM runs WHERE status != 'ok'").fetchone()[0])


def _work(
    purpose: str, method: str, base: str, recipe: dict[str, Any], items: dict[str, int], measure_steps: int
) -> Work:
    first, last = recipe["stages"][0], recipe["stages"][-1]
    trained = "steps" in last
    return Work(
        purpose=purpose,
        method=method,
        base=base,
        four_bit=first["parameters"].get("quantisation", "none") != "none",
        adapter="rank" in first["parameters"],
        steps=0 if not trained else measure_steps if purpose == "measure" else last["steps"],
        items=items,
    )


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "starting"
