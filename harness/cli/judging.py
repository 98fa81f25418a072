"""What the runs say: `compare`, `power`, `recommend`."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Db

app = typer.Typer()

Difference = Annotated[float | None, typer.Option(min=0.01, max=100, help="The difference that matters, in points.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


@app.command(
    epilog='Examples: tunematrix compare "lora r=8" full_sft · tunematrix compare method=lora method=qlora --screen · '
    "tunematrix compare before.db after.db --only method=lora"
)
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Arms: a name, the start of an id, or method=lora,rank=8.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The same; or A and B are results files or snapshots.")],
    db: Db = Path("tunematrix.db"),
    only: Annotated[str | None, typer.Option(metavar="ARMS", help="Of two files: these arms alone.")] = None,
    screen: Annotated[bool, typer.Option("--screen", help="Correct by Benjamini-Hochberg instead of Holm.")] = False,
    difference: Difference = None,
    as_json: Json = False,
) -> None:
    """Compare arms on the same items and seeds: every task, gain, forgetting and cost, and what can be said of it."""
    from harness.commands.compare import show_comparison

    show_comparison(first, second, db, only=only, screen=screen, difference=difference, as_json_=as_json)
