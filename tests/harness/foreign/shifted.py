"""Copies of a folder of peft's result files with planted changes of the test accuracy, for tests of the gate."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.foreign.peft import TEST_ITEMS


def write_shifted(source: Path, target: Path, points: float = -1.7) -> Path:
    """A copy of the folder in which every run's test accuracy is ``points`` higher; returns ``target``.

    Accuracies stay shares of the test's questions in [0, 1]: a run is moved by the whole number of questions below or
    above, in turns such that the mean over runs is as asked for, and one that is near 0 or 1 is moved that far only.
    """
    wanted = points / 100 * TEST_ITEMS
    return _write_copy(source, target, lambda number: int(np.floor(wanted * (number + 1)) - np.floor(wanted * number)))


def write_noisy(source: Path, target: Path, points: float = 1.4, seed: int = 0) -> Path:
    """A copy of the folder in which every run's test accuracy is off by chance, each by its own draw of a normal
    distribution with mean zero and a standard deviation of ``points``; returns ``target``."""
    rng = np.random.default_rng(seed)
    return _write_copy(source, target, lambda _: round(rng.normal(scale=points / 100 * TEST_ITEMS)))


def _write_copy(source: Path, target: Path, moved: Callable[[int], int]) -> Path:
    target.mkdir(parents=True)
    for number, path in enumerate(sorted(source.glob("*.json"))):
        result = json.loads(path.read_text())
        for point in result["train_info"]["metrics"]:
            if "test accuracy" in point:
                right = round(point["test accuracy"] * TEST_ITEMS) + moved(number)
                point["test accuracy"] = min(max(right, 0), TEST_ITEMS) / TEST_ITEMS
        (target / path.name).write_text(json.dumps(result, indent=2))
    return target
