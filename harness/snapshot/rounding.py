"""When two numbers are the same: another machine's arithmetic may round the last of their digits otherwise."""

from math import isclose
from typing import Any

DIGITS = 1e-9


def same_number(said: Any, given: Any) -> bool:
    """Do the two, numbers or texts of numbers, agree to nine digits?"""
    if isinstance(said, bool) or isinstance(given, bool):
        return False
    try:
        return isclose(float(said), float(given), rel_tol=DIGITS, abs_tol=1e-12)
    except (TypeError, ValueError):
        return False
