"""Data flow one way: frames (``rows``) and pictures know nothing of who shows them, and the app and the static page
nothing of each other."""

import ast
from pathlib import Path

import pytest

import leaderboard

ROOT = Path(leaderboard.__file__).parent
SHOWN_BY = {  # what a folder must not know of; the modules beside the folders are everybody's
    "": {"widgets", "views", "export"},
    "pictures": {"rows", "widgets", "views", "export"},
    "rows": {"widgets", "views", "export"},
    "widgets": {"views", "export"},
    "views": {"export"},
    "export": {"widgets", "views"},
}


def imported(path):
    """The folders of the board that a module imports from."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    whole = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return {name.split(".")[1] for name in whole if name.startswith("leaderboard.")}


@pytest.mark.parametrize("folder", SHOWN_BY)
def test_no_module_knows_of_who_shows_it(folder):
    for path in (ROOT / folder).glob("*.py"):
        if path.name in ("app.py", "server.py"):  # where everything comes together
            continue
        assert imported(path) & SHOWN_BY[folder] == set(), path.name
