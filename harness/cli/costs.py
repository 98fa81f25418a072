"""What it will cost, before anything runs: `fit`; and how far predictions were off: `predict`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(
    epilog="Examples: tunematrix fit --model llama-2-7b --vram 24GB · "
    "tunematrix fit --model ./config.json --vram 16GiB --method lora --rank 8 --length 4096 --json · "
    "tunematrix fit --model llama-3.1-8b --card rtx-4090 --tokens 10M --price 0.40 · "
    "tunematrix fit --model llama-3.2-3b --card gpu.db --tokens 10M · "
    "tunematrix fit --model org/name@main --vram 24GB"
)
def fit(
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE|FOLDER|ID",
            help="A shape's name, a config, a folder, or org/name\\[@revision] on the Hugging Face hub, "
            "of which the config alone is fetched.",
        ),
    ],
    vram: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The card's memory: 24GB, 24GiB, 800MiB. This or --card.")
    ] = None,
    card: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A card by its data sheet: rtx-3090, rtx-4090, a100-40gb, a100-80gb, l40s, h100, h200 or b200; or a "
            "results file or snapshot whose runs measured theirs. Its memory is the limit, and time is predicted too.",
        ),
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="With --card: hours for so many tokens: 10M, 1.5B, 500000.")
    ] = None,
    price: Annotated[
        float | None, typer.Option(metavar="DOLLARS", help="With --tokens: what a GPU hour costs you.")
    ] = None,
    overhead: Annotated[
        str, typer.Option(metavar="SIZE", help="Left for the device's context and the allocator: an assumption.")
    ] = "1GB",
    method: Annotated[list[str] | None, typer.Option(help="This method alone. Repeatable.")] = None,
    rank: Annotated[list[int] | None, typer.Option(min=1, help="Ranks of adapters [8 16 64]. Repeatable.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="Modules with an adapter: q_proj, ... \\[all-linear]. Repeatable.")
    ] = None,
    length: Annotated[
        list[int] | None, typer.Option(min=2, help="Sequence lengths [512 1024 2048 4096 8192]. Repeatable.")
    ] = None,
    optimizer: Annotated[str, typer.Option(help="adamw, adamw_8bit or paged_adamw_8bit.")] = "adamw",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Which methods, ranks, sequence lengths and batches fit on a card, and how fast: predicted, with no GPU."""
    from harness.commands.fit import show_fit
    from harness.commands.fit_answer import Asked

    asked = Asked(
        model=model,
        vram=vram,
        card=card,
        tokens=tokens,
        price=price,
        overhead=overhead,
        methods=method or [],
        ranks=rank or [8, 16, 64],
        lengths=length or [512, 1024, 2048, 4096, 8192],
        optimizer=optimizer,
        targets=target or ["all-linear"],
    )
    show_fit(asked, as_json_=as_json)


@app.command(
    epilog="Examples: tunematrix predict --score --db mine.db · "
    "tunematrix predict --score results/pocket-cpu mine.db --json"
)
def predict(
    sources: Annotated[
        list[Path] | None, typer.Argument(metavar="[SOURCES]...", help="Results files and snapshots' folders.")
    ] = None,
    db: Annotated[Path, typer.Option("--db", help="A results file, or a snapshot's folder.")] = Path("tunematrix.db"),
    score: Annotated[bool, typer.Option("--score", help="Score what was predicted: the one thing it does.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """How far the memory and time predicted for each run lie from what was measured in it, held-out cells apart."""
    from harness.commands.predict import show_score
    from harness.commands.strangers import rows_of_strangers

    read = sources or [db]
    with rows_of_strangers(*read):
        show_score(read, as_json_=as_json)
