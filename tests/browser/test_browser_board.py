"""The board in a real browser: what a person does with it, on the published results of the embedded suite."""

import re

import pytest

from leaderboard.pages import PAGES

NAMES = [name for group in PAGES.values() for name, _, _ in group]
WIDE = ("leaderboard", "tradeoffs", "run")  # tables and pictures with the most in them
WIDEST = [name if name in WIDE else pytest.param(name, marks=pytest.mark.extended) for name in NAMES]
TITLES = {name: title for group in PAGES.values() for name, title, _ in group}


class TestEveryPage:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_opens_and_is_kept_as_a_picture_and_accessible(self, visitor, board, name):
        one = visitor(board)
        page = one.go(name)
        one.picture(name)
        assert page.locator("h1").first.inner_text() == TITLES[name]
        assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
        assert one.barriers() == []

    @pytest.mark.parametrize("name", WIDEST)
    def test_it_fits_a_telephone_in_the_dark_and_is_accessible_there(self, visitor, board, name):
        one = visitor(board, width=390, height=844, dark=True)
        page = one.go(name)
        one.picture(f"{name}-narrow-dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        dark = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
        assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 150
        assert one.barriers() == []


class TestLeaderboard:
    def test_sorting_orders_the_table_and_is_kept_in_the_address(self, visitor, board):
        one = visitor(board)
        page = one.go()
        best_first = one.column("arm")
        one.choose("Sort by", "name")
        assert best_first != sorted(best_first)
        one.until(lambda: one.column("arm") == sorted(one.column("arm")))
        assert "sort=" in page.url

    def test_a_filter_leaves_what_was_asked_for(self, visitor, board):
        one = visitor(board)
        one.go()
        one.choose("Method", "qlora")
        one.until(lambda: set(one.column("arm")) == {"qlora r=8"})

    def test_a_link_shows_the_same_in_a_fresh_browser(self, visitor, board):
        one = visitor(board)
        page = one.go()
        one.choose("Method", "qlora")
        one.choose("Sort by", "memory")
        one.until(lambda: "method=" in page.url and "sort=" in page.url)
        one.until(lambda: set(one.column("arm")) == {"qlora r=8"})
        other = visitor(board, fresh=True)
        other.go(page.url.removeprefix(board).lstrip("/"))
        figures = ("arm", "base", "gain (points)")
        other.until(lambda: all(other.column(name) == one.column(name) for name in figures))

    def test_searching_finds_part_of_a_name(self, visitor, board):
        one = visitor(board)
        page = one.go()
        page.get_by_role("textbox", name="Search").fill("r=32")
        page.keyboard.press("Enter")
        one.until(lambda: one.column("arm") == ["lora r=32"])

    def test_a_row_leads_to_its_run_and_back(self, visitor, board):
        one = visitor(board)
        page = one.go()
        grid = page.locator("[data-testid=stDataFrame]").first
        grid.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        at = grid.bounding_box()
        page.mouse.click(at["x"] + 17, at["y"] + 52)
        page.wait_for_url("**/run?**")
        assert "run=" in page.url
        one.settle()
        page.go_back()
        one.until(lambda: page.locator("h1").first.inner_text() == "Leaderboard")

    def test_the_table_is_taken_away_as_csv(self, visitor, board):
        one = visitor(board)
        page = one.go()
        one.settle()  # a button that is drawn anew just then loses the click
        with page.expect_download() as download:
            page.get_by_role("button", name="CSV", exact=True).click()
        text = download.value.path().read_text()
        assert text.startswith("place,tie,arm,base,")
        assert "lora r=32" in text


class TestTradeoffs:
    def test_a_dot_tells_of_its_recipe(self, visitor, board):
        page = visitor(board).go("tradeoffs")
        self.hover(page)
        told = page.locator("#vg-tooltip-element").inner_text()
        assert "method" in told
        assert "gain (points)" in told

    def test_a_click_on_a_dot_opens_its_run(self, visitor, board):
        one = visitor(board)
        page = one.go("tradeoffs")
        x, y = self.hover(page)
        page.mouse.click(x, y)
        page.wait_for_url("**/run?**")
        one.settle()
        assert "run=" in page.url

    @staticmethod
    def hover(page) -> tuple[float, float]:
        """Move over the picture until something is told, and say where that was."""
        box = page.locator("[data-testid=stVegaLiteChart]").first.bounding_box()
        dots = page.evaluate(
            """() => [...document.querySelectorAll('[data-testid=stVegaLiteChart] path[aria-roledescription=point]')]
                .map(dot => dot.getBoundingClientRect()).map(at => [at.x + at.width / 2, at.y + at.height / 2])"""
        )
        if not dots:  # drawn on a canvas: look for it
            dots = [
                (box["x"] + box["width"] * across / 60, box["y"] + box["height"] * down / 40)
                for down in range(2, 38)
                for across in range(3, 57)
            ]
        for x, y in dots:
            page.mouse.move(x, y)
            if page.locator("#vg-tooltip-element.visible").count():
                return x, y
        raise AssertionError("no dot tells anything")
