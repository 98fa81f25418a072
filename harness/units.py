"""Sizes and counts as people write them."""

import re

from harness.errors import UserError

UNITS = {
    **{"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40},
}
LONGEST_PLAIN = len("141.5 GB")  # what takes more is rounded
MOST = 10**18  # no card and no data set comes near it, and a database holds it
COUNTS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def parse_count(option: str, text: str) -> int:
    """``10M``, ``1.5B``, ``500k`` or plain digits; raises UserError, which names ``option``, for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]?)", text.strip())
    unit = COUNTS.get(match[2].upper()) if match else None
    found = 0.0 if match is None or unit is None else float(match[1]) * unit
    if found <= 0.5:
        raise UserError(f"{option} {text}: expected a number above zero, as in 10M, 1.5B or 500000")
    return round(_counted(option, text, found))


def size_text(value: float) -> str:
    """Bytes as MiB, from 1 GiB on as GiB."""
    return f"{value / 2**30:.1f} GiB" if value >= 2**30 else f"{value / 2**20:.1f} MiB"


def plain_size(value: int) -> str:
    """Bytes in the unit that people will have given them in: ``24 GB``, ``24 GiB``, ``1.5 GB``."""
    told = [f"{value / size:.10g} {unit.replace('I', 'i')}" for unit, size in UNITS.items() if size <= value]
    shortest = min(reversed(told), key=len, default=f"{value} B")
    return shortest if len(shortest) <= LONGEST_PLAIN else size_text(value)


def parse_size(option: str, text: str) -> int:
    """Bytes of ``24GB``, ``24 GiB``, ``800MiB``, ``1.5gib``; raises UserError, which names ``option``, for another."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text.strip())
    unit = UNITS.get(match[2].upper()) if match else None
    found = 0.0 if match is None or unit is None else float(match[1]) * unit
    if found <= 0:
        raise UserError(f"{option} {text}: expected a size above zero with its unit, as in 24GB, 24GiB or 800MiB")
    return int(_counted(option, text, found))


def _counted(option: str, text: str, found: float) -> float:
    if found > MOST:
        raise UserError(f"{option} {text}: expected at most {MOST:.0e}")
    return found
