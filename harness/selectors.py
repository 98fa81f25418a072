"""Arms as people name them on a command line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import UserError

KEYS = ("method", "label", "base", "rank")
SHORTEST_ID = 6
LISTED = 12


@dataclass(frozen=True)
class Named:
    """What an arm can be found by. ``name`` is the report's (``lora r=8``)."""

    arm_id: str
    name: str
    label: str
    method: str
    base: str
    rank: int | None

    @property
    def full_name(self) -> str:
        """With its base, as where several bases are shown."""
        return f"{self.name} · {self.base}"


def select(arms: Sequence[Named], selector: str) -> list[Named]:
    """The arms that ``selector`` names: a name in the report or an entry's label, either with `` · base``; the start of
    an id; or ``method=lora,rank=8,base=...,label=...``, where all have to hold and ``|`` parts alternatives.

    Raises UserError, which names what there is, if there is none.
    """
    found = [arm for arm in arms if _names(arm, selector)]
    if not found and (wanted := keyed(selector)):
        found = [arm for arm in arms if all(_facts(arm, key) & values for key, values in wanted.items())]
    if not found:
        raise UserError(f"{selector}: no such arm (known: {listed(arms)})")
    return found


def keyed(selector: str) -> dict[str, set[str]] | None:
    """``method=lora,rank=8|32`` as the values that each key may have; None where it is not of that form."""
    wanted: dict[str, set[str]] = {}
    for part in selector.split(","):
        key, equals, value = (text.strip() for text in part.partition("="))
        if not equals or key not in KEYS:
            return None
        wanted.setdefault(key, set()).update(one.strip() for one in value.split("|"))
    return wanted


def listed(arms: Iterable[Named]) -> str:
    """Their names, the first few of many."""
    names = list(dict.fromkeys(arm.full_name for arm in arms))
    more = f"; and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ("; ".join(names[:LISTED]) or "none yet") + more


def _names(arm: Named, selector: str) -> bool:
    names = (arm.name, arm.label)
    by_id = len(selector) >= SHORTEST_ID and arm.arm_id.startswith(selector)
    return by_id or selector in (*names, *(f"{name} · {arm.base}" for name in names))


def _facts(arm: Named, key: str) -> set[str]:
    """As with ``--only`` of a matrix, an entry may be called after its method or by a name of its own."""
    return {arm.method, arm.label} if key == "method" else {str(getattr(arm, key))}
