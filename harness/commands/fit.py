"""`tunematrix fit`: which methods, ranks, sequence lengths and batches fit into so much memory, and how fast."""

import json
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from harness.commands.console import console_for_people
from harness.commands.fit_answer import Answer, Asked, answer_to, assumptions
from harness.oneline import one_line
from harness.predict.fit import MOST, Fit, Way, bytes_on_device
from harness.predict.memory import memory
from harness.predict.parameters import total
from harness.predict.shape import Shape
from harness.predict.speed import longest

GB = 10**9


def show_fit(asked: Asked, *, as_json_: bool) -> None:
    """Print the table, or one JSON object; raises UserError for what cannot be answered."""
    answer = answer_to(asked)
    if as_json_:
        print(json.dumps(_as_json(answer), indent=1, allow_nan=False))
    else:
        _print(answer)


def _as_json(answer: Answer) -> dict[str, Any]:
    asked = answer.asked
    return {
        "model": asked.model,
        **({"revision": answer.revision} if answer.revision else {}),
        "parameters": total(answer.shape),
        "vram_bytes": answer.limit,
        "overhead_bytes": answer.overhead,
        **({"card": answer.card.name, "tokens": answer.tokens, "price": asked.price} if answer.card else {}),
        "assumptions": assumptions(answer),
        "fits": [_row_as_json(answer, fit) for fit in answer.fits],
    }


def _row_as_json(answer: Answer, fit: Fit) -> dict[str, Any]:
    return {
        "method": fit.way.method,
        "rank": fit.way.rank,
        "gradient_checkpointing": fit.way.recipe.checkpointing,
        "optimizer": answer.asked.optimizer,
        "trainable_parameters": fit.way.trainable(answer.shape),
        "sequence_length": fit.length,
        "largest_batch": fit.batch,
        "counted_batch": fit.counted_batch,
        "device_bytes": bytes_on_device(answer.shape, fit.way, fit.length, fit.counted_batch) + answer.overhead,
        **_components(answer.shape, fit),
        **(_time_as_json(answer, fit) if answer.card else {}),
    }


def _components(shape: Shape, fit: Fit) -> dict[str, int]:
    found = memory(shape, fit.way.recipe, fit.way.batch(fit.counted_batch, fit.length))
    return {f"{name}_bytes": value for name, value in asdict(found).items()}


def _time_as_json(answer: Answer, fit: Fit) -> dict[str, Any]:
    """Of a step at the largest batch; null where nothing fits."""
    speed = answer.speed(fit)
    if speed is None:
        return {"tokens_per_second": None}
    step = speed.step
    return {
        "tokens_per_second": speed.tokens_per_second,
        "step_seconds": step.seconds,
        **{f"{part.replace(' ', '_')}_seconds": seconds for part, seconds in step.parts.items()},
        "reason": step.reason,
        "model_flops": step.flops.model,
        "hardware_flops": step.flops.hardware,
        "hours": answer.hours(speed),
        "dollars": answer.dollars(speed),
    }


def _print(answer: Answer) -> None:
    asked, console = answer.asked, console_for_people()
    said = f"{asked.model} ({total(answer.shape):,} parameters) {answer.place}: largest batch by sequence length"
    title = Text(one_line(said), style="table.title")  # a folder's name is no markup
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, collapse_padding=True)
    for heading in ("method", "rank", "checkpointing"):
        table.add_column(heading)
    lengths = [f"{length}" for length in asked.lengths]
    for heading in ("trainable", f"one of {min(asked.lengths)}", *lengths, *_headings_of_time(answer)):
        table.add_column(heading, justify="right")
    for way in dict.fromkeys(fit.way for fit in answer.fits):
        table.add_row(*_row(answer, way))
    console.print(table)
    beyond = [f"{MOST}+: nothing larger was looked for."] if any(fit.batch == MOST for fit in answer.fits) else []
    timed = [_told_of_time(answer)] if answer.card else []
    read = [f"Its config was read from the hub at revision {answer.revision}."] if answer.revision else []
    for line in ["-: not even one example fits.", *beyond, *read, *timed, *assumptions(answer)]:
        console.print(Text(one_line(line), style="dim"))


def _row(answer: Answer, way: Way) -> list[str]:
    own = [fit for fit in answer.fits if fit.way == way]
    shortest = min(own, key=lambda fit: fit.length)
    needs = bytes_on_device(answer.shape, way, shortest.length, 1) + answer.overhead
    return [
        way.method,
        "" if way.rank is None else str(way.rank),
        "on" if way.recipe.checkpointing else "off",
        f"{way.trainable(answer.shape):,}",
        f"{needs / GB:.1f} GB",
        *(_batch(fit.batch) for fit in own),
        *(_time_cells(answer, longest(own)) if answer.card else []),
    ]


def _batch(batch: int) -> str:
    return "-" if batch == 0 else f"{batch}+" if batch == MOST else str(batch)


def _headings_of_time(answer: Answer) -> list[str]:
    if answer.card is None:
        return []
    priced = ["cost"] if answer.asked.price is not None else []
    return ["tokens/s", *(["hours"] if answer.tokens else []), *priced]


def _told_of_time(answer: Answer) -> str:
    hours = f"; hours: for {answer.asked.tokens} tokens" if answer.tokens else ""
    cost = "" if answer.asked.price is None else f"; cost: at ${answer.asked.price:g} an hour"
    return f"tokens/s: at the largest batch of the longest sequence that fits{hours}{cost}."


def _time_cells(answer: Answer, fit: Fit) -> list[str]:
    speed = answer.speed(fit)
    if speed is None:
        return ["-"] * len(_headings_of_time(answer))
    hours, dollars = answer.hours(speed), answer.dollars(speed)
    cells = [f"{speed.tokens_per_second:,.0f}"]
    cells += [] if hours is None else [_hours(hours)]
    return cells + ([] if dollars is None else [f"${dollars:,.2f}"])


def _hours(hours: float) -> str:
    return f"{hours:.2g}" if hours < 10 else f"{hours:,.0f}"
