"""What `tunematrix board` becomes: Streamlit, which listens once it has seen the first page itself."""

import logging
import socket
import sys
import time
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from streamlit.testing.v1 import AppTest
from streamlit.web.cli import main

from leaderboard.serve import OPEN

APP = Path(__file__).with_name("app.py")
SECONDS = 60
PAUSE = 0.1


def warm(sources: Sequence[str]) -> None:
    """Open the first page of these sources, so that whoever comes first finds imported what it needs and worked out
    what it shows. What goes wrong there the page itself says, to whoever looks."""
    own = sys.argv
    sys.argv = [str(APP), *sources]  # as Streamlit hands it on
    logging.disable(logging.WARNING)  # Streamlit warns that nobody is looking
    try:
        AppTest.from_file(APP, default_timeout=SECONDS).run()
    except RuntimeError:  # it takes longer
        pass
    finally:
        sys.argv = own
        logging.disable(logging.NOTSET)


def open_when_it_listens(address: str) -> None:
    """Show ``address`` in a browser as soon as something answers there."""
    parts = urlsplit(address)
    for _ in range(int(SECONDS / PAUSE)):
        with suppress(OSError), socket.create_connection((parts.hostname, parts.port), 1):
            webbrowser.open(address)
            return
        time.sleep(PAUSE)


if __name__ == "__main__":
    if sys.argv[1] == OPEN:
        Thread(target=open_when_it_listens, args=(sys.argv[2],), daemon=True).start()
        del sys.argv[1:3]
    warm(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])
    sys.exit(main())
