"""The matrix: `run`, `plan`, `largest-batch`, `schema`."""

import math
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import (
    BaseOption,
    Data,
    Db,
    Device,
    Jobs,
    MatrixArgument,
    Only,
    Overhead,
    Seconds,
    Set,
    SkipUnfit,
    Vram,
)
from harness.largest_batch.policy import AT_MOST
from harness.request import Request

app = typer.Typer()


@app.command(
    epilog="Examples: tunematrix run · tunematrix run suites/pocket --only method=lora --set seeds=2 · "
    "tunematrix run --base ./my-model --data train.jsonl · tunematrix run my-matrix.yaml --vram 24GB"
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
    vram: Vram = None,
    overhead: Overhead = None,
    skip_unfit: SkipUnfit = False,
    retry_failed: Annotated[bool, typer.Option(help="Run cells again that failed.")] = False,
    report_to: Annotated[Path | None, typer.Option("--report", help="Also write the tables to this folder.")] = None,
    seconds: Seconds = None,
) -> None:
    """Train, measure and score every cell that is not done yet, then print the tables."""
    from harness.commands.matrix import run_matrix

    asked = (matrix, db, tuple(set_ or ()), only, base, tuple(data or ()), device, jobs)
    request = Request(*asked, vram, overhead, skip_unfit)
    limit = math.inf if seconds is None else seconds
    raise typer.Exit(run_matrix(request, retry_failed=retry_failed, report_to=report_to, seconds=limit))


@app.command(
    epilog="Examples: tunematrix plan · tunematrix plan suites/stories --json · "
    "tunematrix plan my-matrix.yaml --vram 24GB --skip-unfit"
)
def plan(
    matrix: MatrixArgument = None,
    db: Db = Path("tunematrix.db"),
    set_: Set = None,
    only: Only = None,
    base: BaseOption = None,
    data: Data = None,
    device: Device = "auto",
    jobs: Jobs = None,
    vram: Vram = None,
    overhead: Overhead = None,
    skip_unfit: SkipUnfit = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    cells: Annotated[bool, typer.Option("--cells", help="One row a cell instead of one an arm.")] = False,
) -> None:
    """Show the cells: done, left, deferred, blocked or refused, how long they should take, and how much memory is
    predicted for each."""
    from harness.commands.matrix import show_plan

    asked = (matrix, db, tuple(set_ or ()), only, base, tuple(data or ()), device, jobs)
    request = Request(*asked, vram, overhead, skip_unfit)
    show_plan(request, as_json=as_json, cells=cells)


@app.command(
    "largest-batch",
    epilog="Examples: tunematrix largest-batch cost --device cpu --vram 300MB --only label=lora · "
    "tunematrix largest-batch my-matrix.yaml --only method=qlora,rank=16 --vram 24GB --json",
)
def largest_batch(
    matrix: MatrixArgument = None,
    db: Db = Path("tunematrix.db"),
    set_: Set = None,
    only: Only = None,
    base: BaseOption = None,
    data: Data = None,
    device: Device = "auto",
    vram: Vram = None,
    overhead: Overhead = None,
    most: Annotated[
        int, typer.Option("--at-most", min=1, metavar="EXAMPLES", help="Look for no larger batch than this.")
    ] = AT_MOST,
    retry_failed: Annotated[
        bool, typer.Option(help="Try batches again that failed for another reason than memory.")
    ] = False,
    seconds: Seconds = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Search the largest batch of each arm that fits, by measuring; every batch that is tried is a run in the file."""
    from harness.commands.largest_batch import find_largest

    asked = (matrix, db, tuple(set_ or ()), only, base, tuple(data or ()), device, 1)
    request = Request(*asked, vram, overhead)
    limit = math.inf if seconds is None else seconds
    raise typer.Exit(find_largest(request, most=most, seconds=limit, retry_failed=retry_failed, as_json_=as_json))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a matrix file, for editors that complete and check it."""
    import json

    from harness.matrix_schema import matrix_schema

    typer.echo(json.dumps(matrix_schema(), indent=2))
