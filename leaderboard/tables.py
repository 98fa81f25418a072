"""Tables of figures: which columns, and what their heads say on hovering."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leaderboard.quantities import Quantity, names_of

Form = Literal["text", "number", "bar"]


@dataclass(frozen=True)
class Column:
    """A column of a frame: its ``label`` and unit, what it means, and how its numbers are written (printf)."""

    name: str
    label: str
    meaning: str
    form: Form = "text"
    printf: str = "%g"


def of_quantity(quantity: Quantity, bar: bool = False) -> Column:
    """The column of a quantity, drawn as a bar if asked for."""
    return Column(quantity.name, quantity.title, quantity.meaning, "bar" if bar else "number", quantity.printf)


def text(name: str, label: str, meaning: str) -> Column:
    """A column of words."""
    return Column(name, label, meaning)


def number(name: str, label: str, meaning: str, printf: str = "%g") -> Column:
    """A column of numbers that are in their unit."""
    return Column(name, label, meaning, "number", printf)


ARM = text("name", "arm", "The entry in the matrix, what it starts from, and its rank.")
BASE = text("base", "base", "The base model.")


def ends(quantities: Sequence[Quantity]) -> list[Column]:
    """The columns of the ends of the quantities' intervals."""
    return [
        number(name, f"{one.label} {'from' if n == 0 else 'to'}", "End of the 95 % interval.", one.printf)
        for one in quantities
        for n, name in enumerate(names_of(one)[1:])
    ]
