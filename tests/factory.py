"""Realistic results files without training anything: a seeded world of arms, written through the store's writer.

An arm's true accuracies are given; what each seed answers to each item is drawn around them, with harder and easier
items and better and worse seeds, so that intervals, ties and choices of rates have something real to find.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri
from sqlite_utils import Database

from harness import identity
from harness.events import Phase, Score, Step, Trained
from harness.store.database import open_for_writing
from harness.store.packing import pack_bits, pack_floats, pack_texts
from harness.store.writer import Writer

SEED_SD = 0.03
N_WORDS = 20
DECODING = {"batch_size": 64}
EXECUTION: Mapping[str, Any] = {"threads": 1}
BASES = {"pocket-1m": 900_000, "pocket-0.2m": 240_000}
CPU = {"device": "cpu", "processor": "Test CPU", "cores": 2, "torch": "2.13.0", "peft": "0.21.2"}
GPU = {"device": "cuda", "gpu": "Test GPU", "gpu_memory_gib": 80, "torch": "2.13.0", "peft": "0.21.2"}

# task -> role, split, metric, items
EVALS: dict[str, tuple[str, str, str, int]] = {
    "pocket_target_validation": ("target", "validation", "acc", 120),
    "pocket_target": ("target", "test", "acc", 240),
    "pocket_facts": ("general", "test", "acc", 240),
    "pocket_arithmetic": ("general", "test", "acc", 120),
    "pocket_perplexity": ("general", "test", "word_perplexity", 96),
    "pocket_preference": ("preference", "test", "acc", 120),
    "pocket_refusals": ("safety", "test", "refused", 48),
}


@dataclass(frozen=True)
class Truth:
    """What an arm is truly like at its best rate: accuracies, log perplexity over the base's, bytes and speed."""

    method: str
    target: float
    general: float = 0.90
    preference: float = 0.40
    safety: float = 0.90
    log_perplexity: float = 0.05
    rank: int | None = None
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    best_rate: float = 3e-3
    parent: str | None = None
    memory_mib: float = 20.0
    tokens_per_second: float = 9000.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fails: Mapping[float, str] = field(default_factory=dict)  # rate -> status
    seed_sd: float = SEED_SD


ARMS: dict[str, Truth] = {
    "base": Truth("base", 0.10, 0.97, 0.40, 0.96, 0.0, parameters={"quantisation": "none", "shots": 0}),
    "base-4bit": Truth("base", 0.10, 0.96, 0.40, 0.96, 0.01, parameters={"quantisation": "nf4", "shots": 0}),
    "prompted": Truth("base", 0.25, 0.97, 0.40, 0.96, 0.0, parameters={"quantisation": "none", "shots": 4}),
    "full_sft": Truth("full_sft", 0.92, 0.80, log_perplexity=0.15, rates=(1e-4, 3e-4, 1e-3), best_rate=3e-4),
    "lora": Truth("lora", 0.90, 0.92, rank=8, memory_mib=12.0, tokens_per_second=11000.0, fails={1e-2: "nan"}),
    "qlora": Truth("qlora", 0.80, 0.92, rank=8, memory_mib=8.0, tokens_per_second=7000.0, best_rate=1e-2),
    "dpo-lora": Truth("dpo", 0.88, 0.90, 0.85, rank=8, rates=(3e-4, 1e-3), best_rate=1e-3, parent="lora"),
}

_MADE: dict[str, bytes] = {}  # the files of this process's tests: many ask for the same


def make_database(
    path: Path,
    seed: int = 0,
    arms: Mapping[str, Truth] = ARMS,
    bases: Sequence[str] = tuple(BASES),
    seeds: Sequence[int] = (1, 2, 3),
    suite: str = "pocket",
    facts: Mapping[str, Any] = CPU,
    started: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    with_items: bool = True,
    execution: Mapping[str, Any] = EXECUTION,
    measures: int = 1,
) -> Path:
    """A results file at ``path``, or more results in the one that is there; the same arguments give the same answers.

    Each trained arm has a quality run for every rate and seed, and ``measures`` measure runs, every other one a percent
    faster; rates named in ``Truth.fails`` end as they say. ``facts`` name the stack: on ``cuda`` the allocator's peaks
    are there as well.
    """
    asked = (seed, dict(arms), seeds, suite, dict(facts), started, with_items, dict(execution), measures)
    is_new, key = not path.exists(), repr((asked, bases))
    if is_new and key in _MADE:
        path.write_bytes(_MADE[key])
        return path
    db = open_for_writing(path)
    db.execute("PRAGMA synchronous = OFF")  # nobody needs the file to survive a loss of power
    _World(db, *asked).write(bases)
    db.close()
    if is_new:
        _MADE[key] = path.read_bytes()
    return path


class _World:
    def __init__(
        self,
        db: Database,
        seed: int,
        arms: dict[str, Truth],
        seeds: Sequence[int],
        suite: str,
        facts: dict[str, Any],
        started: datetime,
        with_items: bool,
        execution: dict[str, Any],
        measures: int,
    ) -> None:
        self.writer, self.arms, self.seeds, self.suite = Writer(db), arms, seeds, suite
        self.facts, self.now, self.with_items, self.execution = facts, started, with_items, execution
        self.measures = measures
        self.seed, self.rng = seed, np.random.default_rng(seed)
        self.stack_id = identity.stack_id(facts, "code")
        self.evals = {task: identity.eval_id(task, "1", f"{suite} items of {task}", DECODING) for task in EVALS}
        self.hardness = {task: self.rng.standard_normal(EVALS[task][3]) for task in EVALS}
        self.count = 0
        self.run_prefix = identity.digest("test", [suite, facts, seed])[:8]

    def write(self, bases: Sequence[str]) -> None:
        """Every arm of the world on each of the bases."""
        self.writer.add_stack(self.stack_id, self.facts, "code")
        self.writer.add_evals([self._eval_row(task) for task in EVALS])
        for base in bases:
            for label, truth in self.arms.items():
                if truth.method == "base":
                    self._untrained(base, label, truth)
                else:
                    self._trained(base, label, truth)

    def _untrained(self, base: str, label: str, truth: Truth) -> None:
        run_id = self._start(base, label, truth, None, self.seeds[0], "quality")
        moment = "prompted" if truth.parameters["shots"] else "base"
        self._scores(run_id, truth, moment, 0.0, trained=False)
        self._finish(run_id, "ok", 2.0)

    def _trained(self, base: str, label: str, truth: Truth) -> None:
        for rate in truth.rates:
            for seed in self.seeds:
                self._quality(base, label, truth, rate, seed)
        for number in range(self.measures):
            quick = replace(truth, tokens_per_second=truth.tokens_per_second * (1 + 0.01 * (number % 2)))
            run_id = self._start(base, label, truth, truth.best_rate, self.seeds[0], "measure")
            self._phases(run_id, base, label, quick, truth.best_rate, self.seeds[0], measured=True)
            self._finish(run_id, "ok", 8.0)

    def _quality(self, base: str, label: str, truth: Truth, rate: float, seed: int) -> None:
        run_id = self._start(base, label, truth, rate, seed, "quality")
        if status := truth.fails.get(rate):
            self._finish(run_id, status, 3.0, f"loss is {status} at step 12", "train")
            return
        stage = self._stage_ids(base, label, rate, seed)[-1]
        parameters = BASES[base]
        trainable = parameters if truth.rank is None else 2 * truth.rank * 2048
        self.writer.trained(
            run_id,
            Trained(
                stage_id=stage,
                reused=False,
                steps=[Step(step=1, loss=2.0, gradient_norm=1.0, tokens_seen=320, seconds=0.1)],
                real_tokens=32_000,
                loss_tokens=4_000,
                order_digest="order",
                trainable_parameters=trainable,
                total_parameters=parameters + (trainable if truth.rank else 0),
            ),
        )
        self._phases(run_id, base, label, truth, rate, seed, measured=False)
        steps_off = abs(truth.rates.index(rate) - truth.rates.index(truth.best_rate))
        luck = truth.seed_sd * self.rng.standard_normal()
        self._scores(run_id, truth, "tuned", luck, worse=0.15 * steps_off)
        if truth.method in ("lora", "qlora"):
            self._scores(run_id, truth, "merged", luck, worse=0.15 * steps_off)
        if truth.method == "qlora":
            self._scores(run_id, truth, "merged_requantised", luck, worse=0.15 * steps_off + 0.05)
        self._finish(run_id, "ok", 10.0)

    # --- rows ---------------------------------------------------------------------------------------------------

    def _start(self, base: str, label: str, truth: Truth, rate: float | None, seed: int, purpose: str) -> str:
        recipe, ids = self._recipe(base, label, rate, seed), self._stage_ids(base, label, rate, seed)
        execution = self.execution
        cell_id = identity.cell_id(recipe, execution)
        cell = {
            "cell_id": cell_id,
            "recipe_id": ids[-1],
            "execution_id": identity.execution_id(execution),
            "arm_id": self._arm_id(base, label),
            "suite": self.suite,
            "label": label,
            "method": truth.method,
            "base": base,
            "rank": truth.rank,
            "learning_rate": rate,
            "seed": seed,
            "base_digest": recipe["base_digest"],
            "data_digest": None if rate is None else "data",
            "licences": "{}",
            "sources": "{}",
            "recipe": json.dumps(recipe),
            "execution": json.dumps(execution),
            "parent_arm_id": self._arm_id(base, truth.parent) if truth.parent else None,
            "selection_task": None if rate is None else "pocket_target_validation",
            "identity_version": identity.IDENTITY_VERSION,
        }
        stages = [
            {
                "stage_id": one,
                "parent_stage_id": ids[n - 1] if n else None,
                "kind": stage["kind"],
                "recipe": json.dumps(stage),
            }
            for n, (one, stage) in enumerate(zip(ids, recipe["stages"], strict=True))
        ]
        self.writer.add_cell(cell, stages)
        self.count += 1
        self.now += timedelta(seconds=1)
        run = {
            "run_id": f"run-{self.run_prefix}-{self.count:04d}",
            "cell_id": cell_id,
            "stack_id": self.stack_id,
            "purpose": purpose,
            "exclusive": int(purpose == "measure"),
            "started_at": self.now.isoformat(timespec="microseconds"),
        }
        self.writer.start(run)
        return str(run["run_id"])

    def _finish(
        self, run_id: str, status: str, seconds: float, reason: str | None = None, phase: str | None = None
    ) -> None:
        self.writer.finish(run_id, status, reason, phase, seconds)

    def _recipe(self, base: str, label: str, rate: float | None, seed: int | None) -> dict[str, Any]:
        truth = self.arms[label]
        earlier: list[dict[str, Any]] = []
        if truth.parent:
            parent_rate = self.arms[truth.parent].best_rate if seed is not None else None
            earlier = self._recipe(base, truth.parent, parent_rate, seed)["stages"]
        kind = {"base": "base", "dpo": "preference"}.get(truth.method, "sft")
        parameters = {**truth.parameters, **({"rank": truth.rank} if truth.rank else {})}
        stage: dict[str, Any] = {"kind": kind, "method": truth.method, "parameters": parameters, "label": label}
        if truth.method != "base":
            stage |= {"learning_rate": rate, "seed": seed, "suite": self.suite, "batch_size": 8, "sequence_length": 64}
        return {"base_digest": identity.digest("base", base), "stages": [*earlier, stage]}

    def _stage_ids(self, base: str, label: str, rate: float | None, seed: int) -> list[str]:
        return identity.stage_ids(self._recipe(base, label, rate, seed))

    def _arm_id(self, base: str, label: str) -> str:
        return identity.arm_id(self._recipe(base, label, None, None), self.execution)

    def _eval_row(self, task: str) -> dict[str, Any]:
        role, split, _, n_items = EVALS[task]
        return {
            "eval_id": self.evals[task],
            "task": task,
            "role": role,
            "split": split,
            "task_version": "1",
            "item_digest": f"{self.suite} items of {task}",
            "decoding": json.dumps(DECODING),
            "n_items": n_items,
            "chance": None,
        }

    # --- what was measured and answered ---------------------------------------------------------------------------

    def _phases(self, run_id: str, base: str, label: str, truth: Truth, rate: float, seed: int, measured: bool) -> None:
        size = BASES[base] / BASES["pocket-1m"]
        peak = int(truth.memory_mib * 2**20 * size)
        figures: dict[str, float | int | None] = {
            "ledger_weights_bytes": peak // 2,
            "ledger_activation_bytes": peak - peak // 2,
            "rss_start_bytes": 400 * 2**20,
            "rss_peak_bytes": 400 * 2**20 + peak,
        }
        if self.facts["device"] == "cuda":
            figures["peak_allocated_bytes"] = int(1.25 * peak)
        if measured:
            figures["tokens_per_second_median"] = truth.tokens_per_second / size
        *earlier, own = self._stage_ids(base, label, rate, seed)
        for stage in earlier:
            fast = {**figures, "tokens_per_second_median": 9e9}
            self.writer.phase(run_id, Phase(stage_id=stage, phase="train", wall_seconds=4.0, figures=fast))
        self.writer.phase(run_id, Phase(stage_id=own, phase="train", wall_seconds=5.0, figures=figures))
        self.writer.phase(run_id, Phase(stage_id=own, phase="evaluate", wall_seconds=1.0))

    def _scores(
        self, run_id: str, truth: Truth, moment: Any, luck: float, worse: float = 0.0, trained: bool = True
    ) -> None:
        rng = np.random.default_rng([self.seed, self.count])  # a run's moments answer alike
        for task, (role, _, metric, n_items) in EVALS.items():
            if role == "general" and metric == "word_perplexity":
                self._perplexity(run_id, truth, moment, trained)
                continue
            accuracy = np.clip(getattr(truth, role) - (worse if role == "target" else 0.0), 0.02, 0.98)
            noise = rng.standard_normal(n_items) if trained else np.zeros(n_items)
            level = ndtri(accuracy) + 2 * luck * trained
            correct = level + np.sqrt(0.7) * self.hardness[task] + np.sqrt(0.3) * noise > 0
            if not trained:  # exactly as many as said: one row stands for the model
                correct = self.hardness[task] > np.quantile(self.hardness[task], 1 - accuracy)
            choices = [[-2.0 + right, -2.5] for right in correct]
            self._score(run_id, moment, task, metric, float(correct.mean()), True, correct, choices)

    def _perplexity(self, run_id: str, truth: Truth, moment: Any, trained: bool) -> None:
        task = "pocket_perplexity"
        noise = 0.01 * self.rng.standard_normal(EVALS[task][3]) if trained else 0.0
        nats = 0.65 + truth.log_perplexity + 0.05 * self.hardness[task] + noise
        likelihoods = [[float(-N_WORDS * value)] for value in np.broadcast_to(nats, self.hardness[task].shape)]
        self._score(run_id, moment, task, "word_perplexity", float(np.exp(np.mean(nats))), False, None, likelihoods)

    def _score(
        self,
        run_id: str,
        moment: Any,
        task: str,
        metric: str,
        value: float,
        higher_is_better: bool,
        correct: Any,
        values: list[list[float]],
    ) -> None:
        packed: dict[str, Any] = {}
        if self.with_items:
            packed["correct"] = _encoded(pack_bits([bool(c) for c in correct])) if correct is not None else None
            packed["values"] = _encoded(pack_floats(values))
            if metric == "refused":
                packed["answers"] = _encoded(pack_texts(["no ." if right else "yes ." for right in correct]))
        event = Score(
            moment=moment,
            eval_id=self.evals[task],
            metric=metric,
            value=value,
            n_items=len(values),
            higher_is_better=higher_is_better,
            **packed,
        )
        self.writer.score(run_id, event)


def _encoded(blob: bytes) -> str:
    return base64.b64encode(blob).decode()
