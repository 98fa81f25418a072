"""`make bench-gate`: what the gate finds and where it keeps still, by planted faults in real runs and by whole checks
drawn from the noise of real runs. Writes bench-gate.json; exits 1 where a bound is missed.

Real runs first: every cell of `trials.yaml` under each fault and each benign change, each cell judged by itself (a
whole check has more to go by); and checks of one arm against the same with a millisecond of sleep a step. Then the
reference cells of the embedded suite, twice the same for the rounds, and twice with a block rounded to bfloat16, whose
training drifts apart as that of a changed kernel does: from these, whole checks are drawn at the default rounds.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.gate import monte_carlo
from benchmarks.gate.pool import Pool
from benchmarks.gate.real import (
    BENIGN,
    FAULTS,
    Outcome,
    judge_cells,
    run_cells,
    speed_sides,
    speed_trials,
    trials_session,
)
from harness.executors.local import LocalExecutor
from harness.gate.read import read_side
from harness.gate.setting import parse_setting
from harness.gate.trial import Reference, contenders, run_trial
from harness.progress import clock
from harness.sources import open_source
from harness.stack import git_state, stack_facts

ROUNDS = 10  # a check's default
POOL_ROUNDS = 20
SPEED_ROUNDS = 40
DRAWN = 100  # of each planted change
DRAWN_BENIGN = 600
POWER, FALSE_ALARMS = 0.90, 0.03
CHECK_SECONDS = 600
ROUNDED = ("rounds_a_layer", "rounds_another_layer")


def main() -> int:
    options = _options()
    console = Console(width=140)
    folder = options.folder
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = [] if options.drawn_only else _real(folder, options, console)
    seconds, pool = _pool(folder, options, console)
    outcomes += monte_carlo.power(pool, ROUNDS, options.drawn, 0, console)
    outcomes.append(monte_carlo.false_alarms(pool, ROUNDS, options.drawn_benign, 0, console))
    missed = _show(outcomes, seconds, console)
    _write(outcomes, seconds, options.out)
    for line in missed:
        console.print(f"missed: {line}", style="red", highlight=False)
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".tunematrix/bench-gate"))
    parser.add_argument("--out", type=Path, default=Path("bench-gate.json"))
    parser.add_argument("--seeds", type=int, default=8, help="of each of four methods in the trials of real runs")
    parser.add_argument("--speed-rounds", type=int, default=SPEED_ROUNDS)
    parser.add_argument("--pool-rounds", type=int, default=POOL_ROUNDS)
    parser.add_argument("--drawn", type=int, default=DRAWN)
    parser.add_argument("--drawn-benign", type=int, default=DRAWN_BENIGN)
    parser.add_argument("--fresh", action="store_true", help="forget what a bench that was stopped has finished")
    parser.add_argument("--drawn-only", action="store_true", help="leave out the trials in real runs")
    return parser.parse_args()


def _real(folder: Path, options: argparse.Namespace, console: Console) -> list[Outcome]:
    """Every fault and benign change in real runs."""
    plain = trials_session(folder / "plain.db", (), "cpu", options.seeds)
    outcomes = []
    with LocalExecutor("cpu", plain.workdir.logs) as executor:
        executor.warm(None, [], plain.tokenizers())
        console.print("real runs: as the matrix says", highlight=False)
        run_cells(plain, folder / "plain.db", executor, console)
        for number, variant in enumerate((*FAULTS, *BENIGN)):
            console.print(f"real runs: {variant.name}", highlight=False)
            db = folder / f"variant-{number}.db"
            run_cells(trials_session(db, variant.settings, "cpu", options.seeds), db, executor, console)
            outcomes.append(judge_cells(folder / "plain.db", db, variant))
        console.print("real runs: sleeps a millisecond a step", highlight=False)
        more = ("measure.steps=32",)
        slow = trials_session(folder / "slow.db", (*more, "kernels.patch=benchmarks.gate.faults:sleeps"), "cpu")
        plain = trials_session(folder / "fast.db", more, "cpu")
        for name in ("fast.db", "slow.db"):
            (folder / name).unlink(missing_ok=True)
        dbs = (folder / "fast.db", folder / "slow.db")
        sides = speed_sides(plain, slow, dbs, executor, options.speed_rounds, console)
    found = speed_trials(*sides, ROUNDS, options.drawn)
    sleeping = Outcome(
        "sleeps a millisecond a step", f"{options.speed_rounds} real rounds", options.drawn, found, False
    )
    return [sleeping, *outcomes]


def _pool(folder: Path, options: argparse.Namespace, console: Console) -> tuple[float, Pool]:
    """The noise of real runs, and how long a check of the reference cells takes at its default rounds."""
    for name in ("a", "b", "rounded/a", "rounded/b"):
        (folder / f"{name}.db").unlink(missing_ok=True)
    began = time.monotonic()
    twice = contenders(Reference().found("pocket"), [parse_setting("")] * 2, folder)
    run_trial(twice, options.pool_rounds, console)
    seconds = time.monotonic() - began
    settings = [parse_setting(f"kernels.patch=benchmarks.gate.faults:{name}") for name in ROUNDED]
    (folder / "rounded").mkdir(exist_ok=True)
    run_trial(contenders(Reference().found("pocket"), settings, folder / "rounded"), 0, console)
    sides = [read_side(open_source(folder / name)) for name in ("a.db", "b.db", "rounded/a.db", "rounded/b.db")]
    return seconds * _share_of_a_check(options.pool_rounds, sides[0]), Pool(
        (sides[0], sides[1]), (sides[0], *sides[2:])
    )


def _share_of_a_check(rounds: int, side) -> float:
    """Of the pool's time, what a check with its default rounds would have taken."""
    ended = side.runs[side.runs["status"] == "ok"]
    whole = ended["wall_seconds"].sum()
    measured = ended.loc[ended["purpose"] == "measure", "wall_seconds"].sum()
    jobs = 2  # quality runs share the machine, measure runs do not
    return ((whole - measured) / jobs + measured * ROUNDS / rounds) / ((whole - measured) / jobs + measured)


def _show(outcomes: list[Outcome], seconds: float, console: Console) -> list[str]:
    """Print the table; returns the bounds that were missed."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for header in ("planted", "by", "trials", "called worse", "95 % bound", "wanted", ""):
        table.add_column(header, justify="left" if header in ("planted", "by", "") else "right")
    missed = []
    for one in outcomes:
        wanted = FALSE_ALARMS if one.benign else POWER
        met = _met(one, outcomes)
        bound = f"<= {one.bound:.3f}" if one.benign else f">= {one.bound:.3f}"
        target = f"<= {wanted}" if one.benign else f">= {wanted}"
        table.add_row(one.name, one.kind, str(one.trials), str(one.found), bound, target, "met" if met else "missed")
        missed += [] if met else [f"{one.name}: {bound}, wanted {target}"]
    console.print(table)
    console.print(f"a check of the reference cells at {ROUNDS} rounds: about {clock(seconds)}", highlight=False)
    if seconds > CHECK_SECONDS:
        missed.append(f"a check takes {clock(seconds)}, wanted {clock(CHECK_SECONDS)}")
    return missed


def _met(one: Outcome, outcomes: list[Outcome]) -> bool:
    """A benign change of real runs counts with all the others: they are trials of one rate, that of false alarms."""
    if not one.benign:
        return one.bound >= POWER
    if one.kind == "Monte Carlo":
        return one.bound <= FALSE_ALARMS
    alike = [other for other in outcomes if other.benign and other.kind == one.kind]
    whole = Outcome("", one.kind, sum(o.trials for o in alike), sum(o.found for o in alike), benign=True)
    return one.found == 0 and whole.bound <= FALSE_ALARMS


def _write(outcomes: list[Outcome], seconds: float, path: Path) -> None:
    commit, dirty = git_state(Path(__file__).resolve().parents[2])
    rows = [{**vars(one), "bound": one.bound} for one in outcomes]
    whole = {"commit": commit, "dirty": dirty, "stack": stack_facts("cpu"), "check_seconds": seconds, "outcomes": rows}
    path.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
