"""Sets of runs that others can check: `publish`, `verify`, `diff`, `import`, `push`."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Db, MatrixArgument, Set

app = typer.Typer()

Snapshot = Annotated[Path, typer.Argument(metavar="DIR", help="A snapshot's folder, as in results/NAME.")]


@app.command(
    epilog="Examples: tunematrix publish pocket-2026 · tunematrix publish mine suites/mine --set seeds=5 · "
    "tunematrix publish gpu suites/cost/gpu --db gpu.db --allow unfinished"
)
def publish(
    name: Annotated[str, typer.Argument(help="What to call the snapshot: letters, digits, . _ and -.")],
    matrix: MatrixArgument = None,
    db: Db = Path("tunematrix.db"),
    set_: Set = None,
    results: Annotated[Path, typer.Option(help="The folder that snapshots are in.")] = Path("results"),
    with_text: Annotated[bool, typer.Option(help="Publish generated answers as they are, not as hashes.")] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="unfinished, dirty or mixed-stacks: publish all the same, and say so on its face."),
    ] = None,
) -> None:
    """Freeze the runs of a matrix, or of a folder of matrix files that were run one after the other, as a folder with
    tables, figures and hashes, which never changes again."""
    from harness.commands.snapshots import publish_runs

    publish_runs(name, matrix, db, tuple(set_ or ()), results, with_text=with_text, allow=tuple(allow or ()))


@app.command(epilog="Example: tunematrix verify results/pocket-2026")
def verify(folder: Snapshot) -> None:
    """Check a snapshot: its hashes and rows, that no cell is missing, and that its numbers follow from its rows."""
    from harness.commands.snapshots import verify_folder

    raise typer.Exit(verify_folder(folder))


@app.command(epilog="Example: tunematrix diff results/pocket-2026 results/pocket-2027")
def diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="A snapshot's folder, or a results file.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another of the same suite.")],
    only: Annotated[str | None, typer.Option(metavar="ARMS", help="Compare these arms alone.")] = None,
    other_hardware: Annotated[bool, typer.Option(help="Judge memory and speed of different hardware too.")] = False,
) -> None:
    """What two snapshots say of the same arms, then whether B is worse than A: `compare` and `check` in one.

    Exit code as of `check`, with speed allowed to stay open: two snapshots took no turns. Where the two hold no arm in
    common, as where they ran on different kernels, `check` alone.
    """
    from harness.commands.diff import show_diff
    from harness.commands.strangers import rows_of_strangers

    with rows_of_strangers(first, second):
        code = show_diff(first, second, only=only, other_hardware=other_hardware)
    raise typer.Exit(code)


@app.command(
    "import",
    epilog="Examples: tunematrix import gpu.db --db mine.db · tunematrix import results/pocket-2026 --db mine.db",
)
def import_(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A results file, a snapshot's folder, or what --format reads.")
    ],
    db: Db = Path("tunematrix.db"),
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="peft-method-comparison or lm-eval; results and snapshot are known by their content.",
        ),
    ] = None,
) -> None:
    """Bring runs from elsewhere into a results file, beside those that are there and never over them.

    All of them or none; a second time changes nothing. SOURCE is never written to.
    """
    from harness.commands.snapshots import import_runs

    import_runs(source, db, format_)


@app.command(epilog="Example: tunematrix push results/pocket-2026 org/tunematrix-results --public")
def push(
    folder: Snapshot,
    repo_id: Annotated[str, typer.Argument(help="A dataset repository on the Hugging Face hub: org/name.")],
    private: Annotated[bool, typer.Option("--private/--public", help="Who may see a repository that is new.")] = True,
) -> None:
    """Verify a snapshot, then upload it to a dataset repository; the token is HF_TOKEN."""
    from harness.commands.snapshots import push_folder

    push_folder(folder, repo_id, private=private)
