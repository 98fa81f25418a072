"""Arguments and options that several subcommands share.

A help text is Rich's markup: a bracket that is meant as one is written ``\\[``.
"""

from pathlib import Path
from typing import Annotated

import typer

MatrixArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[MATRIX]", help="A matrix file, a suite's folder, or the name of an installed suite (pocket)."
    ),
]
Db = Annotated[Path, typer.Option("--db", help="The results file (SQLite).")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value: methods.lora.rank=[8,64], seeds=2. Repeatable."),
]
Only = Annotated[
    str | None, typer.Option(metavar="KEY=VALUE,...", help="Only these cells: method=lora,base=pocket-1m,rank=8|32.")
]
BaseOption = Annotated[
    str | None, typer.Option("--base", metavar="PATH_OR_HUB_ID", help="Your base model, with --data: no suite needed.")
]
Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Your examples or preference pairs: .json, .jsonl, .jsonl.gz, .csv, .parquet, or hub:org/name\\[/file]. "
        "Repeatable.",
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: a GPU where there is one.")]
Vram = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="A card's memory: runs are limited to it, and a plan says what won't fit. 24GB."),
]
Overhead = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", help="Of --vram, left for a GPU's context and its allocator: 1GB by default, an assumption."
    ),
]
SkipUnfit = Annotated[
    bool, typer.Option("--skip-unfit", help="Leave out the arms that are predicted not to fit into --vram.")
]
Seconds = Annotated[
    float | None,
    typer.Option("--for", min=1, metavar="SECONDS", help="Stop after so long; the same command goes on."),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Cells at once; by default the cores divided by threads, or one a GPU.")
]
Sources = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[SOURCES]...",
        help="Results files and snapshots' folders; by default tunematrix.db and the snapshots under results/.",
    ),
]
