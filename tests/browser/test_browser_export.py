"""The static page, opened from disk: pictures drawn, tables sorted and filtered, nothing asked of any network."""

import re

import pytest

from leaderboard.export import export_page
from tests.factory import ARMS, make_database

HOSTILE = "<img src=x onerror=alert(1)></script>"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The page of a small world, one arm of which has a hostile name."""
    folder = tmp_path_factory.mktemp("export")
    arms = {name: ARMS[name] for name in ("base", "full_sft", "lora", "dpo-lora")} | {HOSTILE: ARMS["qlora"]}
    db = make_database(folder / "mine.db", arms=arms)
    (path,) = export_page([db], folder / "page", with_text=False)
    return path


@pytest.fixture
def opened(chromium, exported):
    """Opens the page; no error in its console, no request but for the page itself."""
    problems = []
    contexts = []

    def open_page(**options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: problems.append(request.url) if not own(request.url) else None)
        page.goto(exported.as_uri())
        return page

    def own(url):
        return url.split("#")[0] == exported.as_uri() or url.startswith(("data:", "blob:"))

    yield open_page
    for context in contexts:
        context.close()
    assert not problems


def draw(page):
    """Scroll to each picture, wait until it is drawn, and return how many there are."""
    pictures = page.locator("[data-picture]")
    for n in range(pictures.count()):
        pictures.nth(n).scroll_into_view_if_needed()
        page.wait_for_function("n => document.querySelectorAll('[data-picture]')[n].dataset.drawn === 'yes'", arg=n)
    return pictures.count()


def column(page, number):
    """What stands in a column of the first table, of the rows that are shown."""
    return page.locator("[data-grid]").first.locator(f"tbody tr:visible td:nth-child({number})").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_picture_is_drawn(opened, scheme):
    page = opened(color_scheme=scheme)
    assert draw(page) >= 5
    assert page.locator("[data-picture] svg.marks").count() == page.locator("[data-picture]").count()


def test_a_hostile_name_stands_in_tables_and_pictures_as_it_is(opened):
    page = opened()
    draw(page)
    assert page.locator("img").count() == 0
    assert page.locator("td", has_text=HOSTILE).count() > 0
    assert page.locator("svg text", has_text="<img src=x").count() > 0


def test_a_table_is_sorted_with_the_keyboard(opened):
    page = opened()
    head = page.locator("[data-grid]").first.get_by_role("columnheader", name="gain (points)")
    place = head.evaluate("head => head.cellIndex + 1")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    rising = [float(text) for text in column(page, place) if text]
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    falling = [float(text) for text in column(page, place) if text]
    assert rising == sorted(rising) and falling == rising[::-1] and rising[0] < rising[-1]


def test_what_is_missing_is_sorted_last_either_way(opened):
    page = opened()
    head = page.locator("[data-grid]").first.get_by_role("columnheader", name="gain (points)")
    place = head.evaluate("head => head.cellIndex + 1")
    for _ in range(2):
        head.get_by_role("button").click()
        assert column(page, place)[-1] == ""


def test_a_table_is_filtered_by_words(opened):
    page = opened()
    table = page.locator("[data-grid]").first
    table.get_by_role("searchbox").fill("DPO-lora 0.2m")
    shown = table.locator("tbody tr:visible").all_inner_texts()
    assert shown and all("dpo-lora" in row and "pocket-0.2m" in row for row in shown)
    assert re.fullmatch(rf"{len(shown)} of \d+ rows", table.locator("output").inner_text())


def test_it_fits_a_narrow_screen(opened):
    page = opened(viewport={"width": 390, "height": 844})
    draw(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_tables_can_be_read_without_scripts(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("td", has_text="full_sft").first.is_visible()


def test_it_has_no_serious_fault_of_accessibility(opened):
    from axe_playwright_python.sync_playwright import Axe

    page = opened()
    draw(page)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
