"""`make gpu-matrix`: the cost suite on a GPU, the most telling cells first, for so many seconds.

Every cell is stored when it ends, so that several short visits to a GPU add up: the same command goes on. Which cells,
and in which order: suites/cost/gpu. `--device cpu` takes the suite's small shapes, to see that all of it works.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.stack import device_memory_bytes
from harness.units import parse_size
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


def fits(visit: Visit, device: str) -> bool:
    """Has the device as much memory as runs are to be held to?"""
    return visit.limit is None or parse_size("--vram", visit.limit) <= device_memory_bytes(device)


def check(device: str) -> list[str]:
    """What is skipped on this machine; raises UserError where nothing can be measured on it."""
    if device == "cpu":
        return []
    import pynvml
    import torch

    from harness.gpu import missing_libraries, refuse_unfit_gpu

    refuse_unfit_gpu(pynvml, torch.version.cuda)
    return missing_libraries()


def command(visit: Visit, db: Path, device: str, seconds: float) -> list[str]:
    """Runs what of ``visit`` is not done yet, for so long, a cell at a time."""
    verb, *options = visit.words
    alone = ("--jobs", "1") if verb == "run" else ()
    words = (verb, str(visit.file), *options, "--db", str(db), "--device", device, *alone, "--for", f"{seconds:.0f}")
    return [sys.executable, "-m", "harness.cli", *words]


def main() -> int:
    """Exit code 0: all that is left went well or time is up; 1: some cells failed, which is a result; 2: wrong use."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, default=Path("gpu.db"), help="the results file")
    parser.add_argument("--budget", type=float, default=540.0, metavar="SECONDS", help="how long (540)")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    asked = parser.parse_args()
    try:
        for line in check(asked.device):
            print(line)
    except UserError as error:
        print(f"gpu-matrix: {error}", file=sys.stderr)
        return 2
    ends, codes = time.monotonic() + asked.budget, []
    for visit in queue(asked.device):
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


if __name__ == "__main__":
    sys.exit(main())
