"""`make bench-analysis`: what reads results has to answer at once, however many there are.

A results file of 10,000 runs with 1,000 items each is made (10 bases, 20 arms on each, 5 rates, 10 seeds), and each
command is run over it in a process of its own, pinned to one core, a few rounds: the median of the wall time, imports
included, and the highest resident memory. Two files are compared with 10,000 runs in both together, and, without a
bound, with 10,000 in each. Exits with 1 where a bound is missed. On a busy machine wall time says little: what of it
was computing is shown beside it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.many_runs import Size, make_many_runs

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 3.0
GIGABYTES = 2.0
SETTINGS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "120"}


@dataclass(frozen=True)
class Case:
    """A command line over the files (``{db}``, ``{half}``, and a ``_copy`` of each), and the exit codes that are right.

    ``bounded``: it reads 10,000 runs in all, and has to keep to the bounds.
    """

    name: str
    words: tuple[str, ...]
    exits: tuple[int, ...] = (0,)
    bounded: bool = True


CASES = (
    Case("report", ("report", "--db", "{db}")),
    Case("compare two arms", ("compare", "full_sft-00 · base-00", "lora-01 r=1 · base-00", "--db", "{db}")),
    Case("compare two files of half the runs", ("compare", "{half}", "{half_copy}")),
    Case("check two files of half the runs", ("check", "--baseline", "{half}", "--candidate", "{half_copy}"), (0, 3)),
    Case("compare two files of all the runs", ("compare", "{db}", "{db_copy}"), bounded=False),
)


@dataclass(frozen=True)
class Taken:
    """One round of a case."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(words: Sequence[str], core: int, exits: Sequence[int] = (0,)) -> Taken:
    """Run `tunematrix` with these words on one core; raises RuntimeError with its output where it fails."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import os; os.sched_setaffinity(0, {{{core}}}); import harness.cli as c; c.main()",
                *words,
            ],
            cwd=ROOT,
            env={**os.environ, **SETTINGS},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in exits:
            output.seek(0)
            raise RuntimeError(f"tunematrix {' '.join(words)}: {output.read().decode(errors='replace')[-2000:]}")
    return Taken(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def make_files(folder: Path, size: Size) -> dict[str, Path]:
    """The files that the cases name, made in ``folder``: one of ``size``, one of half its bases, and a copy of each."""
    files = {name: folder / f"{name}.db" for name in ("db", "half", "db_copy", "half_copy")}
    make_many_runs(files["db"], size)
    make_many_runs(files["half"], replace(size, bases=size.bases // 2))
    for name in ("db", "half"):
        shutil.copy(files[name], files[f"{name}_copy"])
    return files


def run(folder: Path, size: Size, rounds: int, console: Console) -> bool:
    """Make the files in ``folder``, time every case and print the table; returns whether every bound was met."""
    begun = time.perf_counter()
    files = make_files(folder, size)
    console.print(f"{size.runs:,} runs of {size.items:,} items, made in {time.perf_counter() - begun:.0f} s")
    core = min(os.sched_getaffinity(0))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column in (
        "command",
        f"seconds (under {SECONDS:g})",
        "of them computing",
        f"peak GB (under {GIGABYTES:g})",
        "met",
    ):
        table.add_column(column, justify="left" if column == "command" else "right")
    met = []
    for case in CASES:
        words = [word.format_map(files) for word in case.words]
        taken = [measure(words, core, case.exits) for _ in range(rounds)]
        seconds = median(one.wall_seconds for one in taken)
        gigabytes = max(one.peak_bytes for one in taken) / 1e9
        kept = seconds < SECONDS and gigabytes < GIGABYTES
        met += [kept] if case.bounded else []
        said = ("yes" if kept else "no") if case.bounded else "no bound"
        computing = median(one.cpu_seconds for one in taken)
        table.add_row(case.name, f"{seconds:.2f}", f"{computing:.2f}", f"{gigabytes:.2f}", said)
    console.print(table)
    return all(met)


def main() -> None:
    """Parse, run, exit with 1 where a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="tunematrix-bench-") as folder:
        sys.exit(0 if run(Path(folder), Size(), rounds, Console()) else 1)


if __name__ == "__main__":
    main()
