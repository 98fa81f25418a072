"""One visitor of the board on a results file, without a browser: how long each answer takes at the server.

Prints one JSON object: ``answers``, seconds by kind, and ``gigabytes`` of this process at the end.
"""

import json
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Open the board on the file that the command line names, filter, sort, and look at every page."""
    from streamlit.testing.v1 import AppTest

    sys.argv = ["app.py", sys.argv[1]]
    test = AppTest.from_file(str(ROOT / "leaderboard" / "app.py"), default_timeout=120)
    answers: dict[str, list[float]] = {"sort": [], "filter": [], "other results": []}

    def timed(kind: str) -> None:
        begun = time.perf_counter()
        test.run()
        answers.setdefault(kind, []).append(time.perf_counter() - begun)
        if test.exception:
            raise RuntimeError(test.exception[0].message)

    test.run()
    for by in ("target", "forgetting", "memory_bytes", "name"):
        test.selectbox(key="sort").set_value(by)
        timed("sort")
    for key in ("base", "method"):
        for option in test.multiselect(key=key).options[:3]:
            test.multiselect(key=key).set_value([option])
            timed("filter")
        test.multiselect(key=key).set_value([])
        timed("filter")
    test.text_input(key="q").set_value("lora 8")
    timed("filter")
    test.text_input(key="q").set_value("")
    timed("filter")
    for where in test.multiselect(key="results").options[1:6]:
        test.multiselect(key="results").set_value([where])
        timed("other results")
    gigabytes = psutil.Process().memory_info().rss / 1e9
    print(json.dumps({"answers": {kind: times for kind, times in answers.items() if times}, "gigabytes": gigabytes}))


if __name__ == "__main__":
    main()
