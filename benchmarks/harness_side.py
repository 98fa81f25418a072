"""The harness' side: cells run by its own runner, executor and workers, one at a time, each in a fresh folder.

A process of its own, so that each suite has its own fork server. It reads the name of a cell a line and answers with
a line of JSON; its first line says how long it took until the first worker could be born.
"""

import argparse
import dataclasses
import json
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import clock
from benchmarks.sample import Sampled, by_name, open_sampled
from harness.arms import Arm, Cell
from harness.executors import local
from harness.plan import Choice, Planned
from harness.progress import Display
from harness.runner import Runner
from harness.session import Session
from harness.store.database import open_for_writing
from harness.store.writer import Writer
from harness.workdir import Workdir


class OneCell:
    """A plan of one cell, for a runner that is to run nothing else."""

    def __init__(self, arm: Arm, cell: Cell) -> None:
        self.line = Planned(arm, "quality", "left", cell)

    def plan(self) -> list[Planned]:
        """The one line."""
        return [self.line]

    def choice(self, arm: Arm) -> Choice:
        """Nothing is chosen by one cell."""
        return Choice("open")


def main() -> None:
    """Run each cell that is named on standard input, and answer with what it took."""
    options = _options()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        folder = Path(made)
        os.environ[clock.VARIABLE] = str(folder / "clock.jsonl")
        local.PRELOAD = "benchmarks.preload"
        began = time.perf_counter()
        session = open_sampled(by_name(options.first), folder, quick=options.quick)[0]
        with local.LocalExecutor("cpu", folder / "logs") as executor:
            executor.warm(session.tasks_folder, [e.task for e in session.evals], session.tokenizers())
            _await_fork_server(executor)
            print(json.dumps({"start_up_seconds": time.perf_counter() - began}), file=answers)
            for line in sys.stdin:
                found = _timed_cell(by_name(line.strip()), executor, folder, quick=options.quick)
                print(json.dumps(found), file=answers)


def _timed_cell(sampled: Sampled, executor: local.LocalExecutor, folder: Path, *, quick: bool) -> dict[str, Any]:
    clock_file = Path(os.environ[clock.VARIABLE])
    clock_file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        session, arm, cell = open_sampled(sampled, Path(fresh), quick=quick)
        seconds = _run(session, arm, cell, executor, Path(fresh) / "bench.db")
        found = _read_back(Path(fresh) / "bench.db")
    spent = clock.read(clock_file)
    return {
        "wall_seconds": seconds,
        "train_seconds": spent.seconds.get("train", 0.0),
        "score_seconds": spent.seconds.get("score", 0.0),
        "model_calls": spent.calls.get("score", 0),
        "mean_losses": spent.losses,
        **found,
    }


def _run(session: Session, arm: Arm, cell: Cell, executor: local.LocalExecutor, db: Path) -> float:
    session = dataclasses.replace(session, workdir=Workdir.beside(db))
    writer = Writer(open_for_writing(db))
    runner = Runner(session, writer, executor, Display(Console(quiet=True), lambda plan: 0.0))
    runner.planner = OneCell(arm, cell)  # type: ignore[assignment]
    summary, seconds = clock.timed(runner.run)
    if summary.failed:
        raise RuntimeError(f"{summary.failed[0]}")
    return seconds


def _read_back(db: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(db)) as rows:
        scores: dict[str, dict[str, float]] = {}
        query = "SELECT moment, task, value FROM scores JOIN evals USING (eval_id)"
        for moment, task, value in rows.execute(query):
            scores.setdefault(moment, {})[task] = value
        items = rows.execute("SELECT moment, sum(n_items) FROM scores GROUP BY moment").fetchall()
        phases = rows.execute("SELECT phase, sum(wall_seconds) FROM phases GROUP BY phase").fetchall()
        (run_seconds,) = rows.execute("SELECT wall_seconds FROM runs").fetchone()
    return {"scores": scores, "items": dict(items), "phases": dict(phases), "run_seconds": run_seconds}


def _await_fork_server(executor: local.LocalExecutor) -> None:
    """The first worker is born when the server has imported everything; this one is sent away."""
    worker = executor._spawn()
    worker.connection.poll(300)
    worker.connection.close()
    worker.process.join()


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("first", help="the name of a cell of the suite to make ready for")
    options.add_argument("--quick", action="store_true")
    return options.parse_args()


if __name__ == "__main__":
    main()
