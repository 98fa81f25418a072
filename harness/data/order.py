"""The training order, written out: which example of which source comes when."""

from fractions import Fraction
from random import Random

from harness.errors import UserError


def order(sizes: list[int], shares: list[float], total: int, seed: int) -> list[tuple[int, int]]:
    """``total`` pairs (source, example): the order in which examples are trained on, fixed by the seed.

    ``sizes`` counts each source's examples, ``shares`` weighs the sources (any positive scale: [1, 3] is
    [0.25, 0.75]). Each source gets its share of ``total`` by largest remainder. A source is gone through once
    before any of its examples comes again, in a new order each epoch; the sources are mixed at random. The same
    on every platform: the seeds are strings, the shares exact fractions. Raises UserError.
    """
    _check(sizes, shares, total)
    counts = _largest_remainder(shares, total)
    streams = [iter(_stream(source, sizes[source], count, seed)) for source, count in enumerate(counts)]
    turns = [source for source, count in enumerate(counts) for _ in range(count)]
    Random(f"mix {seed}").shuffle(turns)
    return [(source, next(streams[source])) for source in turns]


def _check(sizes: list[int], shares: list[float], total: int) -> None:
    if len(sizes) != len(shares) or not sizes:
        raise UserError(f"order: {len(sizes)} sources with {len(shares)} shares; each source needs one share")
    if total < 1:
        raise UserError(f"order: {total} examples to train on; must be 1 or more")
    # The comparison is written so that NaN fails it.
    if not all(0 <= share < float("inf") for share in shares) or sum(shares) <= 0:
        raise UserError(f"order: shares {shares} must be 0 or more, and not all 0")
    for source, (size, share) in enumerate(zip(sizes, shares, strict=True)):
        if share and size < 1:
            raise UserError(f"order: source {source} has no examples, but a share of {share}")


def _largest_remainder(shares: list[float], total: int) -> list[int]:
    """Whole counts that sum to ``total``, each within one of its exact share; ties go to the earlier source."""
    weights = [Fraction(share) for share in shares]
    exact = [total * weight / sum(weights) for weight in weights]
    counts = [int(quota) for quota in exact]
    by_remainder = sorted(range(len(shares)), key=lambda source: counts[source] - exact[source])
    for source in by_remainder[: total - sum(counts)]:
        counts[source] += 1
    return counts


def _stream(source: int, size: int, count: int, seed: int) -> list[int]:
    """The first ``count`` examples of a source, reshuffled each epoch."""
    stream: list[int] = []
    epoch = 0
    while len(stream) < count:
        places = list(range(size))
        Random(f"source {source} epoch {epoch} seed {seed}").shuffle(places)
        stream += places
        epoch += 1
    return stream[:count]
