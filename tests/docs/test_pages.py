"""The pages that people read: commands that exist, links that lead somewhere, figures that a run has given."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml

from harness.cli import app
from harness.foreign import FORMATS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "suites").rglob("README.md")),
]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REPORT = ROOT / "results" / "pocket-cpu" / "report"
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def fenced(text: str) -> list[str]:
    """The code blocks of a page."""
    return re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def prose(text: str) -> list[str]:
    """Its lines that are neither code nor a table's."""
    return [
        line
        for line in re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE).splitlines()
        if line[:1] != "|"
    ]


def command_lines(block: str) -> Iterator[list[str]]:
    """The words of each `tunematrix ...` in a block of shell, without its comment."""
    for line in block.replace("\\\n", " ").splitlines():
        for part in re.split(r"; |&& | \| | > ", line.removeprefix("$ ")):
            if part.startswith("tunematrix "):
                yield shlex.split(part, comments=True)[1:]


def in_code(text: str) -> Iterator[list[str]]:
    """The same of the commands that a page names in a sentence."""
    for command in re.findall(r"`tunematrix\s([^`]+)`", text):
        yield shlex.split(command)


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub makes links of them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def by_page(paths: list[Path]) -> list:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


class TestCommands:
    @pytest.mark.parametrize("page", by_page(PAGES))
    def test_a_printed_command_line_is_one_that_the_command_takes(self, page):
        for block in fenced(page.read_text(encoding="utf-8")):
            for name, *words in command_lines(block):
                COMMANDS[name].make_context(name, words)  # raises where an option or an argument is not right

    @pytest.mark.parametrize("page", by_page(PAGES))
    def test_a_command_in_a_sentence_has_the_options_that_are_named(self, page):
        for name, *words in in_code(page.read_text(encoding="utf-8")):
            known = {
                option for parameter in COMMANDS[name].params for option in (*parameter.opts, *parameter.secondary_opts)
            }
            assert {word for word in words if word.startswith("-")} <= known, f"tunematrix {name} {words}"

    def test_so_are_those_of_the_example_gate(self):
        workflow = yaml.safe_load((ROOT / "examples" / "gate.yml").read_text(encoding="utf-8"))
        found = [line for step in workflow["jobs"]["gate"]["steps"] for line in command_lines(step.get("run", ""))]
        assert found
        for name, *words in found:
            COMMANDS[name].make_context(name, words)

    def test_every_format_of_import_is_named_in_its_help_and_on_a_page(self):
        (option,) = (one for one in COMMANDS["import"].params if "--format" in one.opts)
        page = (ROOT / "docs" / "snapshots.md").read_text(encoding="utf-8")
        assert all(name in option.help and f"| `{name}` |" in page for name in (*FORMATS, "snapshot", "results"))


@pytest.mark.parametrize("page", by_page(PAGES))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", by_page([page for page in PAGES if page.parent.name != "results"]))
def test_lines_are_no_longer_than_120_characters(page):
    assert [line for line in prose(page.read_text(encoding="utf-8")) if len(line) > 120] == []


def test_a_column_is_made_by_the_function_that_the_page_names():
    page = (ROOT / "docs" / "measuring.md").read_text(encoding="utf-8")
    _, _, section = page.partition("## From rows to columns")
    named = re.findall(r"`(\w+)\.(\w+)`", section.partition("\n## ")[0])
    assert len(named) > 15
    for module, function in named:
        assert callable(getattr(importlib.import_module(f"harness.analysis.{module}"), function)), function


class TestTheReadmesFigures:
    """They are those of results/pocket-cpu."""

    @pytest.fixture
    def main(self) -> list[dict[str, str]]:
        """The rows of the report's first table, as it shows them."""
        text = (REPORT / "report.md").read_text(encoding="utf-8").replace("\\", "")
        head, _, *rows = text.partition("### Methods\n\n")[2].partition("\n\n")[0].splitlines()
        columns = [cell.strip() for cell in head.strip("|").split("|")]
        return [dict(zip(columns, (c.strip() for c in row.strip("|").split("|")), strict=True)) for row in rows]

    def test_the_table_is_printed_by_the_report(self):
        (block,) = (block for block in fenced(README) if block.startswith("Methods on pocket-1m"))
        wide = {**os.environ, "COLUMNS": "140", "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-m", "harness.cli", "report", str(REPORT.parent)]
        printed = subprocess.run(words, env=wide, capture_output=True, text=True, check=True).stdout
        assert block in "\n".join(line.rstrip() for line in printed.splitlines())

    def test_its_legend_is_the_reports(self):
        _, _, table = (REPORT / "report.md").read_text(encoding="utf-8").partition("### Methods\n")
        legend = [line for line in table.partition("### ")[0].splitlines() if line.startswith("- ")]
        said = " ".join(README.split())
        assert len(legend) > 5
        assert [line for line in legend if line not in said] == []

    def test_every_estimate_that_it_speaks_of_has_the_reports_interval(self, main):
        estimate = r"[+-]?\d+\.\d \[[+-]?\d+\.\d, [+-]?\d+\.\d\]"
        _, _, told = README.partition("What this run says")
        figures = re.findall(estimate, told.partition("\n## ")[0])
        assert len(figures) > 10
        known = {figure for row in main for cell in row.values() for figure in re.findall(estimate, cell)}
        assert set(figures) <= known
