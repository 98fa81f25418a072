"""Tables can be taken away without harm."""

import csv
import io

import pandas as pd

from leaderboard.widgets import tables


def test_a_text_that_a_spreadsheet_would_run_is_not_a_formula():
    text = tables.csv(pd.DataFrame({"arm": ["=HYPERLINK(1)", "+1", "@x", "lora"], "gain": [-1.0, 2.0, 3.0, 4.0]}))
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows[1:]] == ["'=HYPERLINK(1)", "'+1", "'@x", "lora"]
    assert [row[1] for row in rows[1:]] == ["-1.0", "2.0", "3.0", "4.0"]
