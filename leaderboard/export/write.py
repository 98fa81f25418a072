"""The static pages of sources, written to a folder that holds nothing else."""

import logging
import re
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path

from streamlit.logger import set_log_level

from harness.errors import UserError
from harness.sources import at_hand
from leaderboard import results
from leaderboard.export.contents import PAGES, TEXTS, Build
from leaderboard.export.page import GENERATOR, Part, document, index
from leaderboard.results import Listing, SectionKey
from leaderboard.scope import Scope

INDEX = "index.html"
MARK = f'<meta name="generator" content="{GENERATOR}">'.encode()
MARK_WITHIN = 1024  # bytes from the start


def export_page(sources: Sequence[Path], folder: Path, *, with_text: bool) -> list[Path]:
    """Write a page for each source (those at hand where none is named) to ``folder``; returns the files.

    One source is ``index.html``; of several that leads to the others. ``with_text`` adds prompts and answers. What an
    earlier export left there is replaced. Raises UserError where there is nothing to show, a source can't be read, or
    the folder holds anything else.
    """
    listings = [results.list_source(path) for path in at_hand(sources)]
    _refuse_unreadable(listings)
    earlier = _earlier(folder)
    pages = _pages(listings, with_text)
    folder.mkdir(parents=True, exist_ok=True)
    for path in earlier:
        if path.name not in pages:
            path.unlink()
    for name, html in pages.items():
        _write(folder / name, html)
    return [folder / name for name in pages]


def _refuse_unreadable(listings: Sequence[Listing]) -> None:
    if not listings:
        raise UserError("--export: no results at hand; name a results file or a snapshot's folder")
    for listing in listings:
        if listing.problem:
            raise UserError(listing.problem)
        if not listing.sections:
            raise UserError(f"{listing.path}: holds no run that has ended")


def _earlier(folder: Path) -> list[Path]:
    """The pages of an earlier export; raises UserError where anything else is there."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise UserError(f"--export {folder}: is a file; name a folder")
    found = sorted(folder.iterdir())
    for path in found:
        if path.is_symlink() or not path.is_file() or MARK not in _start(path):
            raise UserError(
                f"--export {folder}: holds {path.name}, which is no export's; name an empty or a new folder"
            )
    return found


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MARK_WITHIN)


def _pages(listings: Sequence[Listing], with_text: bool) -> dict[str, str]:
    """Every page by its file's name."""
    set_log_level(logging.ERROR)  # the board's caches are used here without a server, of which Streamlit warns
    if len(listings) == 1:
        return {INDEX: _page(listings[0], listings, with_text)}
    names = _file_names([listing.name for listing in listings])
    pages = {name: _page(listing, listings, with_text) for name, listing in zip(names, listings, strict=True)}
    led = [(name, one.name, _holds(one)) for name, one in zip(names, listings, strict=True)]
    return {INDEX: index("tunematrix", led), **pages}


def _page(listing: Listing, listings: Sequence[Listing], with_text: bool) -> str:
    """The page of one of several listings, which its history is over."""
    pages = (*PAGES, TEXTS) if with_text else PAGES
    sections = [_section(Scope(tuple(listings), (key,)), key, pages) for key in listing.sections]
    return document(listing.name, listing.notes, sections)


def _section(scope: Scope, key: SectionKey, pages: Sequence[tuple[str, Build]]) -> Part:
    parts = [Part(title, list(build(scope))) for title, build in pages]
    return Part(f"{key.suite} · {key.hardware} · {key.stack}", (), parts)


def _holds(listing: Listing) -> str:
    return ", ".join(dict.fromkeys(f"{key.suite} on {key.hardware}" for key in listing.sections))


def _file_names(names: Sequence[str]) -> list[str]:
    """A file's name for each, of letters that every system takes, none twice and none the index'."""
    found = [INDEX]
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60].lower() or "results"
        several = chain([f"{plain}.html"], (f"{plain}-{n}.html" for n in count(2)))
        found.append(next(file for file in several if file not in found))
    return found[1:]


def _write(path: Path, html: str) -> None:
    """Whole or not at all."""
    waiting = path.with_name(f".{path.name}.part")
    waiting.write_text(html, encoding="utf-8")
    waiting.replace(path)
