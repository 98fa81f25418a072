"""What is on a page, for tests that look for it: its words, and its tables by what they hold."""

import re

import pandas as pd
from streamlit.testing.v1 import AppTest


def text_of(page: AppTest) -> str:
    """All that the page says, without the backslashes that keep Markdown from reading it."""
    kinds = (page.title, page.header, page.subheader, page.markdown, page.caption, page.info, page.warning, page.error)
    return re.sub(r"\\(.)", r"\1", "\n".join(str(one.value) for kind in kinds for one in kind))


def tables_with(page: AppTest, column: str) -> list[pd.DataFrame]:
    """The tables that have a column, from the top."""
    return [one.value for one in page.dataframe if column in one.value]
