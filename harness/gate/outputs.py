"""A check's verdicts for people and for programs: a table, JSON, JUnit XML, Markdown for a pull request."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.gate import OPEN, Finding, Side
from harness.analysis.gate.side import differences
from harness.report import words
from harness.report.files import escaped

CHECK_VERSION = 1
COLOURS = {"pass": "green", "improved": "cyan", "new": "cyan", "regressed": "bold red"}
ORDER = ("regressed", "missing", "inconclusive", "not measured", "improved", "new", "pass")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
MEANING = {0: "pass", 1: "regressed", 3: "open: inconclusive, not measured or missing"}


@dataclass(frozen=True)
class Check:
    """What was held against what, what came of it, and the exit code; ``left_out`` says how many recipes of the
    baseline were not to run."""

    baseline: Side
    candidate: Side
    findings: Sequence[Finding]
    code: int
    left_out: int = 0

    @property
    def about(self) -> list[str]:
        """What differs between the two sides, a line each."""
        said = differences(self.baseline, self.candidate) or ["nothing: the same recipe, execution and stack"]
        left = f"{self.left_out} other recipes of the baseline are left out: they are not among the cells that ran"
        return [*said, *([left] if self.left_out else [])]

    @property
    def counts(self) -> str:
        """``1 regressed, 40 pass``."""
        counted: Counter[str] = Counter(found.verdict for found in self.findings)
        return ", ".join(f"{counted[verdict]} {verdict}" for verdict in ORDER if counted[verdict])

    @property
    def headline(self) -> str:
        """The whole check in a line."""
        return f"{MEANING[self.code]} · {self.counts}"


def print_check(check: Check, console: Console, every: bool = False) -> None:
    """Print the verdicts, those that pass only as a count for each quantity unless ``every`` is set."""
    console.print(Text(f"{words.text(check.baseline.name)} -> {words.text(check.candidate.name)}", style="bold"))
    for line in check.about:
        console.print(Text(f"  {words.text(line)}", style="dim"))
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for header in ("verdict", "quantity", "where", "change [95 %]", "limit", "why"):
        table.add_column(header, overflow="fold", justify="right" if header in ("change [95 %]", "limit") else "left")
    for found in shown(check.findings, every):
        cells = (found.quantity, place(found), change(found), limit(found), words.text(found.why))
        table.add_row(Text(found.verdict, style=COLOURS.get(found.verdict, "yellow")), *map(Text, cells))
    if table.row_count:
        console.print(table)
    if not every:
        console.print(Text(passes(check.findings), style="dim"))
    console.print(Text(check.headline, style=COLOURS["regressed"] if check.code == 1 else "bold"))


def shown(findings: Sequence[Finding], every: bool) -> list[Finding]:
    """The findings that a reader must see, the worst first: all but passes, of which the matrix' own stay. What is open
    for the same reason in several arms is one row, with the range of the numbers in it."""
    if every:
        return sorted(findings, key=lambda found: ORDER.index(found.verdict))
    kept = [f for f in findings if f.verdict != "pass" or f.quantity.startswith("matrix_")]
    return sorted(_grouped(kept), key=lambda found: ORDER.index(found.verdict))


def _grouped(findings: Sequence[Finding]) -> Iterator[Finding]:
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for number, found in enumerate(findings):
        reason = NUMBER.sub("#", found.why)
        own = (found.quantity, found.verdict, reason) if found.verdict in OPEN else (str(number),)
        alike.setdefault(own, []).append(found)
    for several in alike.values():
        first, why = several[0], _ranged([found.why for found in several])
        yield first if len(several) == 1 else Finding(first.quantity, f"{len(several)} arms", first.verdict, why=why)


def _ranged(reasons: Sequence[str]) -> str:
    """Sentences that differ in their numbers alone, as one: ``1.5 to 4.0`` where one says 1.5 and another 4.0."""
    ends = [sorted(set(same_place), key=float) for same_place in zip(*map(NUMBER.findall, reasons), strict=True)]
    said = iter(f"{one[0]} to {one[-1]}" if len(one) > 1 else one[0] for one in ends)
    return NUMBER.sub(lambda _: next(said), reasons[0])


def passes(findings: Sequence[Finding]) -> str:
    """How many findings of each quantity pass."""
    counted = Counter(found.quantity for found in findings if found.verdict == "pass")
    return "pass: " + (", ".join(f"{quantity} {n}" for quantity, n in counted.items()) or "nothing")


def as_json(check: Check) -> str:
    """Everything, as one JSON object."""
    sides = {
        name: {"name": side.name, "suite": side.suite, "stack_id": side.stack_id, "facts": dict(side.facts)}
        for name, side in (("baseline", check.baseline), ("candidate", check.candidate))
    }
    findings = [asdict(found) for found in check.findings]
    whole = {"version": CHECK_VERSION, "exit_code": check.code, **sides, "differences": check.about}
    whole["recipes_left_out"] = check.left_out
    return json.dumps({**whole, "findings": findings}, indent=1, allow_nan=False) + "\n"


def as_junit(check: Check) -> str:
    """A test case a finding: regressed is a failure, what is open an error."""
    suite = ElementTree.Element("testsuite", name="tunematrix check", tests=str(len(check.findings)))
    for found in check.findings:
        name = " ".join(part for part in (words.text(found.where), words.text(found.detail or "")) if part != "-")
        case = ElementTree.SubElement(suite, "testcase", classname=found.quantity, name=name)
        message = words.text(f"{found.verdict}: {change(found)} (limit {limit(found)}): {found.why}")
        if found.verdict == "regressed":
            ElementTree.SubElement(case, "failure", message=message)
        elif found.verdict in OPEN:
            ElementTree.SubElement(case, "error", message=message)
    for kind, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(kind, str(len(suite.findall(f"./testcase/{tag}"))))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_markdown(check: Check) -> str:
    """A summary that fits a pull request."""
    icon = {0: "✅", 1: "❌", 3: "⚠️"}[check.code]
    lines = [f"### {icon} tunematrix check: {check.headline}", ""]
    names = [escaped(words.text(side.name)) for side in (check.baseline, check.candidate)]
    lines += [" → ".join(names), ""]
    lines += [f"- {escaped(words.text(line))}" for line in check.about]
    lines += ["", "| verdict | quantity | where | change | limit | why |", "|---|---|---|--:|--:|---|"]
    for found in shown(check.findings, every=False):
        cells = (found.verdict, found.quantity, place(found), change(found), limit(found), words.text(found.why))
        lines.append("| " + " | ".join(map(escaped, cells)) + " |")
    return "\n".join([*lines, "", escaped(passes(check.findings)), ""])


def write_check(check: Check, form: str, path: Path) -> None:
    """Write ``json``, ``junit`` or ``markdown`` to ``path``."""
    render = {"json": as_json, "junit": as_junit, "markdown": as_markdown}[form]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(check), encoding="utf-8")


def place(found: Finding) -> str:
    """The arm, with what in it."""
    return words.text(f"{found.where}: {found.detail}" if found.detail else found.where)


def change(found: Finding) -> str:
    """The change with its interval, in the quantity's unit."""
    if found.change is None:
        return words.MISSING
    own = _figure(found, found.change)
    if found.low is None or found.high is None:
        return own
    return f"{own} [{_figure(found, found.low)}, {_figure(found, found.high)}]"


def limit(found: Finding) -> str:
    """What the change was held against."""
    if found.limit is None:
        return words.MISSING
    return f"{found.limit:.2g}" if found.unit == "deviation" else _figure(found, found.limit).lstrip("+")


def _figure(found: Finding, value: float) -> str:
    if found.unit == "deviation":
        return f"{value:.1e}"
    unit = {"points": "", "share": " %"}.get(found.unit, "")
    return f"{100 * value + 0.0:+.2f}{unit}"
