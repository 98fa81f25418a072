"""From a run to its items in a real browser, and from a failure to its run."""

from dataclasses import replace

import pytest

from tests.browser.conftest import served
from tests.factory import ARMS, make_database

ITEMS_SECONDS = 60  # a suite's items are read by a process of their own, once


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """A board on results of which some failed."""
    folder = tmp_path_factory.mktemp("failing")
    arms = {"base": ARMS["base"], "lora": replace(ARMS["lora"], fails={1e-2: "oom"})}
    db = make_database(folder / "mine.db", arms=arms, bases=["pocket-1m"], seeds=(1, 2))
    with served(db, folder=folder) as address:
        yield address


def tick(page, row=0):
    """Click the box at the left of a row of the first table."""
    grid = page.locator("[data-testid=stDataFrame]").first
    grid.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    at = grid.bounding_box()
    page.mouse.click(at["x"] + 17, at["y"] + 52 + 35 * row)


class TestRun:
    def test_its_items_are_read_whole(self, visitor, board):
        one = visitor(board)
        page = one.go("run")
        page.get_by_text("Items", exact=True).first.click()
        one.until(lambda: "show=Items" in page.url, ITEMS_SECONDS)
        page.wait_for_selector("text=Of choices the likeliest is the answer", timeout=1000 * ITEMS_SECONDS)
        one.settle()
        page.get_by_label("Task", exact=True).scroll_into_view_if_needed()
        page.wait_for_timeout(500)  # a list that opens while the page scrolls is closed again
        one.choose("Task", "pocket_arithmetic")
        one.until(lambda: set(one.column("task")) == {"pocket_arithmetic"})
        prompt = one.column("prompt")[0]
        tick(page)
        page.wait_for_selector("[data-testid=stMain] [data-testid=stCode]")
        assert page.locator("[data-testid=stMain] [data-testid=stCode]").first.inner_text().strip() == prompt.strip()
        one.picture("run-items")
        one.until(lambda: "item=pocket_arithmetic+1" in page.url)
        other = visitor(board, fresh=True)
        other.go(page.url.removeprefix(board).lstrip("/"))
        other.page.wait_for_selector("[data-testid=stMain] [data-testid=stCode]", timeout=1000 * ITEMS_SECONDS)
        codes = other.page.locator("[data-testid=stMain] [data-testid=stCode]")
        assert codes.first.inner_text().strip() == prompt.strip()
        tick(page)
        one.until(lambda: "item=" not in page.url)
        one.until(lambda: page.locator("[data-testid=stMain] [data-testid=stCode]").count() == 0)

    def test_a_link_to_lost_items_shows_these_in_a_fresh_browser(self, visitor, board):
        one = visitor(board)
        page = one.go("run?show=Items&outcome=was+right%2C+now+wrong")
        page.wait_for_selector("text=Of choices the likeliest is the answer", timeout=1000 * ITEMS_SECONDS)
        assert set(one.column("outcome")) == {"was right, now wrong"}

    def test_another_arm_is_another_address_and_back_is_the_first(self, visitor, board):
        one = visitor(board)
        page = one.go("run")
        first = page.get_by_text("dpo-full on full_sft on pocket-1m")
        assert first.count() == 1
        one.choose("Arm", "qlora r=8 · pocket-1m")
        one.until(lambda: "run=" in page.url)
        page.wait_for_selector("text=qlora r=8 on pocket-1m")
        page.go_back()
        page.wait_for_selector("text=dpo-full on full_sft on pocket-1m")


def test_a_failure_leads_to_its_run(visitor, failing):
    one = visitor(failing)
    page = one.go("failures")
    tick(page)
    page.wait_for_url("**/run?**")
    page.wait_for_selector("text=It ended as oom while it was in train")
