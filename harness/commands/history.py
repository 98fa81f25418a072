"""`tunematrix history`: an arm's figure over time, and where it stepped."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from harness.analysis.steps import FEWEST_VALUES, Step
from harness.commands.console import console_for_people
from harness.history import History, Point, histories
from harness.report import words

SHOWN_ID = 10
RATIOS = ("perplexity_ratio", "relative_speed")
RATIO_SCALE = ("_bytes", "_seconds", "_per_second", "_with_sft")
PLAIN = ("rank", "seeds", "place", "chosen_rate")


def show_history(metric: str, arms: Sequence[str], sources: Sequence[Path]) -> None:
    """Print each arm's points in order of time, its steps, and what changed at them."""
    console = console_for_people()
    for history in histories(metric, arms, sources):
        console.print(Text(f"{metric} of {words.text(history.arm.full_name)}", style="bold"))
        if history.points:
            console.print(_table(history))
        for line in _lines(history):
            console.print(Text(line))


def _table(history: History) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column in ("run", "source", "suite", "stack"):
        table.add_column(column)
    table.add_column("value [95 %]", justify="right")
    table.add_column("")
    steps = {step.index: step for step in history.steps}
    for n, point in enumerate(history.points):
        about = [point.when[:16].replace("T", " "), point.source, point.suite, point.stack_id[:SHOWN_ID]]
        figures = [_with_interval(history.metric, point), _arrow(steps.get(n))]
        table.add_row(*(Text(words.text(text)) for text in [*about, *figures]))
    return table


def _lines(history: History) -> list[str]:
    lines = [_step(history, step) for step in history.steps]
    if not history.points:
        lines.append("not measured in any run of these sources")
    elif len(history.points) < FEWEST_VALUES:
        lines.append(f"too short to tell a step from noise: {len(history.points)} of {FEWEST_VALUES} runs at least")
    elif not lines:
        lines.append("no step beyond the noise")
    if history.left_out:
        lines.append(
            f"left out: {history.left_out} measured another way than the newest ({history.points[-1].measure})"
        )
    return lines


def _step(history: History, step: Step) -> str:
    before, after = history.points[step.index - 1], history.points[step.index]
    levels = f"{figure(history.metric, step.before)} to {figure(history.metric, step.after)}"
    where = f"between stack {before.stack_id[:SHOWN_ID]} and {after.stack_id[:SHOWN_ID]}"
    return words.text(f"step from {levels}{_share(history.metric, step)} {where}: {'; '.join(history.changes(step))}")


def _share(metric: str, step: Step) -> str:
    """The change relative to what was, of figures that are no points."""
    in_points = not (metric.endswith(RATIO_SCALE) or metric in RATIOS)
    return "" if in_points or step.before <= 0 else f" ({step.after / step.before - 1:+.1%})"


def figure(metric: str, value: float) -> str:
    """A value of a metric with its unit: shares as points, bytes as GiB, seconds as minutes."""
    if metric.endswith("_bytes"):
        return words.size(value)
    if "_seconds" in metric:
        return words.seconds(value)
    if metric in RATIOS:
        return words.times(value)
    if metric == "tokens_per_second":
        return f"{value:,.0f}"
    if metric.endswith("_parameters"):
        return words.count(value)
    return f"{value:g}" if metric in PLAIN else words.points(value)


def _with_interval(metric: str, point: Point) -> str:
    shown = figure(metric, point.value)
    if point.low is None or point.high is None:
        return shown
    return f"{shown} [{figure(metric, point.low)}, {figure(metric, point.high)}]"


def _arrow(step: Step | None) -> str:
    if step is None:
        return ""
    return "up" if step.after > step.before else "down"
