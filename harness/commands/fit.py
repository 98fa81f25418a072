"""`tunematrix fit`: which methods, ranks, sequence lengths and batches fit into so much memory."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.table import Table

from harness.commands.console import console_for_people
from harness.errors import UserError
from harness.predict.fit import METHODS, MOST, Fit, bytes_on_device, fits, ways
from harness.predict.memory import memory
from harness.predict.parameters import total
from harness.predict.shape import Shape
from harness.predict.shapes import read_shape
from harness.units import parse_size
from methods.trainer_arguments import OPTIMIZERS

GB = 10**9


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know."""

    model: str
    vram: str
    overhead: str
    methods: Sequence[str]
    ranks: Sequence[int]
    lengths: Sequence[int]
    optimizer: str
    targets: Sequence[str]


def show_fit(asked: Asked, *, as_json_: bool) -> None:
    """Print the table, or one JSON object; raises UserError for what cannot be answered."""
    vram, overhead = parse_size("--vram", asked.vram), parse_size("--overhead", asked.overhead)
    if overhead >= vram:
        raise UserError(f"--overhead {asked.overhead}: leaves nothing of --vram {asked.vram}")
    _refuse_unknown("--method", asked.methods, METHODS)
    _refuse_unknown("--optimizer", [asked.optimizer], OPTIMIZERS)
    shape = read_shape(asked.model)
    targets = asked.targets[0] if list(asked.targets) == ["all-linear"] else tuple(asked.targets)
    chosen = ways(asked.methods or list(METHODS), asked.ranks, asked.optimizer, targets)
    found = list(fits(shape, chosen, asked.lengths, vram - overhead))
    if as_json_:
        print(json.dumps(_as_json(asked, shape, vram, overhead, found), indent=1))
    else:
        _print(asked, shape, found)


def _refuse_unknown(option: str, given: Sequence[str], known: Sequence[str] | dict[str, Any]) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"{option} {name}: there is none such (there are: {', '.join(known)})")


def assumptions(asked: Asked) -> list[str]:
    """What the answer rests on, none of it measured."""
    lines = [
        "Predicted, not measured: tensors by formula, temporary buffers by estimate.",
        f"Assumed: {asked.overhead} for the device's context and the allocator (--overhead).",
        "Weights, products and AdamW's state in bfloat16 (amp: float32, products in bfloat16); adapters in float32; "
        "4-bit weights as NF4 with double quantisation.",
        "Attention by SDPA; rows as long as the sequence, every token with loss; a preference pair is two rows.",
    ]
    if asked.optimizer.startswith("paged"):
        lines.append("A paged optimizer's large states are counted as moved to the host's memory.")
    return lines


def _as_json(asked: Asked, shape: Shape, vram: int, overhead: int, found: Sequence[Fit]) -> dict[str, Any]:
    return {
        "model": asked.model,
        "parameters": total(shape),
        "vram_bytes": vram,
        "overhead_bytes": overhead,
        "assumptions": assumptions(asked),
        "fits": [
            {
                "method": fit.way.method,
                "rank": fit.way.rank,
                "gradient_checkpointing": fit.way.recipe.checkpointing,
                "optimizer": asked.optimizer,
                "trainable_parameters": fit.way.trainable(shape),
                "sequence_length": fit.length,
                "largest_batch": fit.batch,
                "counted_batch": fit.counted_batch,
                "device_bytes": bytes_on_device(shape, fit.way, fit.length, fit.counted_batch) + overhead,
                **_components(shape, fit),
            }
            for fit in found
        ],
    }


def _components(shape: Shape, fit: Fit) -> dict[str, int]:
    found = memory(shape, fit.way.recipe, fit.way.batch(fit.counted_batch, fit.length))
    return {f"{name}_bytes": value for name, value in asdict(found).items()}


def _print(asked: Asked, shape: Shape, found: Sequence[Fit]) -> None:
    console = console_for_people()
    title = f"{asked.model} ({total(shape):,} parameters) in {asked.vram}: largest batch by sequence length"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for heading in ("method", "rank", "checkpointing"):
        table.add_column(heading)
    for heading in ("trainable", f"one of {min(asked.lengths)} needs", *(f"{length}" for length in asked.lengths)):
        table.add_column(heading, justify="right")
    overhead = parse_size("--overhead", asked.overhead)
    for way in dict.fromkeys(fit.way for fit in found):
        row = [fit for fit in found if fit.way == way]
        shortest = min(row, key=lambda fit: fit.length)
        table.add_row(
            way.method,
            "" if way.rank is None else str(way.rank),
            "on" if way.recipe.checkpointing else "off",
            f"{way.trainable(shape):,}",
            _one_example(shape, shortest, overhead),
            *(_batch(fit.batch) for fit in row),
        )
    console.print(table)
    beyond = [f"{MOST}+: nothing larger was looked for."] if any(fit.batch == MOST for fit in found) else []
    for line in ["-: not even one example fits.", *beyond, *assumptions(asked)]:
        console.print(line, style="dim", highlight=False)


def _one_example(shape: Shape, fit: Fit, overhead: int) -> str:
    return f"{(bytes_on_device(shape, fit.way, fit.length, 1) + overhead) / GB:.1f} GB"


def _batch(batch: int) -> str:
    return "-" if batch == 0 else f"{batch}+" if batch == MOST else str(batch)
