"""Which batch to try next, in search of the largest that fits: from what is known so far, and nothing else.

The rule in one sentence is ``RULE``. A first guess that is right is confirmed by two tries: itself, and the next one.
"""

from collections.abc import Mapping

RULE = (
    "From the first guess the batch grows while it fits, or shrinks while it does not, in steps that double, and then "
    "what lies between is halved, until one example more does not fit, or above 16 an eighth more."
)
EXACT_TO = 16
AT_MOST = 1024  # examples, unless another end is asked for


def next_batch(fits: Mapping[int, bool], start: int, step: int, most: int) -> int | None:
    """The batch to try next, None once the largest is known; ``fits`` has what became of each that was tried.

    ``start`` is the first guess and ``step`` how far from it the second one lies: 1, or an eighth, from a guess that
    should be right; as much as the guess itself (it is doubled, or halved) from any other. All are in 1 to ``most``.
    """
    low, high = bounds(fits)
    if low >= most or (high is not None and high - low <= precision(low)):
        return None
    if low < start and (high is None or start < high):
        return start
    if high is None:
        return min(start + 2 * (low - start) + step, most)
    ahead = start + 2 * (low - start) + step if low >= start else start - 2 * (start - high) - step
    return min(ahead if low < ahead < high else (low + high) // 2, most)


def bounds(fits: Mapping[int, bool]) -> tuple[int, int | None]:
    """The largest batch that fits, 0 if none does, and the smallest above it that does not, None if all did."""
    low = max((batch for batch, fitted in fits.items() if fitted), default=0)
    return low, min((batch for batch, fitted in fits.items() if not fitted and batch > low), default=None)


def precision(batch: int) -> int:
    """How far above ``batch`` the one that does not fit may lie: 1 up to 16, an eighth from there."""
    return 1 if batch <= EXACT_TO else batch // 8
