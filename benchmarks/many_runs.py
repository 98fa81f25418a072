"""A results file as large as one wants, written straight into the tables: what the runner would have stored."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from harness import identity
from harness.store.database import open_for_writing
from harness.store.packing import pack_bits, pack_floats

CHOICES = 4  # log-likelihoods kept of each item
STACK, TARGET, VALIDATION = "stack", "target-eval", "validation-eval"
FACTS = {"device": "cpu", "processor": "Bench CPU", "cores": 2, "torch": "2.13.0"}
RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
GOLDEN = 0.618034  # its multiples fill [0, 1] evenly


@dataclass(frozen=True)
class Size:
    """How many of everything."""

    bases: int = 10
    arms: int = 20
    rates: int = 5
    seeds: int = 10
    items: int = 1000

    @property
    def runs(self) -> int:
        """Quality runs of trained arms."""
        return self.bases * self.arms * self.rates * self.seeds


@dataclass(frozen=True)
class _Run:
    """A cell with its one run."""

    base: int
    arm: int | None  # None: the untrained base
    rate: float | None
    seed: int
    purpose: str
    number: int

    @property
    def label(self) -> str:
        return (
            "base" if self.arm is None else f"full_sft-{self.arm:02d}" if self.rank is None else f"lora-{self.arm:02d}"
        )

    @property
    def method(self) -> str:
        return "base" if self.arm is None else "full_sft" if self.rank is None else "lora"

    @property
    def rank(self) -> int | None:
        return self.arm if self.arm else None

    @property
    def accuracy(self) -> float:
        """True accuracy: by arm, worse away from the middle rate."""
        if self.arm is None or self.rate is None:
            return 0.2
        return 0.6 + 0.3 * (self.arm * GOLDEN % 1) - 0.05 * abs(round(np.log10(self.rate)) + 3)


def make_many_runs(path: Path, size: Size, seed: int = 0) -> None:
    """Write a new results file at ``path``: for each run a target task with items and a validation score, for each arm
    a measure run, and the untrained bases."""
    db = open_for_writing(path)
    rng = np.random.default_rng(seed)
    hardness = rng.random(size.items)
    with db.conn:
        db.table("stacks").insert({"stack_id": STACK, "facts": json.dumps(FACTS), "code_digest": "code"})
        db.table("evals").insert_all([_eval(TARGET, "test", size.items), _eval(VALIDATION, "validation", size.items)])
        runs = list(_runs(size))
        cells = [run for run in runs if run.purpose == "quality"]
        _insert(db, "cells", [_cell(run) for run in cells])
        _insert(db, "stages", [{"stage_id": _id(run, "stage"), "kind": "sft", "recipe": "{}"} for run in cells])
        _insert(db, "cell_stages", [_stage_of(run) for run in cells])
        _insert(db, "runs", [_run(run) for run in runs])
        _insert(db, "phases", [_phase(run) for run in runs if run.arm is not None])
        for run in cells:
            scores, items = _scored(run, hardness, rng)
            _insert(db, "scores", scores)
            _insert(db, "items", [items])
    db.conn.close()


def _runs(size: Size) -> Iterator[_Run]:
    number = 0
    for base in range(size.bases):
        yield _Run(base, None, None, 1, "quality", number := number + 1)
        for arm in range(size.arms):
            for rate in RATES[: size.rates]:
                for seed in range(1, size.seeds + 1):
                    yield _Run(base, arm, rate, seed, "quality", number := number + 1)
            yield _Run(base, arm, RATES[0], 1, "measure", number := number + 1)


def _id(run: _Run, kind: str) -> str:
    return identity.digest(kind, [run.base, run.arm, run.rate, run.seed])


def _insert(db: Database, table: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    names, marks = ", ".join(f'"{column}"' for column in columns), ", ".join(f":{column}" for column in columns)
    db.conn.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def _eval(eval_id: str, split: str, n_items: int) -> dict[str, Any]:
    about = {"eval_id": eval_id, "task": f"many_{split}", "role": "target", "split": split, "task_version": "1"}
    return {**about, "item_digest": f"items of {split}", "decoding": "{}", "n_items": n_items, "chance": 0.25}


def _cell(run: _Run) -> dict[str, Any]:
    parameters = {"quantisation": "none", "shots": 0} if run.arm is None else {"rank": run.rank, "dropout": 0.0}
    stage = {"kind": "sft", "method": run.method, "parameters": parameters, "learning_rate": run.rate, "seed": run.seed}
    recipe = {"base_digest": f"base {run.base}", "stages": [{**stage, "data": "d" * 64, "order": "shuffled " * 40}]}
    return {
        "cell_id": _id(run, "cell"),
        "recipe_id": _id(run, "stage"),
        "execution_id": "execution",
        "arm_id": identity.digest("arm", [run.base, run.arm]),
        "suite": "many",
        "label": run.label,
        "method": run.method,
        "base": f"base-{run.base:02d}",
        "rank": run.rank,
        "learning_rate": run.rate,
        "seed": run.seed,
        "base_digest": f"base {run.base}",
        "licences": "{}",
        "recipe": json.dumps(recipe),
        "execution": "{}",
        "selection_task": None if run.arm is None else "many_validation",
        "identity_version": identity.IDENTITY_VERSION,
    }


def _stage_of(run: _Run) -> dict[str, Any]:
    return {"cell_id": _id(run, "cell"), "position": 0, "stage_id": _id(run, "stage")}


def _run(run: _Run) -> dict[str, Any]:
    started = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=run.number)).isoformat(timespec="microseconds")
    return {
        "run_id": f"run-{run.number:06d}",
        "cell_id": _id(run, "cell"),
        "stack_id": STACK,
        "purpose": run.purpose,
        "exclusive": int(run.purpose == "measure"),
        "status": "ok",
        "started_at": started,
        "ended_at": started,
        "wall_seconds": 10.0,
        "trainable_parameters": None if run.arm is None else 1000 * (run.rank or 900),
        "total_parameters": 1_000_000,
    }


def _phase(run: _Run) -> dict[str, Any]:
    return {
        "run_id": f"run-{run.number:06d}",
        "stage_id": _id(run, "stage"),
        "phase": "train",
        "wall_seconds": 8.0,
        "ledger_weights_bytes": 10_000_000 + 100_000 * (run.arm or 90),
        "tokens_per_second_median": 9000.0 + 10 * run.seed if run.purpose == "measure" else None,
    }


def _scored(
    run: _Run, hardness: NDArray[np.float64], rng: np.random.Generator
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    level = run.accuracy + 0.02 * rng.standard_normal()
    correct = level + 0.3 * rng.standard_normal(len(hardness)) > hardness
    moment = "base" if run.arm is None else "tuned"
    key = {"run_id": f"run-{run.number:06d}", "moment": moment}
    common = {"metric": "acc", "n_items": len(hardness), "higher_is_better": 1}
    scores = [{**key, "eval_id": TARGET, "value": float(correct.mean()), **common}]
    scores.append({**key, "eval_id": VALIDATION, "value": float(level), **common})
    values = pack_floats(rng.normal(-3, 1, (len(hardness), CHOICES)).tolist())
    return scores, {**key, "eval_id": TARGET, "correct": pack_bits(correct.tolist()), "values": values}
