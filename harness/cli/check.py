"""The gate: `check`."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Device, Jobs, Only, Set

app = typer.Typer()


@app.command(
    epilog="Examples: tunematrix check --baseline before.db --candidate after.db · "
    "tunematrix check --baseline results/pocket-cpu --run --markdown summary.md · "
    'tunematrix check --ab "kernels.patch=old:apply" "kernels.patch=new:apply"'
)
def check(
    matrix: Annotated[
        str | None,
        typer.Argument(
            metavar="[MATRIX]",
            help="The cells to run: a matrix file, or a suite's folder or name (its reference.yaml, where it has one).",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Results from before the change: a snapshot's folder or a results file.")
    ] = None,
    candidate: Annotated[Path | None, typer.Option(help="Results from after it.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Run the reference cells now; they are the candidate.")] = False,
    ab: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Run two settings now, taking turns: KEY=VALUE ..., or python=PATH."),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Measure runs of each cell and side: 14 by default, 1 with --run.", show_default=False
        ),
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="A YAML file that overrides limits.")] = None,
    quantities: Annotated[str | None, typer.Option(help="Only these, as in score,matrix_score.")] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="Let this pass though it is open: inconclusive, missing, or a quantity's name. Repeatable."),
    ] = None,
    other_hardware: Annotated[bool, typer.Option(help="Compare memory and speed of different hardware too.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Print every verdict, not only those that matter.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep what is run now in this folder, a results file a side.")
    ] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="Write every verdict to this file.")] = None,
    junit_to: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file.")] = None,
    markdown_to: Annotated[Path | None, typer.Option("--markdown", help="Write a pull request's summary.")] = None,
    set_: Set = None,
    only: Only = None,
    device: Device = "auto",
    jobs: Jobs = None,
) -> None:
    """Has a change of kernel, library or driver made anything worse? Exit code 0 no, 1 yes, 3 not certain.

    Runs are paired by recipe: the first step's logits and gradients, losses, memory, speed, scores and forgetting are
    compared, each cell by itself and pooled over the matrix.
    """
    from harness.commands.check import CheckRequest, run_check
    from harness.commands.strangers import rows_of_strangers
    from harness.gate.reference import Reference

    request = CheckRequest(
        reference=Reference(matrix, tuple(set_ or ()), only, device, jobs),
        baseline=baseline,
        candidate=candidate,
        run=run,
        ab=ab,
        rounds=rounds,
        rules=rules,
        quantities=quantities,
        allow=tuple(allow or ()),
        other_hardware=other_hardware,
        every=every,
        keep=keep,
        outputs={"json": json_to, "junit": junit_to, "markdown": markdown_to},
    )
    with rows_of_strangers(baseline, candidate):
        code = run_check(request)
    raise typer.Exit(code)
