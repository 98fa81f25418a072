"""The board as people meet it: served for real, looked at in Chromium; an error in its console or a request to anywhere
but the board fails the test."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import pytest

from leaderboard.serve import command

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / ".tunematrix" / "screenshots"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-dev-shm-usage"),
)
START_SECONDS = 60


def pytest_collection_modifyitems(items):
    """All of them drive a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium():
    """A Chromium driven by Playwright."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: `apt-get install chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def _own_to_the_libraries(rule: str, html: str) -> bool:
    """Whether a finding of axe is of the libraries' own making, whatever a page shows, and not for us to mend: the menu
    of Streamlit 1.67 has headings between its list's items; Vega draws an empty group for a layer without marks."""
    menu = rule in ("list", "listitem") and ("stSidebarNavItems" in html or html.startswith('<li class="st-emotion'))
    return menu or (rule == "svg-img-alt" and "mark container" in html and html.endswith("></g>"))


@contextmanager
def served(*sources: Path, folder: Path) -> Iterator[str]:
    """The address of a board that is served in ``folder`` on these sources."""
    port = free_port()
    with started(command(sources, host="127.0.0.1", port=port, open_browser=False), port, folder) as address:
        yield address


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(words: list[str], port: int, folder: Path) -> Iterator[str]:
    """The address of a server of Streamlit's that ``words`` start in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HOME": str(folder)}
    with (folder / "board.log").open("w") as log:
        process = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health", process, folder / "board.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(START_SECONDS * 5):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
    raise RuntimeError(f"the board did not start: {log.read_text()}")


def new_browser(chromium, width: int = 1280, height: int = 900, dark: bool = False):
    """One that has never been anywhere."""
    return chromium.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")


class Visitor:
    """Somebody with a page of their own; ``problems`` gathers what should not have happened."""

    def __init__(self, browser, address: str) -> None:
        self.address = address
        self.problems: list[str] = []
        self.page = browser.new_page()
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def go(self, path: str = ""):
        """Open a page of the board, and wait until it stands still."""
        self.page.goto(f"{self.address}/{path.removeprefix('leaderboard')}")  # which is the one at the root
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the server has drawn all of the page."""
        self.page.wait_for_selector("[data-testid=stMain] h1")
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        self.page.wait_for_timeout(400)  # Vega and the tables draw in the browser after that

    def rows(self) -> list[list[str]]:
        """The cells of the first table, as assistive software reads them."""
        self.page.wait_for_selector("[data-testid=stDataFrame] canvas tr", state="attached")
        read = """() => [...document.querySelectorAll('[data-testid=stDataFrame] canvas')[0].querySelectorAll('tr')]
            .map(row => [...row.querySelectorAll('td,th')].map(cell => cell.textContent))"""
        found: list[list[str]] = self.page.evaluate(read)
        return found

    def column(self, label: str) -> list[str]:
        """The cells under a head of the first table, in its order."""
        head, *others = self.rows()
        return [row[head.index(label)] for row in others]

    def choose(self, label: str, option: str) -> None:
        """Choose in a list by what is read there, once the page stands still: a list that opens before closes again."""
        self.settle()
        self.page.get_by_label(label, exact=True).first.click()
        self.page.get_by_role("option", name=option, exact=True).first.click()
        self.page.keyboard.press("Tab")

    def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for what the page is to come to; fails where it does not."""
        for _ in range(int(5 * seconds)):
            if condition():
                return
            self.page.wait_for_timeout(200)
        assert condition()

    def barriers(self) -> list[str]:
        """What axe-core finds serious or worse on the page, but for what is the libraries' own making."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        return [
            f"{one['id']}: {node['target']}: {node['html'][:160]}"
            for one in serious
            for node in one["nodes"]
            if not _own_to_the_libraries(one["id"], node["html"])
        ]

    def picture(self, name: str) -> None:
        """Keep what is to be seen, the whole page, for a person to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        tall = self.page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": min(4000, max(size["height"], tall + 80))})
        self.page.wait_for_timeout(400)
        self.page.screenshot(path=PICTURES / f"{name}.png")
        self.page.set_viewport_size(size)

    def _heard(self, message) -> None:
        # of a page's own address Streamlit first asks beneath it, where there is no server
        if message.type == "error" and "/_stcore/" not in str(message.location):
            self.problems.append(f"console: {message.text} {message.location}")
        if message.type == "warning" and "Infinite extent" in message.text:  # Vega's, of an axis without values
            self.problems.append(f"picture: {message.text}")

    def _asked(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", self.address.replace("http", "ws"))):
            self.problems.append(f"request to {request.url}")


@pytest.fixture(scope="session")
def browsers(chromium) -> Callable:
    """The browser with these options, always the same: its cache spares a test the seconds that Streamlit's scripts
    take to come."""

    return cache(partial(new_browser, chromium))


@pytest.fixture
def visitor(chromium, browsers) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors, ``fresh`` ones with a browser that has never been anywhere; at the end of the test none of them
    may have met a problem."""
    visitors: list[Visitor] = []

    def make(address: str, fresh: bool = False, **options) -> Visitor:
        browser = new_browser(chromium, **options) if fresh else browsers(**options)
        visitors.append(Visitor(browser, address))
        return visitors[-1]

    yield make
    problems = [problem for one in visitors for problem in one.problems]
    for one in visitors:
        one.page.close()
    assert not problems


@pytest.fixture(scope="session")
def board(tmp_path_factory) -> Iterator[str]:
    """A board on the snapshot of the embedded suite."""
    with served(ROOT / "results" / "pocket-cpu", folder=tmp_path_factory.mktemp("board")) as address:
        yield address
