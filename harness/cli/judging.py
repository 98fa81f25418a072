"""What the runs say: `compare`, `power`, `recommend`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()

Db = Annotated[Path, typer.Option("--db", help="A results file, or a snapshot's folder.")]
Arms = Annotated[
    list[str] | None, typer.Argument(metavar="[ARM]...", help="Arms: names, starts of ids, or method=lora,rank=8.")
]

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
    from harness.commands.strangers import rows_of_strangers

    with rows_of_strangers(Path(first), Path(second), db):
        show_comparison(first, second, db, only=only, screen=screen, difference=difference, as_json_=as_json)


@app.command(epilog='Examples: tunematrix power · tunematrix power "lora r=8" full_sft --difference 1 --power 0.9')
def power(
    arms: Arms = None,
    db: Db = Path("tunematrix.db"),
    difference: Annotated[float, typer.Option(min=0.01, max=100, help="The difference to see, in points.")] = 2.0,
    relative: Annotated[
        float, typer.Option(min=0.01, max=1000, help="The difference in memory and speed to see, in percent.")
    ] = 2.0,
    wanted: Annotated[float, typer.Option("--power", min=0.5, max=0.999, help="The chance to see it.")] = 0.8,
    as_json: Json = False,
) -> None:
    """How many seeds or items it takes to see a difference, from the noise of the runs so far; and how many measure
    runs, of arms that were measured more than once.

    Without arms, each arm is set against the best of its base.
    """
    from harness.commands.power import show_power
    from harness.commands.strangers import rows_of_strangers

    with rows_of_strangers(db):
        show_power(arms or [], db, difference=difference, relative=relative, wanted=wanted, as_json_=as_json)


@app.command(epilog="Example: tunematrix recommend --vram 24GB --max-forgetting 0.02 --max-hours 3")
def recommend(
    db: Db = Path("tunematrix.db"),
    vram: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Peak memory at most: 24GB (10^9 bytes each), 24GiB (2^30).")
    ] = None,
    max_forgetting: Annotated[
        float | None, typer.Option(help="Forgetting at most, as a share: 0.02 is two points.")
    ] = None,
    max_hours: Annotated[float | None, typer.Option(help="Tuning time at most: all rates and seeds.")] = None,
    min_gain: Annotated[float | None, typer.Option(help="Gain at least, as a share: 0.1 is ten points.")] = None,
    base: Annotated[str | None, typer.Option(help="Arms on this base alone.")] = None,
    as_json: Json = False,
) -> None:
    """The arms within your limits, best first, with what is unknown; where there is none, which limit binds."""
    from harness.commands.recommend import limits_of, show_recommendation
    from harness.commands.strangers import rows_of_strangers

    limits = limits_of(vram, max_forgetting, max_hours, min_gain)
    with rows_of_strangers(db):
        show_recommendation(db, limits, base=base, as_json_=as_json)
