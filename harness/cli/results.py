"""What has run: `report`, `db`, `export`."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Db

app = typer.Typer()


@app.command(epilog="Examples: tunematrix report --db mine.db --out report · tunematrix report results/pocket-2026")
def report(
    source: Annotated[
        Path | None, typer.Argument(metavar="[SOURCE]", help="A snapshot's folder, or a results file instead of --db.")
    ] = None,
    db: Db = Path("tunematrix.db"),
    out: Annotated[Path | None, typer.Option(help="Write Markdown, CSV and JSON to this folder too.")] = None,
) -> None:
    """Print the comparison tables of a results file or of a snapshot."""
    from harness.commands.results import show_report
    from harness.commands.strangers import rows_of_strangers

    with rows_of_strangers(source):
        show_report(source, db, out)


@app.command("db")
def db_command(db: Annotated[Path, typer.Argument(help="A results file.")] = Path("tunematrix.db")) -> None:
    """Say what a results file holds."""
    from harness.commands.results import describe_db

    describe_db(db)


@app.command(epilog='Example: tunematrix export "lora r=8 · pocket-1m" ./adapter')
def export(
    arm: Annotated[str, typer.Argument(help="An arm: its name in the report, or the start of its id.")],
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    db: Db = Path("tunematrix.db"),
    merged: Annotated[bool, typer.Option(help="Fold the adapter into the base's weights.")] = False,
    seed: Annotated[int | None, typer.Option(help="Which seed's weights; by default the best on validation.")] = None,
) -> None:
    """Write an arm's adapter or weights, with a model card that states recipe, stack, scores and licences."""
    from harness.export import export_arm

    typer.echo(f"wrote {export_arm(db, arm, folder, merged=merged, seed=seed)}")
