"""What `tunematrix board` becomes: Streamlit, with what the first visitor asks for worked out while it starts."""

import logging
import sys
from pathlib import Path
from threading import Thread

from streamlit.web.cli import main

from harness.errors import UserError
from harness.sources import at_hand
from leaderboard import cache
from leaderboard.pictures.lineup import lineup
from leaderboard.quantities import in_units, measured
from leaderboard.rows.arms import named
from leaderboard.rows.leaderboard import FIGURES, PICTURED, pictured


def warm(sources: list[Path]) -> None:
    """Work the newest section's summary out, for whoever comes first: the pages find it in the cache."""
    logging.disable(logging.WARNING)  # Streamlit warns that nobody is looking
    try:
        listings = [cache.listing(path) for path in at_hand(sources)]
        sections = [key for one in listings for key in one.sections]
        if sections:
            newest = max(sections, key=lambda key: key.last_started_at)
            arms = named(cache.summary(newest).assign(section=0))
            there = measured(arms, FIGURES)
            lineup(in_units(arms, there).head(PICTURED), pictured(there))  # its form is kept
    except UserError:
        pass  # the page will say so
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    asked = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    Thread(target=warm, args=([Path(path) for path in asked],), daemon=True).start()
    sys.exit(main())
