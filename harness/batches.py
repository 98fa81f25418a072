"""How a stage's examples are cut into forward passes."""

from collections.abc import Iterator, Sequence

from harness.data.tokenise import Encoded, sequence_lengths
from harness.predict.recipe import Batch


def longest_batches(rows: Sequence[Encoded], batch_size: int, micro_batch_size: int) -> tuple[Batch, ...]:
    """The forward passes that whole steps over ``rows`` are made of, the longest of each kind; ``micro_batch_size``
    divides ``batch_size``.

    Of a kind are those of as many sequences that are padded alike and have as many gradients before them: the longest
    of them needs the most memory.
    """
    longest: dict[tuple[int, bool, bool], Batch] = {}
    for batch in batches_of(rows, batch_size, micro_batch_size):
        kind = (batch.rows, batch.padded, batch.accumulated)
        if kind not in longest or longest[kind].length < batch.length:
            longest[kind] = batch
    return tuple(longest.values())


def batches_of(rows: Sequence[Encoded], batch_size: int, micro_batch_size: int) -> Iterator[Batch]:
    """Every forward pass of whole steps over ``rows``, in order."""
    for start in range(0, len(rows), micro_batch_size):
        lengths = [length for row in rows[start : start + micro_batch_size] for length in sequence_lengths(row)]
        accumulated = start % batch_size > 0
        yield Batch(len(lengths), max(lengths), min(lengths) < max(lengths), accumulated)
