"""One side of a check, as frames."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

HARDWARE = ("device", "gpu", "gpu_memory_gib", "gpus", "processor", "cores", "memory_gib", "memory_limit_bytes")


@dataclass(frozen=True, eq=False)
class Side:
    """The runs of one suite on one stack.

    ``runs``: run_id, recipe_id, execution_id, arm (its name), method, base_digest, bare (an untrained base as it is),
    seed, compute (the type computed in), stages (how many), chain (the first of them: runs that share it share what
    chance did to it), purpose, exclusive, status, reason, order_digest (of the examples seen), source, started_at. The
    others as the reader gives them, with run_id: ``phases``; ``scores`` and ``items`` of the test evals; ``losses``
    (step, loss); ``gradients`` (module, gradient_norm); ``logits`` (projection, value), all three of the run's last
    stage.
    """

    name: str
    suite: str
    stack_id: str
    facts: Mapping[str, Any]
    execution: Mapping[str, Mapping[str, Any]]  # by execution_id
    runs: pd.DataFrame
    phases: pd.DataFrame
    scores: pd.DataFrame
    items: pd.DataFrame
    losses: pd.DataFrame
    gradients: pd.DataFrame
    logits: pd.DataFrame


def only_recipes(side: Side, recipe_ids: Collection[str]) -> tuple[Side, int]:
    """The side cut down to some recipes, and how many others it has."""
    kept = side.runs["recipe_id"].isin(recipe_ids)
    return replace(side, runs=side.runs[kept]), int(side.runs.loc[~kept, "recipe_id"].nunique())


def different_hardware(baseline: Side, candidate: Side) -> str | None:
    """In words, in what the two sides' machines differ; None where memory and speed can be compared."""
    differing = [key for key in HARDWARE if baseline.facts.get(key) != candidate.facts.get(key)]
    said = [f"{key} {baseline.facts.get(key)} against {candidate.facts.get(key)}" for key in differing]
    return "; ".join(said) or None


def differences(baseline: Side, candidate: Side) -> list[str]:
    """What is not the same in stack and execution, a line each: what the check is about."""
    said = [
        f"{key}: {baseline.facts.get(key)} -> {candidate.facts.get(key)}"
        for key in sorted({*baseline.facts, *candidate.facts})
        if baseline.facts.get(key) != candidate.facts.get(key)
    ]
    ours, theirs = (_execution_values(side) for side in (baseline, candidate))
    said += [
        f"{key}: {_shown(ours.get(key))} -> {_shown(theirs.get(key))}"
        for key in sorted({*ours, *theirs})
        if ours.get(key) != theirs.get(key)
    ]
    if baseline.facts == candidate.facts and baseline.stack_id != candidate.stack_id:
        said.append("the code that trains and scores")
    return said


def _execution_values(side: Side) -> dict[str, set[str]]:
    used = side.runs["execution_id"].unique()
    values: dict[str, set[str]] = {}
    for execution in (side.execution[one] for one in used):
        for key, value in execution.items():
            name = value.get("name", value) if isinstance(value, dict) else value
            values.setdefault(key, set()).add(str(name))
    return values


def _shown(values: set[str] | None) -> str:
    return ", ".join(sorted(values or {"unknown"}))
