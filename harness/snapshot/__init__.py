"""Snapshots: published, immutable, self-verifying sets of runs. See ``docs/snapshots.md``."""

from harness.snapshot.load import load_snapshot
from harness.snapshot.merge import import_snapshot
from harness.snapshot.publish import Publication, publish_snapshot
from harness.snapshot.push import push_snapshot
from harness.snapshot.verify import Verdict, verify_snapshot

__all__ = [
    "Publication",
    "Verdict",
    "import_snapshot",
    "load_snapshot",
    "publish_snapshot",
    "push_snapshot",
    "verify_snapshot",
]
