"""Sides of a check for tests: a few arms whose runs a test may change."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.gate import Finding, Rules, Side, judge
from harness.settings import defaults_merged

FACTS = {"device": "cpu", "processor": "Test CPU", "cores": 2, "torch": "2.13.0"}
ARMS = ("full_sft", "lora", "qlora", "dpo")
TASKS = {"target": "target", "facts": "general"}
ITEMS = 200
SEEDS = (1, 2, 3)


def make_side(rounds: int = 10, seed: int = 0, noise: float = 0.0, arms: tuple[str, ...] = ARMS) -> Side:
    """Every arm with a quality run a seed and ``rounds`` measure runs, in turn with those of any other such side, and
    the bare base scored once. ``noise`` is the share of answers that differ from those of a side made with another
    ``seed``; without it both are the same."""
    truth, own = np.random.default_rng(0), np.random.default_rng(seed)
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ("runs", "phases", "scores", "items", *_FIRST)}
    for arm in arms:
        for one in SEEDS:
            run_id = _run(tables, arm, one, "quality", one)
            _numerics(tables, run_id, truth)
            for task, role in TASKS.items():
                right = truth.random(ITEMS) < 0.8
                right ^= own.random(ITEMS) < np.where(right, noise / 1.6, noise / 0.4)  # as many gained as lost
                _score(tables, run_id, task, role, right.astype(float))
        for number in range(rounds):
            run_id = _run(tables, arm, SEEDS[0], "measure", number)
            _numerics(tables, run_id, np.random.default_rng(7))
            speed = 9000 * np.exp(0.004 * own.standard_normal())
            tables["phases"].append(_phase(run_id, 2**20, speed))
    _base(tables)
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    return Side("side", "pocket", "stack", FACTS, {"e": {"attention": "sdpa"}}, **frames)


def with_frame(side: Side, name: str, change: Any) -> Side:
    """``side`` with a changed copy of one of its frames."""
    frame = getattr(side, name).copy()
    changed = change(frame)
    return replace(side, **{name: frame if changed is None else changed})


def rules(**changes: dict[str, Any]) -> Rules:
    """The rules with some numbers changed."""
    return Rules.model_validate(defaults_merged(Rules().model_dump(), changes))


def verdicts(baseline: Side, candidate: Side, quantity: str, held_to: Rules | None = None, **options: Any) -> list[str]:
    """The verdicts on one quantity, in order."""
    return [found.verdict for found in findings(baseline, candidate, quantity, held_to, **options)]


def findings(
    baseline: Side, candidate: Side, quantity: str, held_to: Rules | None = None, **options: Any
) -> list[Finding]:
    """The findings on one quantity, in order."""
    return judge(baseline, candidate, held_to or Rules(), [quantity], **options)


_FIRST = ("losses", "gradients", "logits")
_PARTS = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation")


def _run(tables: dict[str, list[dict[str, Any]]], arm: str, seed: int, purpose: str, number: int) -> str:
    run_id = f"{arm}-{purpose}-{number}"
    about = {"run_id": run_id, "recipe_id": f"{arm}-{seed}", "execution_id": "e", "arm": arm, "method": arm}
    about |= {"chain": f"{'lora' if arm == 'dpo' else arm}-{seed}", "base_digest": "b", "bare": arm == "base"}
    state = {"seed": seed, "compute": "float32", "stages": 1, "purpose": purpose, "exclusive": purpose == "measure"}
    state |= {"source": f"check:trial:{number}" if purpose == "measure" else "local", "order_digest": purpose}
    tables["runs"].append({**about, **state, "status": "ok", "reason": None, "started_at": f"{number:04d}"})
    return run_id


def _base(tables: dict[str, list[dict[str, Any]]]) -> None:
    run_id = _run(tables, "base", SEEDS[0], "quality", 0)
    for task, role in TASKS.items():
        _score(tables, run_id, task, role, (np.arange(ITEMS) % 2).astype(float), "base")


def _numerics(tables: dict[str, list[dict[str, Any]]], run_id: str, rng: np.random.Generator) -> None:
    for step in (1, 2, 3, 20):
        tables["losses"].append({"run_id": run_id, "step": step, "loss": 2.0 / step + 0.01 * rng.random()})
    for module in ("layers.0", "layers.1"):
        tables["gradients"].append({"run_id": run_id, "module": module, "gradient_norm": 0.5 + rng.random()})
    for projection in range(4):
        tables["logits"].append({"run_id": run_id, "projection": projection, "value": rng.standard_normal()})


def _phase(run_id: str, peak: int, speed: float) -> dict[str, Any]:
    ledger = {f"ledger_{part}_bytes": peak // len(_PARTS) for part in _PARTS}
    about = {"run_id": run_id, "phase": "train", "last_stage": True, "tokens_per_second_median": speed}
    peaks = {"ledger_peak_bytes": peak, "peak_allocated_bytes": None, "peak_reserved_bytes": None}
    return {**about, **peaks, **ledger}


def _score(
    tables: dict[str, list[dict[str, Any]]], run_id: str, task: str, role: str, right: Any, moment: str = "tuned"
) -> None:
    key = {"run_id": run_id, "moment": moment, "eval_id": task}
    about = {"metric": "acc", "task": task, "role": role, "n_items": len(right), "higher_is_better": True}
    tables["scores"].append({**key, **about, "value": right.mean()})
    tables["items"].append({**key, "correct": right})
