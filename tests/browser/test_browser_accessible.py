"""What axe-core finds on each page: nothing serious that is ours to mend, by light and by dark."""

import pytest

from leaderboard.pages import PAGES

NAMES = [name for group in PAGES.values() for name, _, _ in group]


# Of Streamlit's own making, seen in version 1.67 on an app with nothing in it but a title: none of ours to mend.
STREAMLITS_OWN: frozenset[str] = frozenset()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_serious(visitor, board, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visitor(board, color_scheme=scheme).go(name)
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical") and one["id"] not in STREAMLITS_OWN]
    assert [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in serious] == []
