"""`make gpu-matrix`: the cost suite on a GPU, the most telling cells first, for so many seconds.

Every cell is stored when it ends, so that several short visits to a GPU add up: the same command goes on. Which cells,
and in which order: suites/cost/gpu. `--device cpu` takes the suite's small shapes, to see that all of it works.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from harness.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
SUITE = ROOT / "suites" / "cost"
LEAST_SECONDS = 30.0  # to start the libraries and run a cell


def queue(device: str) -> list[Path]:
    """Matrix files in order of value."""
    return [SUITE / "matrix.yaml"] if device == "cpu" else sorted((SUITE / "gpu").glob("*.yaml"))


def check(device: str) -> list[str]:
    """What is skipped on this machine; raises UserError where nothing can be measured on it."""
    if device == "cpu":
        return []
    import pynvml
    import torch

    from harness.gpu import missing_libraries, refuse_unfit_gpu

    refuse_unfit_gpu(pynvml, torch.version.cuda)
    return missing_libraries()


def command(file: Path, db: Path, device: str, seconds: float) -> list[str]:
    """Runs what of ``file`` is not done yet, for so long."""
    words = ("run", str(file), "--db", str(db), "--device", device, "--jobs", "1", "--for", f"{seconds:.0f}")
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
    for file in queue(asked.device):
        left = ends - time.monotonic()
        if left < LEAST_SECONDS:
            break
        print(f"{file.relative_to(ROOT)}: {left:.0f} s left", flush=True)
        codes.append(subprocess.run(command(file, asked.db, asked.device, left), cwd=ROOT, check=False).returncode)
        if codes[-1] not in (0, 1):
            return codes[-1]
    if asked.db.exists():
        subprocess.run([sys.executable, "-m", "harness.cli", "predict", "--score", "--db", str(asked.db)], check=False)
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
