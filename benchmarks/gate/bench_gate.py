"""`make bench-gate`: what the gate finds and where it keeps still, by planted faults in real runs and by whole checks
drawn from the noise of real runs. Writes bench-gate.json; exits 1 where a bound is missed.

Real runs first: every cell of `trials.yaml` under each fault and each benign change, each cell judged by itself (a
whole check has more to go by); and checks of one arm against the same with three milliseconds of sleep a step. Then the
reference cells of the embedded suite: twice the same for the rounds; under each benign change, each a whole check but
for memory and speed; and twice with a block rounded to bfloat16, whose training drifts apart as that of a changed
kernel does: from these, whole checks are drawn at the default rounds. What has run is not run again.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.gate import monte_carlo
from benchmarks.gate.pool import Pool
from benchmarks.gate.real import (
    BENIGN,
    FAULTS,
    LOSSES,
    NUMERICS,
    REAL,
    Outcome,
    Variant,
    calls_worse,
    forget,
    judge_cells,
    run_cells,
    run_speed,
    speed_trials,
    trials_session,
)
from benchmarks.gate.stages import Stages
from harness.analysis.gate import Rules, Side, judge
from harness.commands.check import ROUNDS
from harness.errors import UserError
from harness.executors.local import LocalExecutor
from harness.gate.read import read_side
from harness.gate.reference import Reference
from harness.gate.setting import parse_setting
from harness.gate.trial import contenders, run_trial
from harness.progress import clock
from harness.sources import open_source
from harness.stack import git_state, stack_facts

POOL_ROUNDS = 40
SPEED_ROUNDS = 60
DRAWN = 200  # of each planted change
DRAWN_BENIGN = 600
POWER, FALSE_ALARMS = 0.90, 0.03
CHECK_SECONDS = 600
SPEED_STEPS = "measure.steps=32"  # a step of the small base is short
ROUNDED = ("rounds_a_layer", "rounds_another_layer")
OF_REFERENCE = ("status", *NUMERICS, *LOSSES, "score", "forgetting", "matrix_score")


def main() -> int:
    """Run what has not been run yet, judge it, print and write the table; returns 1 where a bound is missed."""
    options = _options()
    console = Console(width=140)
    if options.fresh:
        shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    stages = Stages(options.folder, options.judge_only)
    try:
        outcomes = [] if options.drawn_only else _real(stages, options, console)
        seconds, pool = _pool(stages, options, console)
        outcomes += [] if options.drawn_only else _whole_checks(stages, pool, console)
    except UserError as error:
        console.print(str(error), style="red", markup=False)
        return 2
    outcomes += monte_carlo.power(pool, ROUNDS, options.drawn, 0, console)
    quiet, passes = monte_carlo.false_alarms(pool, ROUNDS, options.drawn_benign, 0, console)
    outcomes.append(quiet)
    missed = _show(outcomes, seconds, console)
    console.print(
        f"of {quiet.trials} drawn checks with nothing planted {passes} pass with nothing open", highlight=False
    )
    _write(outcomes, seconds, passes, stages, options.out)
    for name in stages.other_code:
        console.print(f"{name}: ran under other code than this", style="yellow", highlight=False)
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
    parser.add_argument(
        "--judge-only", action="store_true", help="judge what has run, under whatever code; run nothing"
    )
    parser.add_argument("--drawn-only", action="store_true", help="leave out the trials in real runs")
    return parser.parse_args()


def _real(stages: Stages, options: argparse.Namespace, console: Console) -> list[Outcome]:
    """Every fault and benign change in real runs."""
    with ExitStack() as stack:

        @cache
        def executor() -> LocalExecutor:  # only where something is to run
            session = trials_session(stages.folder / "plain.db", (), "cpu", options.seeds)
            started = stack.enter_context(LocalExecutor("cpu", session.workdir.logs))
            started.warm(None, [], session.tokenizers())
            return started

        plain = _cells("plain", (), stages, options, executor, console)
        outcomes = [
            judge_cells(plain, _cells(variant.slug, variant.settings, stages, options, executor, console), variant)
            for variant in (*FAULTS, *BENIGN)
        ]
        return [_sleeping(stages, options, executor, console), *outcomes]


def _cells(
    name: str,
    settings: tuple[str, ...],
    stages: Stages,
    options: argparse.Namespace,
    executor: Callable[[], LocalExecutor],
    console: Console,
) -> Side:
    """The trials' cells under some settings."""
    db = stages.folder / f"{name}.db"

    def work() -> None:
        console.print(f"real runs: {name}", highlight=False)
        run_cells(trials_session(db, settings, "cpu", options.seeds), db, executor(), console)

    stages.run(name, {"settings": list(settings), "seeds": options.seeds}, work)
    return read_side(open_source(db))


def _sleeping(
    stages: Stages, options: argparse.Namespace, executor: Callable[[], LocalExecutor], console: Console
) -> Outcome:
    name, rounds = "sleeps three milliseconds a step", options.speed_rounds
    dbs = [stages.folder / one for one in ("fast.db", "slow.db")]

    def work() -> None:
        console.print(f"real runs: {name}", highlight=False)
        settings = ((SPEED_STEPS,), (SPEED_STEPS, "kernels.patch=benchmarks.gate.faults:sleeps"))
        sessions = [trials_session(db, one, "cpu") for db, one in zip(dbs, settings, strict=True)]
        run_speed(sessions, dbs, executor(), rounds, console)

    stages.run("speed", {"rounds": rounds, "steps": SPEED_STEPS}, work)
    found = speed_trials(*(read_side(open_source(db)) for db in dbs), ROUNDS, options.drawn)
    return Outcome(name, f"{rounds} real rounds", options.drawn, found, False)


def _pool(stages: Stages, options: argparse.Namespace, console: Console) -> tuple[float, Pool]:
    """The noise of real runs, and how long a check of the reference cells takes at its default rounds."""
    rounds = options.pool_rounds
    seconds = stages.run("rounds", {"rounds": rounds}, lambda: _reference(stages.folder, ["", ""], rounds, console))
    patched = [f"kernels.patch=benchmarks.gate.faults:{name}" for name in ROUNDED]
    folder = stages.folder / "rounded"
    stages.run("rounded", {"patches": list(ROUNDED)}, lambda: _reference(folder, patched, 0, console))
    first, second, *rounded = (
        read_side(open_source(stages.folder / name)) for name in ("a.db", "b.db", "rounded/a.db", "rounded/b.db")
    )
    pool = Pool((first, second), (first, *rounded))
    return seconds * _share_of_a_check(len(pool.measured[0]), first), pool


def _whole_checks(stages: Stages, pool: Pool, console: Console) -> list[Outcome]:
    """Each benign change in a whole check of the reference cells; of the same code again, the pool's other side."""
    outcomes = []
    for variant in BENIGN:
        candidate = _reference_of(variant, stages, console) if variant.settings else pool.rounds[1]
        found = calls_worse(judge(pool.rounds[0], candidate, Rules(), OF_REFERENCE))
        outcomes.append(Outcome(f"{variant.name}: whole check", REAL, 1, int(found), True))
    return outcomes


def _reference_of(variant: Variant, stages: Stages, console: Console) -> Side:
    folder = stages.folder / f"reference-{variant.slug}"
    settings = [" ".join(variant.settings)]
    stages.run(folder.name, {"settings": settings}, lambda: _reference(folder, settings, 0, console))
    return read_side(open_source(folder / "a.db"))


def _reference(folder: Path, settings: list[str], rounds: int, console: Console) -> None:
    """Run the reference cells under each setting, then so many rounds."""
    folder.mkdir(parents=True, exist_ok=True)
    forget(folder / "a.db", folder / "b.db")
    if not run_trial(
        contenders(Reference().found("pocket"), [parse_setting(one) for one in settings], folder), rounds, console
    ):
        raise KeyboardInterrupt


def _share_of_a_check(rounds: int, side: Side) -> float:
    """Of the pool's time, what a check with its default rounds would have taken."""
    ended = side.runs[side.runs["status"] == "ok"]
    whole = ended["wall_seconds"].sum()
    measured = ended.loc[ended["purpose"] == "measure", "wall_seconds"].sum()
    jobs = 2  # quality runs share the machine, measure runs do not
    return float(((whole - measured) / jobs + measured * ROUNDS / rounds) / ((whole - measured) / jobs + measured))


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


def _write(outcomes: list[Outcome], seconds: float, passes: int, stages: Stages, path: Path) -> None:
    commit, dirty = git_state(Path(__file__).resolve().parents[2])
    rows = [{**vars(one), "bound": one.bound} for one in outcomes]
    whole = {"commit": commit, "dirty": dirty, "stack": stack_facts("cpu"), "check_seconds": seconds, "rounds": ROUNDS}
    whole |= {"passes_with_nothing_planted": passes, "ran_under_other_code": stages.other_code, "outcomes": rows}
    path.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
