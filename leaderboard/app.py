"""The board: `tunematrix board` runs this file with Streamlit. One page a question, under ``views/``."""

from pathlib import Path

import streamlit as st

from leaderboard.pages import PAGES

ICON = Path(__file__).with_name("icon.png")  # a name of Streamlit's icons would be fetched from the network

STYLE = Path(__file__).with_name("board.css")


def main() -> None:
    """Lay out the pages and show the one that is asked for."""
    st.set_page_config(page_title="tunematrix", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    pages = {
        heading: [
            st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "leaderboard")
            for name, title, icon in group
        ]
        for heading, group in PAGES.items()
    }
    st.navigation(pages).run()


main()
