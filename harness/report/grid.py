"""Columns of text side by side. rich's own table lays out a cell at a time: seconds for hundreds of rows."""

from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

GAP = "  "  # between columns; one space where it is tight
NARROWEST = 8  # of a column of words that has to fold


def print_grid(
    console: Console, title: str, headers: Sequence[str], words: Sequence[bool], rows: Sequence[Sequence[str]]
) -> None:
    """A title, headers, a rule and rows; figures to the right, columns of ``words`` to the left.

    Where the console is too narrow, words fold over several lines and no figure is cut. Texts are printed as they are.
    """
    cells = [headers, *rows]
    needed = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    gap = GAP if sum(needed) + len(GAP) * len(needed) <= console.width else " "
    widths = _widths(needed, words, console.width - len(gap) * (len(needed) - 1))
    lines = [line for row in cells for line in _lines(row, widths, words, gap)]
    head = len(_lines(headers, widths, words, gap))
    rule = "─" * (sum(widths) + len(gap) * (len(widths) - 1))
    text = Text.assemble(
        (f"{title}\n", "bold"), ("\n".join(lines[:head]), "bold"), f"\n{rule}\n", "\n".join(lines[head:])
    )
    console.print(text, no_wrap=True, overflow="ignore", crop=False)


def _widths(needed: Sequence[int], words: Sequence[bool], width: int) -> list[int]:
    """What each column gets: what it needs, or for the widest of words less, as long as the whole is too wide."""
    widths = list(needed)
    while sum(widths) > width:
        n = max((n for n, folds in enumerate(words) if folds), key=lambda n: widths[n], default=None)
        if n is None or widths[n] <= NARROWEST:
            break
        widths[n] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int], words: Sequence[bool], gap: str) -> list[str]:
    """A row's lines: one, unless a cell of words folds."""
    if all(cell_len(cell) <= width for cell, width in zip(row, widths, strict=True)):
        return [_line(row, widths, words, gap)]
    folded = [_fold(cell, width) if folds else [cell] for cell, width, folds in zip(row, widths, words, strict=True)]
    return [_line(line, widths, words, gap) for line in zip_longest(*folded, fillvalue="")]


def _line(cells: Sequence[str], widths: Sequence[int], words: Sequence[bool], gap: str) -> str:
    return gap.join(
        cell + " " * (width - cell_len(cell)) if left else " " * (width - cell_len(cell)) + cell
        for cell, width, left in zip(cells, widths, words, strict=True)
    ).rstrip()


def _fold(cell: str, width: int) -> list[str]:
    """At spaces, and within a word that is wider than the column."""
    lines = [""]
    for word in cell.split(" "):
        while cell_len(word) > width:
            if lines[-1]:
                lines.append("")
            lines[-1] = set_cell_size(word, width)
            word = word[len(lines[-1].rstrip()) :]
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines
