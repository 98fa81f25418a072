"""What is packed in the rows of ``items``: an outcome for each item of the eval, and no more than memory can hold."""

import json
import zlib
from collections.abc import Iterable, Mapping

import numpy as np

from harness.snapshot.rows import Row
from harness.store.packing import UNKNOWN

MAX_BLOB_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 2 * 2**30  # of all rows together
MAX_ITEMS = 1_000_000  # of one eval
OUTCOME_BYTES = 8  # of a right or wrong, as the analysis holds it


def packed_fault(rows: Iterable[Row], n_items: Mapping[str, int]) -> str | None:
    """What is wrong with the first row of ``items`` that does not hold what its eval has items for, or that takes the
    whole beyond the limit; found without unpacking more than that. ``n_items`` are the evals'."""
    left = MAX_UNPACKED_BYTES
    for row in rows:
        for column, check in _CHECKS.items():
            if row[column] is None:
                continue
            weight = OUTCOME_BYTES if column == "correct" else 1
            try:
                raw = _unpacked(row[column], min(MAX_BLOB_BYTES, left // weight))
                check(raw, n_items.get(row["eval_id"], 0))
            except ValueError as error:
                return f"{column} of run {row['run_id']}, eval {row['eval_id'][:12]} {error}"
            left -= weight * len(raw)
    return None


def _unpacked(blob: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(blob, limit + 1)
    except zlib.error:
        raise ValueError("is not packed") from None
    if len(raw) > limit:
        raise ValueError(
            f"unpacks to more than the limits: {MAX_BLOB_BYTES // 2**20} MiB, "
            f"and {MAX_UNPACKED_BYTES // 2**20} MiB with all the others"
        )
    if not unpacker.eof:
        raise ValueError("is cut off")
    return raw


def _check_outcomes(raw: bytes, n_items: int) -> None:
    _check_count(len(raw), n_items)
    if raw and max(raw) > UNKNOWN:
        raise ValueError("holds what is neither right nor wrong nor unknown")


def _check_lists(raw: bytes, n_items: int) -> None:
    """See ``packing.pack_floats``: how many lists, the length of each, their numbers."""
    numbers = np.frombuffer(raw[: len(raw) // 4 * 4], dtype=np.uint32)
    count = int(numbers[0]) if len(numbers) else -1
    _check_count(count, n_items)
    if 4 * (1 + count + int(numbers[1 : 1 + count].sum(dtype=np.uint64))) != len(raw):
        raise ValueError("holds other numbers than it counts")


def _check_texts(raw: bytes, n_items: int) -> None:
    try:
        texts = json.loads(raw)
    except (ValueError, RecursionError):
        texts = None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("holds no list of texts")
    _check_count(len(texts), n_items)


def _check_count(found: int, n_items: int) -> None:
    if found != n_items:
        raise ValueError(f"is of {found} items, its eval has {n_items}")
    if found > MAX_ITEMS:
        raise ValueError(f"is of {found} items, more than {MAX_ITEMS}")


_CHECKS = {"correct": _check_outcomes, "values": _check_lists, "answers": _check_texts}
