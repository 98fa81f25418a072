"""The command line: one verb a subcommand, each parsed here, done elsewhere, printed here.

Heavy libraries are imported inside the commands that use them, so that `--help` answers at once.
"""

import os
import sys
from typing import Annotated, cast

import typer
import typer.main

from harness.cli import board, check, claims, costs, history, judging, matrix, results, snapshots
from harness.errors import UserError
from harness.oneline import one_line
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


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)]


@app.callback()
def _main(version: Version = False) -> None:
    """What every subcommand shares."""


app.add_typer(matrix.app)
app.add_typer(costs.app)
app.add_typer(claims.app)
app.add_typer(results.app)
app.add_typer(judging.app)
app.add_typer(check.app)
app.add_typer(snapshots.app)
app.add_typer(history.app)
app.add_typer(board.app)


# A wrong option, a missing argument: Typer names only this class's child.
_UsageError = cast(type[typer.BadParameter], typer.BadParameter.__base__)


def main() -> None:
    """Entry point: a user's mistake is one clear line on stderr and exit code 2, never a traceback or a box."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # GPUs have the numbers that the driver's tools show
    try:
        sys.exit(app(prog_name="tunematrix", standalone_mode=False))
    except UserError as error:
        _say(*error.lines)
        sys.exit(2)
    except _UsageError as error:
        if said := error.format_message():  # without arguments the help is shown, and that is all
            _say(f"{said} (see {_command(error)} --help)")
        sys.exit(2)
    except typer.Abort:
        _say("aborted")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(0)  # the reader of our output has gone, as in `| head`
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror or error}")
        sys.exit(2)


def _command(error: typer.BadParameter) -> str:
    """The command that was asked for, with its program's name."""
    known = typer.main.get_group(app).commands
    return error.ctx.command_path if error.ctx else " ".join(["tunematrix", *(w for w in sys.argv[1:2] if w in known)])


def _say(*lines: str) -> None:
    """Each mistake on one line; what it quotes may come from a stranger's file."""
    for line in lines:
        typer.echo(f"tunematrix: {one_line(line)}", err=True)
