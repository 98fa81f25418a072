"""What happened over time: `history`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(
    epilog='Examples: tunematrix history target --arm "lora r=8" results/2026-01 results/2026-02 tunematrix.db · '
    "tunematrix history tokens_per_second --arm full_sft --arm 3fa9c1"
)
def history(
    metric: Annotated[
        str,
        typer.Argument(help="target, gain, forgetting, memory_bytes, tokens_per_second, or another of the report's."),
    ],
    sources: Annotated[
        list[Path] | None, typer.Argument(metavar="[SOURCES]...", help="Results files and snapshots' folders.")
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="An arm: its name in the report, or the start of its id. Repeatable.")
    ] = None,
) -> None:
    """Show an arm's figure over stacks and snapshots, with its steps and what changed in the stack at each."""
    from harness.commands.history import show_history
    from harness.commands.strangers import rows_of_strangers

    read = sources or [Path("tunematrix.db")]
    with rows_of_strangers(*read):
        show_history(metric, arm or [], read)
