"""Columns side by side: figures to the right, words to the left, and in a narrow place it is words that fold."""

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.report.grid import print_grid

HEADERS = ["arm", "score"]
WORDS = [True, False]


def printed(rows, width=60, headers=HEADERS, words=WORDS):
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        print_grid(console, "Title", headers, words, rows)
    return capture.get().splitlines()


def test_a_title_headers_a_rule_and_rows():
    assert printed([["lora", "78.3"], ["full", "9.0"]]) == [
        "Title",
        "arm   score",
        "───────────",
        "lora   78.3",
        "full    9.0",
    ]


def test_in_a_narrow_place_words_fold_and_figures_stay_whole():
    lines = printed([["a long name of an arm", "78.3 [74.1, 82.0]"]], width=30)
    assert max(map(cell_len, lines)) <= 30
    assert any("78.3 [74.1, 82.0]" in line for line in lines)
    assert (
        " ".join(line.split("  ")[0].removesuffix(" 78.3 [74.1, 82.0]") for line in lines[3:])
        == "a long name of an arm"
    )


def test_a_word_longer_than_its_column_is_cut_into_lines():
    lines = printed([["x" * 40, "1"]], width=30)
    assert "".join(line.split()[0] for line in lines[3:]) == "x" * 40


def test_signs_that_are_two_cells_wide_keep_columns_straight():
    lines = printed([["模型", "1"], ["ab", "2"]])
    assert len({cell_len(line) for line in lines[1:]}) == 1


@pytest.mark.parametrize("text", ["[red]x[/]", "a[b]c"])
def test_no_markup_is_obeyed(text):
    assert any(text in line for line in printed([[text, "1"]]))
