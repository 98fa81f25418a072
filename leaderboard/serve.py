"""The board's server: Streamlit, told to stay on this machine, to take nothing in and to tell nobody."""

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UserError
from harness.sources import at_hand

APP = Path(__file__).with_name("app.py")
OPEN = "--open"  # and an address: what the server's process shows in a browser once it listens
ANY = ("0.0.0.0", "::", "127.0.0.1")

OPTIONS = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",  # a visitor is told in a sentence; the traceback is on the terminal
    "client.toolbarMode": "viewer",
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.headless": True,  # else it asks for an address before it serves, and advertises on the page
    "server.maxUploadSize": 1,
    "server.runOnSave": False,
    "logger.level": "warning",
    # captions are written in a faded text colour, chosen values in the primary one: these can be read
    "theme.light.primaryColor": "#0072B2",
    "theme.light.textColor": "#0B0B0B",
    "theme.dark.primaryColor": "#56B4E9",
}


def serve(sources: Sequence[Path], *, host: str, port: int, open_browser: bool) -> None:
    """Serve the board until it is interrupted; takes the place of this process.

    Raises UserError where the address is taken, or a source is not there.
    """
    for source in at_hand(sources):
        if not source.exists():
            raise UserError(f"{source}: no such results file or snapshot")
    _refuse_taken(host, port)
    os.execv(sys.executable, command(sources, host=host, port=port, open_browser=open_browser))


def command(sources: Sequence[Path], *, host: str, port: int, open_browser: bool) -> list[str]:
    """The command line that serves the board."""
    options = {**OPTIONS, "server.address": host, "server.port": port}
    shown = "localhost" if host in ANY else f"[{host}]" if ":" in host else host
    opening = [OPEN, f"http://{shown}:{port}"] if open_browser else []
    words = [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in options.items()]
    return [sys.executable, "-m", "leaderboard.server", *opening, "run", str(APP), *words, "--", *map(str, sources)]


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError(f"--port {port} on {host}: {reason}; name another, as in --port {port + 1}") from None
