"""Results in a browser: `board`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Sources
from harness.errors import UserError

app = typer.Typer()


@app.command(
    epilog="Examples: tunematrix board · tunematrix board mine.db results/pocket-cpu · "
    "tunematrix board results/pocket-cpu --export page/"
)
def board(
    sources: Sources = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to serve on.")] = 8501,
    host: Annotated[
        str, typer.Option(help="The address to serve on; 0.0.0.0 shows the results to the whole network.")
    ] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser on it.")] = True,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a static page into DIR instead; no server, no network.")
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="With --export: prompts and answers too, which may be private.")
    ] = False,
) -> None:
    """See the trade-offs in a browser: what each method gains, forgets and costs, down to single answers."""
    if with_text and export is None:
        raise UserError("--with-text: is for --export DIR; the board itself always shows what the results hold")
    if find_spec("streamlit") is None:
        raise UserError(
            "board: needs Streamlit, which the extra `board` installs: pip install 'tunematrix[board]', or in a "
            "checkout pip install '.[board]'"
        )
    if export is not None:
        from leaderboard.export import export_page

        for path in export_page(sources or [], export, with_text=with_text):
            typer.echo(path)
        return
    from leaderboard.serve import serve

    serve(sources or [], host=host, port=port, open_browser=open_browser)
