"""The snapshots of this repository, which were made by earlier versions, hold in this one."""

from pathlib import Path

import pytest

from harness.snapshot.verify import verify_snapshot

COMMITTED = sorted(path.parent for path in (Path(__file__).resolve().parents[3] / "results").glob("*/manifest.json"))


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda folder: folder.name)
def test_a_committed_snapshot_verifies(folder: Path) -> None:
    assert verify_snapshot(folder).problems == []


def test_there_is_one() -> None:
    assert COMMITTED
