"""Free answers made a choice: each beside answers of like length to other questions."""

from collections.abc import Sequence
from random import Random
from typing import Any

RIVALS = 3  # wrong answers beside the right one
NEAR = 24  # they are drawn from this many answers of the nearest lengths
SEED = "rivals"

Row = dict[str, Any]


def with_rivals(rows: Sequence[Row], pool: Sequence[str]) -> list[Row]:
    """``rows``, each with ``choices`` of its ``answer`` and up to three others of ``pool``, and the right one's place
    as ``answer``. Two rows with the same answer and place are given the same choices. A row that has no rival is left
    out; of a few answers in all (labels), each is a choice.
    """
    found = []
    distinct = sorted(set(pool))
    for place, row in enumerate(rows):
        right = row["answer"]
        random = Random(f"{SEED} {place}")
        others = sorted((a for a in distinct if a != right), key=lambda other: (abs(len(other) - len(right)), other))
        if not others:
            continue
        listed = [right, *random.sample(others[:NEAR], min(RIVALS, len(others)))]
        random.shuffle(listed)
        found.append({**row, "choices": listed, "answer": listed.index(right)})
    return found
