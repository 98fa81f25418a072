"""Snapshots: published, immutable, self-verifying sets of runs. See ``docs/snapshots.md``."""

from harness.snapshot.load import load_snapshot
from harness.snapshot.publish import Publication, publish_snapshot
from harness.snapshot.verify import Verdict, verify_snapshot

__all__ = ["Publication", "Verdict", "load_snapshot", "publish_snapshot", "verify_snapshot"]
