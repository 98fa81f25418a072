"""Names, prompts and answers are hostile text: they are shown, and do nothing."""

from dataclasses import replace

import pytest

from leaderboard.pages import PAGES
from tests.browser.conftest import served
from tests.factory import ARMS, make_database

HOSTILE = (
    "<script>window.harmed=1</script>",
    "<img src=x onerror=window.harmed=1>",
    "</style><b>bold</b>",
    "$x^2$ :smile: :red[red]",
    "[link](https://example.org/x) ![](https://example.org/y.png)",
    "long " + "x" * 10_000,
    "مرحبا \u202egnp.exe",
)
NAMES = [name for group in PAGES.values() for name, _, _ in group]
OFTEN = ("leaderboard", "run", "compare")  # where a visitor's choice is taken, or texts are shown
FIRST = [name if name in OFTEN else pytest.param(name, marks=pytest.mark.extended) for name in NAMES]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    arms = {"base": ARMS["base"]}
    for n, name in enumerate(HOSTILE):
        arms[name] = replace(ARMS["lora"], rates=(1e-3,), best_rate=1e-3, target=0.5 + 0.05 * n, fails={})
    arms["crash <script>window.harmed=1</script>"] = replace(ARMS["lora"], rates=(1e-3,), fails={1e-3: "oom"})
    make_database(folder / "hostile.db", arms=arms, bases=["pocket-1m"], seeds=(1,), suite="<b>suite</b> $y$ :cat:")
    with served(folder / "hostile.db", folder=folder) as address:
        yield address


@pytest.mark.parametrize("name", FIRST)
def test_a_page_shows_hostile_text_and_obeys_none_of_it(visitor, hostile, name):
    one = visitor(hostile)
    one.page.on("dialog", lambda dialog: one.problems.append(f"dialog: {dialog.message}"))
    page = one.go(name)
    one.picture(f"hostile-{name}")
    assert page.evaluate("window.harmed") is None
    main = page.locator("[data-testid=stMain]")
    assert main.locator("script, img[src*=example], a[href*=example], b, .katex").count() == 0
    assert page.locator("[data-testid=stException]").count() == 0
