"""What `tunematrix board` becomes: Streamlit, which listens once it has seen the first page itself."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.web.cli import main

APP = Path(__file__).with_name("app.py")
SECONDS = 60


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


if __name__ == "__main__":
    warm(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])
    sys.exit(main())
