"""Packed items are as many as their eval has, of their kind, and never unpacked beyond what memory can hold."""

import zlib

import numpy as np
import pytest

from harness.snapshot import packed
from harness.snapshot.packed import OUTCOME_BYTES, packed_fault
from harness.store.packing import pack_bits, pack_floats, pack_texts

GOOD = {
    "correct": pack_bits([True, False, None]),
    "values": pack_floats([[1.0, 2.0], [], [3.0]]),
    "answers": pack_texts(["yes", "no", ""]),
}


def row(**blobs):
    return {"run_id": "run", "eval_id": "eval", **dict.fromkeys(GOOD), **blobs}


def fault(*rows, n_items=3):
    return packed_fault(rows, {"eval": n_items})


def test_what_was_packed_has_none():
    assert fault(row(**GOOD), row()) is None


@pytest.mark.parametrize(
    ("column", "raw", "says"),
    [
        ("correct", bytes(4), "is of 4 items, its eval has 3"),
        ("correct", b"", "is of 0 items, its eval has 3"),
        ("correct", bytes([0, 1, 7]), "holds what is neither right nor wrong nor unknown"),
        ("values", b"", "is of -1 items, its eval has 3"),
        ("values", np.uint32(2**32 - 1).tobytes(), "is of 4294967295 items, its eval has 3"),
        ("values", np.array([3, *[2**32 - 1] * 3], dtype=np.uint32).tobytes(), "holds other numbers than it counts"),
        ("values", np.array([3, 1], dtype=np.uint32).tobytes(), "holds other numbers than it counts"),
        ("values", zlib.decompress(GOOD["values"]) + b"x", "holds other numbers than it counts"),
        ("answers", b'["a"]', "is of 1 items, its eval has 3"),
        ("answers", b"[1, 2, 3]", "holds no list of texts"),
        ("answers", b"{}", "holds no list of texts"),
        ("answers", b"[" * 100_000, "holds no list of texts"),
        ("answers", b"\xff", "holds no list of texts"),
    ],
)
def test_other_content_is_named(column, raw, says):
    assert fault(row(), row(**{column: zlib.compress(raw)})) == f"{column} of run run, eval eval {says}"


def test_what_is_not_packed_is_named():
    assert fault(row(correct=b"plain")).endswith("is not packed")


def test_what_is_cut_off_is_named():
    assert fault(row(correct=GOOD["correct"][:-5])).endswith("is cut off")


def test_one_that_unpacks_without_end_is_named(monkeypatch):
    monkeypatch.setattr(packed, "MAX_BLOB_BYTES", 2**20)
    assert "unpacks to more than the limits: 1 MiB" in fault(row(correct=zlib.compress(bytes(2**24))), n_items=2**24)


def test_several_that_do_so_together_are_named(monkeypatch):
    monkeypatch.setattr(packed, "MAX_UNPACKED_BYTES", 2 * 3 * OUTCOME_BYTES)
    rows = [row(correct=GOOD["correct"])] * 3
    assert fault(*rows[:2]) is None
    assert "unpacks to more than the limits" in fault(*rows)


def test_an_eval_of_more_items_than_anybody_asks_is_named(monkeypatch):
    monkeypatch.setattr(packed, "MAX_ITEMS", 2)
    assert fault(row(correct=GOOD["correct"])).endswith("is of 3 items, more than 2")
