"""What people repeat about these methods: `claims`."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Sources

app = typer.Typer()


@app.command(
    epilog="Examples: tunematrix claims · tunematrix claims mine.db results/pocket-cpu --json · "
    "tunematrix claims --out claims.md"
)
def claims(
    sources: Sources = None,
    file: Annotated[Path | None, typer.Option("--claims", metavar="FILE", help="Another file of claims.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write all of it as a page of Markdown.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """What people repeat about fine-tuning, held against arithmetic and the runs at hand: a verdict for each claim."""
    from harness.commands.claims import show_claims
    from harness.commands.strangers import rows_of_strangers
    from harness.sources import at_hand

    found = at_hand(sources or [])
    with rows_of_strangers(*found):
        show_claims(found, file=file, out=out, as_json_=as_json)
