"""`make gpu-matrix`: the cost suite on a GPU, the most telling cells first, for so many seconds.

Every cell is stored when it ends, so that several short visits to a GPU add up: the same command goes on. Which cells,
and in which order: suites/cost/gpu; `--files` and `--only` choose among them. `--device cpu` takes the suite's small
shapes, to see that all of it works.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.arms import is_named
from harness.errors import UserError
from harness.matrix import load_matrix
from harness.stack import device_memory_bytes
from harness.units import parse_size
from scripts.arguments import Options, place, seconds
from suites.cost.gpu import visits

ROOT = Path(__file__).resolve().parents[1]
SUITE = ROOT / "suites" / "cost"
LEAST_SECONDS = 30.0  # to start the libraries and run a cell
SMALL = ("--only", "base=small-llama,label=full_sft|lora|qlora")
ON_A_CPU = (("run",), ("run", "--vram", "180MB", *SMALL), ("largest-batch", "--vram", "300MB", *SMALL))


@dataclass(frozen=True)
class Visit:
    """A matrix file, and the command that goes through it with its options."""

    file: Path
    words: tuple[str, ...]

    @property
    def number(self) -> str:
        """What ``--files`` calls the file."""
        return self.file.stem.partition("-")[0]

    @property
    def limit(self) -> str | None:
        """The memory that it holds runs to, if it does."""
        return self.words[self.words.index("--vram") + 1] if "--vram" in self.words else None

    def __str__(self) -> str:
        return f"{' '.join(self.words)} {self.file.relative_to(ROOT)}"


def queue(device: str) -> list[Visit]:
    """What is measured, in order of value."""
    if device == "cpu":
        return [Visit(SUITE / "matrix.yaml", words) for words in ON_A_CPU]
    files = sorted((SUITE / "gpu").glob("*.yaml"))
    return [Visit(file, words) for file in files for words in visits(file.stem)]


def chosen(every: Sequence[Visit], files: str | None, only: str | None, more: Sequence[str] = ()) -> list[Visit]:
    """Those of the files with these numbers (``1,3``) that have cells which ``only`` names; each gets ``more`` words
    too. Raises UserError for a number that there is not, and where nothing is left."""
    wanted = picked("--files", files, list(dict.fromkeys(visit.number for visit in every)))
    left = [visit for visit in every if visit.number in wanted and _has(visit.file, only)]
    if not left:
        raise UserError(f"--only {only}: nothing matches in file {', '.join(wanted)}")
    words = (*(("--only", only) if only else ()), *more)
    return [replace(visit, words=(*visit.words, *words)) for visit in left]


def picked(option: str, given: str | None, known: Sequence[str]) -> Sequence[str]:
    """The names that an option gives (``1,3``), those known where it is not given. Raises UserError for another."""
    wanted = [name.strip() for name in given.split(",")] if given else known
    if unknown := [name for name in wanted if name not in known]:
        raise UserError(f"{option} {given}: there is no {unknown[0]!r} (known: {', '.join(known)})")
    return wanted


def _has(file: Path, only: str | None) -> bool:
    return only is None or any(is_named(variant, only) for variant in load_matrix(file).variants)


def fits(visit: Visit, device: str) -> bool:
    """Has the device as much memory as runs are to be held to?"""
    return visit.limit is None or parse_size("--vram", visit.limit) <= device_memory_bytes(device)


def check(device: str) -> list[str]:
    """What is skipped on this machine; raises UserError where nothing can be measured on it."""
    if device == "cpu":
        return []
    from harness.gpu import missing_libraries, refuse_unfit

    refuse_unfit()
    return missing_libraries()


def command(visit: Visit, db: Path, device: str, seconds: float, jobs: int = 1) -> list[str]:
    """Runs what of ``visit`` is not done yet, for so long, so many cells at a time."""
    verb, *options = visit.words
    at_once = ("--jobs", str(jobs)) if verb == "run" else ()
    words = (verb, str(visit.file), *options, "--db", str(db), "--device", device, *at_once, "--for", f"{seconds:.0f}")
    return [sys.executable, "-m", "harness.cli", *words]


def main() -> int:
    """Exit code 0: all that is left went well or time is up; 1: some cells failed, which is a result; 2: wrong use."""
    asked = _parsed()
    more = ("--retry-failed",) if asked.retry_failed else ()
    try:
        todo = chosen(queue(asked.device), asked.files, asked.only, more)
        for line in check(asked.device):
            print(line)
    except UserError as error:
        print(f"gpu-matrix: {error}", file=sys.stderr)
        return 2
    ends, codes = time.monotonic() + asked.budget, []
    for visit in todo:
        if not fits(visit, asked.device):
            print(f"{visit}: left out, since this device has less")
            continue
        left = ends - time.monotonic()
        if left < LEAST_SECONDS:
            break
        print(f"{visit}: {left:.0f} s left", flush=True)
        codes.append(subprocess.run(command(visit, asked.db, asked.device, left), cwd=ROOT, check=False).returncode)
        if codes[-1] not in (0, 1):
            return codes[-1]
    if asked.db.exists() and time.monotonic() < ends:
        score = [sys.executable, "-m", "harness.cli", "predict", "--score", "--db", str(asked.db)]
        subprocess.run(score, cwd=ROOT, check=False)
    return max(codes, default=0)


def _parsed() -> argparse.Namespace:
    parser = Options("gpu-matrix", description=__doc__)
    parser.add_argument("--db", type=place, default="gpu.db", help="the results file")
    parser.add_argument("--budget", type=seconds, default=540.0, metavar="SECONDS", help="how long (540)")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--files", metavar="NUMBER,...", help="of suites/cost/gpu these alone: 1,3")
    parser.add_argument(
        "--only", metavar="KEY=VALUE,...", help="these cells alone: base=llama-3.2-3b,method=lora|qlora"
    )
    parser.add_argument("--retry-failed", action="store_true", help="run cells again that failed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
