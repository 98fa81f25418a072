"""Lay out the suite and pretrain its bases: `python -m suites.pocket_large.pretrain --device cuda --seconds 300`.

A process of its own, so that nothing of it is left on the device when the matrix is measured there. Exit code 0: all is
there; 1: a base is unfit; 3: time is up, and the same command goes on from the last checkpoint.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from suites.pocket.pretraining import Machine
from suites.pocket_large.bases import REAL, REHEARSAL, TIME_IS_UP
from suites.pocket_large.make import UnfitBase, is_made, make_base, make_suite

MOST_WORKERS = 12


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".tunematrix") / "pocket_large", help="where it all goes")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="how long")
    parser.add_argument("--bases", metavar="NAME,...", help="these alone; the matrix has them and what is there")
    parser.add_argument("--rehearsal", action="store_true", help="the small world and its bases")
    parser.add_argument("--accept", action="store_true", help="take bases that know less than they should")
    asked = parser.parse_args()
    ends, question = time.monotonic() + asked.seconds, REHEARSAL if asked.rehearsal else REAL
    workers = max(0, min(MOST_WORKERS, len(os.sched_getaffinity(0)) - 2)) if asked.device == "cuda" else 0
    machine = Machine(asked.device, workers)
    asked.folder.mkdir(parents=True, exist_ok=True)
    names = asked.bases.split(",") if asked.bases else [recipe.name for recipe in question.recipes]
    recipes = [one for one in question.recipes if one.name in names or is_made(question, one, asked.folder)]
    make_suite(question, asked.folder, [recipe.name for recipe in recipes])
    try:
        for recipe in recipes:
            if not make_base(question, recipe, asked.folder, machine, ends - time.monotonic(), accept=asked.accept):
                return TIME_IS_UP
    except UnfitBase as error:
        print(f"gpu-pocket: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
