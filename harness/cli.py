"""The command line: one verb a subcommand, each parsed here, done elsewhere, printed here.

Heavy libraries are imported inside the commands that use them, so that `--help` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import UserError
from harness.request import Request
from tunematrix.version import __version__

app = typer.Typer(
    name="tunematrix",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Compare full SFT, LoRA, QLoRA and DPO fairly: train a matrix of them, measure and score each run, "
    "keep everything in SQLite.",
)

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
    typer.Option("--data", metavar="FILE", help="Your examples or preference pairs (.json .jsonl .csv .parquet)."),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: a GPU where there is one.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Cells at once; by default the cores divided by threads, or one a GPU.")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)]


@app.callback()
def _main(version: Version = False) -> None:
    """What every subcommand shares."""


@app.command(
    epilog="Examples: tunematrix run · tunematrix run suites/pocket --only method=lora --set seeds=2 · "
    "tunematrix run --base ./my-model --data train.jsonl"
)
def run(
    matrix: MatrixArgument = None,
    db: Db = Path("tunematrix.db"),
    set_: Set = None,
    only: Only = None,
    base: BaseOption = None,
    data: Data = None,
    device: Device = "auto",
    jobs: Jobs = None,
    retry_failed: Annotated[bool, typer.Option(help="Run failed cells again too.")] = False,
    report_to: Annotated[Path | None, typer.Option("--report", help="Also write the tables to this folder.")] = None,
) -> None:
    """Train, measure and score every cell that is not done yet, then print the tables."""
    from harness.commands import run_matrix

    request = Request(matrix, db, tuple(set_ or ()), only, base, tuple(data or ()), device, jobs)
    raise typer.Exit(run_matrix(request, retry_failed=retry_failed, report_to=report_to))


@app.command(epilog="Examples: tunematrix plan · tunematrix plan suites/stories --json")
def plan(
    matrix: MatrixArgument = None,
    db: Db = Path("tunematrix.db"),
    set_: Set = None,
    only: Only = None,
    base: BaseOption = None,
    data: Data = None,
    device: Device = "auto",
    jobs: Jobs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    cells: Annotated[bool, typer.Option("--cells", help="One row a cell instead of one an arm.")] = False,
) -> None:
    """Show the cells: done, left, deferred, blocked or refused, and how long they should take."""
    from harness.commands import show_plan

    request = Request(matrix, db, tuple(set_ or ()), only, base, tuple(data or ()), device, jobs)
    show_plan(request, as_json=as_json, cells=cells)


@app.command(epilog="Example: tunematrix report --db tunematrix.db --out report")
def report(
    db: Db = Path("tunematrix.db"),
    out: Annotated[Path | None, typer.Option(help="Write Markdown, CSV and JSON to this folder too.")] = None,
) -> None:
    """Print the comparison tables of a results file."""
    from harness.commands import show_report

    show_report(db, out)


@app.command("db")
def db_command(db: Annotated[Path, typer.Argument(help="A results file.")] = Path("tunematrix.db")) -> None:
    """Say what a results file holds."""
    from harness.commands import describe_db

    describe_db(db)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a matrix file, for editors that complete and check it."""
    import json

    from harness.matrix_schema import matrix_schema

    typer.echo(json.dumps(matrix_schema(), indent=2))


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


def main() -> None:
    """Entry point: a user's mistake is one clear line on stderr and exit code 2, never a traceback."""
    try:
        app()
    except UserError as error:
        for line in error.lines:
            typer.echo(f"tunematrix: {line}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)  # the reader of our output has gone, as in `| head`
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"tunematrix: {where}{error.strerror or error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
