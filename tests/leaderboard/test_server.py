"""How the board's server starts: nothing is asked first, and a browser is opened once it listens."""

import socket
import threading
import time

import pytest

import leaderboard.server
from leaderboard.serve import OPEN, command
from leaderboard.server import open_when_it_listens


@pytest.mark.parametrize("open_browser", [True, False])
def test_streamlit_never_runs_with_its_own_greeting(open_browser: bool) -> None:
    words = command([], host="127.0.0.1", port=8501, open_browser=open_browser)

    assert "--server.headless=true" in words
    assert (OPEN in words) == open_browser


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "http://localhost:8501"), ("0.0.0.0", "http://localhost:8501"), ("::1", "http://[::1]:8501")],
)
def test_what_is_opened_is_an_address_of_this_machine(host: str, shown: str) -> None:
    words = command([], host=host, port=8501, open_browser=True)

    assert words[words.index(OPEN) + 1] == shown


def test_a_browser_is_opened_when_something_answers_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(leaderboard.server.webbrowser, "open", opened.append)
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{server.getsockname()[1]}"
    waiting = threading.Thread(target=open_when_it_listens, args=(address,), daemon=True)

    waiting.start()
    time.sleep(3 * leaderboard.server.PAUSE)
    assert not opened
    server.listen()
    waiting.join(timeout=30)
    server.close()

    assert opened == [address]
