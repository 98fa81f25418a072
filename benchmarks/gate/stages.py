"""What of the bench has run: a stage that came to its end leaves a marker. One that ran under other code, or was asked
for something else, runs again."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.stack import code_digest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What decides a stage's figures besides the training code: the faults, the cells, and how sides take turns.
SOURCES = (
    HERE / "faults.py",
    HERE / "trials.yaml",
    ROOT / "suites/pocket/reference.yaml",
    ROOT / "harness/turns.py",
    ROOT / "harness/gate/rounds.py",
)


@dataclass
class Stages:
    """The stages under ``folder``; with ``judge_only`` what has run is taken as it is, and nothing runs."""

    folder: Path
    judge_only: bool = False
    digest: str = field(default_factory=lambda: bench_digest())
    other_code: list[str] = field(default_factory=list)  # stages that ran under another digest

    def run(self, name: str, asked: Mapping[str, Any], work: Callable[[], None]) -> float:
        """Run ``work`` unless it has been done; returns the seconds that it took. Raises UserError where nothing is to
        run and it has not."""
        marker = self.folder / f"{name}.done"
        told = _read(marker)
        if self.judge_only:
            if told is None:
                raise UserError(f"{self.folder}: {name} has not run; leave out --judge-only")
            if told["digest"] != self.digest:
                self.other_code.append(name)
            return float(told["seconds"])
        wanted = {"digest": self.digest, "asked": dict(asked)}
        if told is not None and {key: told.get(key) for key in wanted} == wanted:
            return float(told["seconds"])
        marker.unlink(missing_ok=True)
        marker.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        work()
        seconds = time.monotonic() - began
        marker.write_text(json.dumps({**wanted, "seconds": seconds}) + "\n")
        return seconds


def bench_digest() -> str:
    """SHA-256 over the code that trains and what else decides a stage's figures."""
    parts = [code_digest(), *(hashlib.sha256(path.read_bytes()).hexdigest() for path in SOURCES)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _read(marker: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(marker.read_text())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and {"digest", "asked", "seconds"} <= told.keys() else None
