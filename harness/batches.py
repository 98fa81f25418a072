"""How a stage's examples are cut into forward passes."""

from collections.abc import Iterator, Sequence

from harness.data.tokenise import Encoded, sequence_lengths
from harness.predict.recipe import Batch, batch_of


def longest_batches(
    rows: Sequence[Encoded], batch_size: int, micro_batch_size: int, packing: bool = False
) -> tuple[Batch, ...]:
    """The forward passes that whole steps over ``rows`` are made of, the longest of each kind; ``micro_batch_size``
    divides ``batch_size``.

    Of a kind are those of as many rows that are padded or packed alike and have as many gradients before them: the
    longest of them needs the most memory.
    """
    longest: dict[tuple[int, bool, bool, bool], Batch] = {}
    for batch in forward_passes(rows, batch_size, micro_batch_size, packing):
        kind = (batch.rows, batch.padded, bool(batch.packed), batch.accumulated)
        if kind not in longest or longest[kind].length < batch.length:
            longest[kind] = batch
    return tuple(longest.values())


def forward_passes(
    rows: Sequence[Encoded], batch_size: int, micro_batch_size: int, packing: bool = False
) -> Iterator[Batch]:
    """Every forward pass over ``rows``, in order."""
    for start in range(0, len(rows), micro_batch_size):
        lengths = [length for row in rows[start : start + micro_batch_size] for length in sequence_lengths(row)]
        yield batch_of(lengths, packing=packing, accumulated=start % batch_size > 0)
