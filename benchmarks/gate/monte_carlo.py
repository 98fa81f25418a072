"""Whole checks by the thousand: how often a planted change is found, and how often nothing is called something."""

import numpy as np
from rich.console import Console

from benchmarks.gate.pool import Plant, Pool, draw
from benchmarks.gate.real import Outcome, calls_worse
from harness.analysis.gate import QUANTITIES, Rules, exit_code, judge

CHANCE = tuple(name for name in QUANTITIES if name not in ("logits", "gradients", "first_losses"))
PLANTS: dict[str, tuple[Plant, tuple[str, ...]]] = {
    "3 % slower": (Plant(slowdown=0.03), ("speed", "matrix_speed")),
    "2 % more memory": (Plant(memory=0.02), ("memory",)),
    "every score 2 points lower": (Plant(points=0.02), ("score", "forgetting", "matrix_score")),
}


def power(pool: Pool, rounds: int, trials: int, seed: int, console: Console) -> list[Outcome]:
    """How often each planted change is found by a whole check."""
    found = []
    for name, (plant, quantities) in PLANTS.items():
        rng = np.random.default_rng([seed, len(found)])
        hits = sum(_alarm(pool, rounds, plant, quantities, rng) for _ in _counted(trials, name, console))
        found.append(Outcome(name, "Monte Carlo", trials, hits, benign=False))
    return found


def false_alarms(pool: Pool, rounds: int, trials: int, seed: int, console: Console) -> tuple[Outcome, int]:
    """How often a whole check calls something worse though nothing is, and how many of these checks pass outright, with
    nothing open. Its numerics are left out: nothing of chance is in them, and the benign changes of real runs are what
    tries them."""
    rng = np.random.default_rng([seed, 99])
    name = "nothing planted"
    checks = [judge(*draw(pool, rounds, Plant(), rng), Rules(), CHANCE) for _ in _counted(trials, name, console)]
    passes = sum(exit_code(findings, ()) == 0 for findings in checks)
    return Outcome(name, "Monte Carlo", trials, sum(map(calls_worse, checks)), benign=True), passes


def _alarm(pool: Pool, rounds: int, plant: Plant, quantities: tuple[str, ...], rng: np.random.Generator) -> bool:
    sides = draw(pool, rounds, plant, rng)
    return calls_worse(judge(*sides, Rules(), quantities))


def _counted(trials: int, name: str, console: Console):
    for number in range(trials):
        if number % 50 == 0:
            console.print(f"  {name}: {number} of {trials} drawn checks", highlight=False)
        yield number
