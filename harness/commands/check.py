"""`tunematrix check`: two sides read or run, judged, printed and written down."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from harness.commands.console import console_for_people
from harness.errors import UserError
from harness.gate.reference import Reference

if TYPE_CHECKING:
    from harness.analysis.gate import Side

INTERRUPTED = 130
ROUNDS = 14  # what a slowdown of 3 % takes where the mean of four arms varies by as much a round: `make bench-gate`
WAYS = "--baseline with --candidate or --run, or --ab A B"


@dataclass(frozen=True)
class CheckRequest:
    """What the user asks of a check, as the command line gives it."""

    reference: Reference
    baseline: Path | None = None
    candidate: Path | None = None
    run: bool = False
    ab: tuple[str, str] | None = None
    rounds: int | None = None
    rules: Path | None = None
    quantities: str | None = None
    allow: tuple[str, ...] = ()
    other_hardware: bool = False
    every: bool = False
    keep: Path | None = None
    outputs: dict[str, Path | None] | None = None


def run_check(request: CheckRequest) -> int:
    """Returns the exit code: 0 pass, 1 regressed, 3 open, 130 interrupted. Raises UserError for wrong use."""
    from harness.analysis.gate import OPEN, QUANTITIES, exit_code, judge
    from harness.gate.outputs import Check, print_check, write_check
    from harness.gate.rules import load_rules

    _refuse_mixed_ways(request)
    rules = load_rules(request.rules)
    quantities = _names(request.quantities, QUANTITIES, "--quantities")
    allowed = [name for one in request.allow for name in _names(one, (*OPEN, *QUANTITIES), "--allow")]
    console = console_for_people()
    with _sides(request, console) as sides:
        if sides is None:
            console.print("interrupted: nothing was judged")
            return INTERRUPTED
        baseline, candidate, left_out = sides
        findings = judge(baseline, candidate, rules, quantities, request.other_hardware)
        check = Check(baseline, candidate, findings, exit_code(findings, allowed), left_out)
        print_check(check, console, request.every)
        for form, path in (request.outputs or {}).items():
            if path is not None:
                write_check(check, form, path)
    return check.code


@contextmanager
def _sides(request: CheckRequest, console: Console) -> Iterator["tuple[Side, Side, int] | None"]:
    """Baseline, candidate, and how many recipes of the baseline were not to run; None where the user stopped what had
    to run first."""
    from harness.analysis.gate.side import only_recipes
    from harness.gate.read import read_side
    from harness.sources import open_source

    suite = request.reference.suite if request.run else None
    baseline = read_side(open_source(request.baseline), suite) if request.baseline else None
    if baseline is not None and request.candidate is not None:
        yield baseline, read_side(open_source(request.candidate), baseline.suite), 0
        return
    texts = list(request.ab) if request.ab else [""]
    with _folder(request.keep) as folder:
        if not _run(request, texts, baseline.suite if baseline else "pocket", folder, console):
            yield None
            return
        *first, candidate = _read(folder, texts)
        if baseline is None:
            yield first[0], candidate, 0
            return
        kept, left_out = only_recipes(baseline, set(candidate.runs["recipe_id"]))
        yield kept, candidate, left_out


def _run(request: CheckRequest, texts: list[str], suite: str, folder: Path, console: Console) -> bool:
    from harness.gate.setting import parse_setting
    from harness.gate.trial import contenders, run_trial

    reference = request.reference.measured_as(suite) if request.run else request.reference
    sides = contenders(reference.found(suite), [parse_setting(text) for text in texts], folder)
    return run_trial(sides, request.rounds or (ROUNDS if request.ab else 1), console)  # alone, none is in turn


def _read(folder: Path, texts: list[str]) -> "list[Side]":
    from dataclasses import replace

    from harness.gate.read import read_side
    from harness.sources import open_source

    sides = [read_side(open_source(folder / f"{letter}.db")) for letter in "ab"[: len(texts)]]
    named = zip(sides, texts, strict=True)
    return [replace(side, name=text or "now, as the matrix says") for side, text in named]


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where the sides' results go: a folder of the user's, which must not hold any, or one that is removed."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="tunematrix-check-") as folder:
            yield Path(folder)
        return
    if (keep / "a.db").exists():
        raise UserError(f"--keep {keep}: holds a check's results already; name another folder")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


def _refuse_mixed_ways(request: CheckRequest) -> None:
    ways = [request.candidate is not None, request.run, request.ab is not None]
    if sum(ways) != 1 or (request.ab is None) != (request.baseline is not None):
        raise UserError(f"check: what against what? Give {WAYS}")


def _names(text: str | None, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    """What a comma-separated option names: ``matrix-score`` is matrix_score, ``not-measured`` is not measured."""
    if text is None:
        return known
    by_word = {_word(name): name for name in known}
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if _word(name) not in by_word:
            raise UserError(f"{option} {text}: there is no {name!r}; there are {', '.join(known)}")
    return tuple(by_word[_word(name)] for name in names)


def _word(name: str) -> str:
    return name.replace("_", "-").replace(" ", "-")
