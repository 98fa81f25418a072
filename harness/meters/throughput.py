"""Real tokens a second: attention-mask tokens, warm-up dropped, over windows of steps."""

from collections.abc import Sequence
from dataclasses import dataclass

WINDOWS = 10


@dataclass(frozen=True)
class Throughput:
    """Tokens a second over equal windows of steps: the median and the quartiles."""

    median: float
    p25: float
    p75: float


def throughput(step_seconds: Sequence[float], step_tokens: Sequence[int], warmup_steps: int) -> Throughput | None:
    """Throughput of the steps after ``warmup_steps``; None where no step is left.

    Both sequences have one entry a step: its wall time, and the real tokens that it saw. Steps are pooled into at
    most ten windows of equal length, so that one slow step moves one window, not the median.
    """
    import numpy as np

    seconds = np.asarray(step_seconds[warmup_steps:], dtype=float)
    tokens = np.asarray(step_tokens[warmup_steps:], dtype=float)
    if not len(seconds):
        return None
    size = max(1, len(seconds) // WINDOWS)
    full = len(seconds) // size * size
    rates = tokens[:full].reshape(-1, size).sum(axis=1) / seconds[:full].reshape(-1, size).sum(axis=1)
    p25, median, p75 = np.percentile(rates, [25, 50, 75])
    return Throughput(float(median), float(p25), float(p75))
