"""The static page as HTML: blocks in order, every text of the data escaped, nothing loaded from anywhere."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from harness.report import words
from leaderboard.export import scripts, specs
from leaderboard.export.blocks import Block, Grid, Panels, Picture, Said
from leaderboard.tables import Column

GENERATOR = "tunematrix board --export"
MOST_ROWS = 5000  # of a table; whoever wants more has the results themselves


@dataclass(frozen=True, eq=False)
class Part:
    """A heading and what stands under it; ``parts`` stand under it in turn."""

    title: str
    blocks: Sequence[Block] = ()
    parts: Sequence["Part"] = ()


def document(title: str, notes: Sequence[str], parts: Sequence[Part]) -> str:
    """A whole page, with its scripts, data and style within."""
    code = [scripts.within(one) for one in (scripts.vega(), scripts.own("pictures.js"), scripts.own("tables.js"))]
    body = "".join(_part(part, (n,)) for n, part in enumerate(parts, start=1))
    said = "".join(f"<p>{text(note)}</p>" for note in notes)
    return (
        f"{_head(title, [scripts.digest(one) for one in code])}<body>\n<header><h1><bdi>{text(title)}</bdi></h1>{said}"
        f"<nav aria-label=\"Contents\">{_contents(parts)}</nav>"
        "<noscript><p>The pictures, sorting and filtering need scripts; the tables can be read without.</p></noscript>"
        f"</header>\n<main>\n{body}</main>\n"
        + "".join(f"<script>{one}</script>\n" for one in code)
        + "</body>\n</html>\n"
    )  # fmt: skip


def index(title: str, pages: Sequence[tuple[str, str, str]]) -> str:
    """A page that leads to others: each one's file, name, and what it holds."""
    rows = "".join(
        f'<li><a href="{escape(file)}"><bdi>{text(name)}</bdi></a> {text(holds)}</li>' for file, name, holds in pages
    )
    return f"{_head(title, [])}<body>\n<main><h1>{text(title)}</h1><ul>{rows}</ul></main>\n</body>\n</html>\n"


def text(value: object) -> str:
    """Any text on one line as HTML that shows it as it is."""
    return escape(words.text(value))


def _head(title: str, hashes: Sequence[str]) -> str:
    allowed = " ".join(hashes) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        f'<meta name="generator" content="{GENERATOR}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>\n{scripts.own('page.css')}</style>\n</head>\n"
    )


def _contents(parts: Sequence[Part]) -> str:
    """Links to the parts and to what stands under them."""
    found = []
    for n, part in enumerate(parts, start=1):
        inner = "".join(
            f'<li><a href="#{_anchor((n, m))}">{text(own.title)}</a></li>' for m, own in enumerate(part.parts, start=1)
        )
        found.append(f'<p><a href="#{_anchor((n,))}"><bdi>{text(part.title)}</bdi></a></p><ul>{inner}</ul>')
    return "".join(found)


def _part(part: Part, place: tuple[int, ...]) -> str:
    level = len(place) + 1
    blocks = "".join(_block(block, (*place, n)) for n, block in enumerate(part.blocks, start=1))
    inner = "".join(_part(own, (*place, n)) for n, own in enumerate(part.parts, start=1))
    head = f"<h{level}><bdi>{text(part.title)}</bdi></h{level}>"
    return f'<section id="{_anchor(place)}">{head}\n{blocks}{inner}</section>\n'


def _anchor(place: tuple[int, ...]) -> str:
    return "part-" + "-".join(map(str, place))


def _block(block: Block, place: tuple[int, ...]) -> str:
    if isinstance(block, Said):
        return f"<p>{text(block.text)}</p>\n"
    if isinstance(block, Grid):
        return _grid(block)
    name = "picture-" + "-".join(map(str, place))
    return _picture(block, name) if isinstance(block, Picture) else _panels(block, name)


def _picture(picture: Picture, name: str) -> str:
    return f"<figure>{_drawn(specs.spec(picture.chart), name, picture.about)}{_caption(picture)}</figure>\n"


def _panels(block: Panels, name: str) -> str:
    several = [
        f"<div><h4><bdi>{text(panel.title)}</bdi></h4>"
        f"{_drawn(specs.panel_spec(panel), f'{name}-{n}', f'{block.about}: {panel.title}')}</div>"
        for n, panel in enumerate(block.panels, start=1)
    ]
    return f'<figure><div class="panels">{"".join(several)}</div>{_caption(block)}</figure>\n'


def _drawn(spec: str, name: str, about: str) -> str:
    """Where a picture is drawn, and what from."""
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{text(about)}">'
        f'<div class="picture" data-picture="{name}"></div></div>'
        f'<script type="application/json" id="{name}">{spec}</script>\n'
    )


def _caption(block: Picture | Panels) -> str:
    return f"<figcaption><strong>{text(block.about)}.</strong> {text(block.read)}</figcaption>"


def _grid(grid: Grid) -> str:
    shown = grid.frame.head(MOST_ROWS)
    left_out = f"<p>The first {MOST_ROWS} of {len(grid.frame)} rows.</p>" if len(grid.frame) > MOST_ROWS else ""
    name = text(grid.name)
    heads = "".join(_head_cell(column) for column in grid.columns)
    cells = [list(_cells(shown[column.name], column)) for column in grid.columns]
    rows = "".join(f"<tr>{''.join(row)}</tr>\n" for row in zip(*cells, strict=True))
    meanings = "".join(f"<dt>{text(one.label)}</dt><dd>{text(one.meaning)}</dd>" for one in grid.columns)
    return (
        f'<div data-grid><div class="find"><label>Find in {name} '
        f'<input type="search" autocomplete="off" placeholder="words that a row has"></label>'
        f'<output aria-live="polite"></output></div>{left_out}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table of {name}"><table>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>"
        f"<details><summary>What the columns of {name} mean</summary><dl>{meanings}</dl></details></div>\n"
    )


def _head_cell(column: Column) -> str:
    kind = "" if column.form == "text" else ' class="number"'
    button = f'<button type="button" title="{text(column.meaning)}">{text(column.label)}</button>'
    return f'<th scope="col" aria-sort="none"{kind}>{button}</th>'


def _cells(values: pd.Series, column: Column) -> Iterator[str]:
    if column.form == "text":
        for value in values.astype(object).where(values.notna(), ""):
            yield _words(value)
        return
    numbers = pd.to_numeric(values).astype(float)
    largest = numbers.max() if column.form == "bar" else float("nan")
    for value in numbers:
        yield _number(float(value), column.printf, largest)


def _words(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return f'<td class="lines">{escape(lines(value))}</td>'
    return f"<td>{text(value) if value != '' else ''}</td>"


def lines(value: str) -> str:
    """A text of several lines, without its control characters."""
    return re.sub(r"[^\S\n]", " ", "".join(c for c in value if c.isprintable() or c.isspace()))


def _number(value: float, printf: str, largest: float) -> str:
    if value != value:
        return '<td class="number" data-value=""></td>'
    bar = f' style="--share:{max(0.0, 100 * value / largest):.1f}%"' if largest > 0 else ""
    return f'<td class="number{" bar" if bar else ""}"{bar} data-value="{value!r}">{printf % value}</td>'
