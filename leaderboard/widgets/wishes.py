"""What a visitor asks of a method: limits, what decides between equals, and what an hour of the device costs."""

from dataclasses import dataclass

import streamlit as st

from harness.analysis import costs
from harness.units import parse_size
from leaderboard import quantities
from leaderboard.rows.choices import DECIDES
from leaderboard.widgets import controls

CARDS = ("8 GB", "16 GB", "24 GB", "40 GB", "48 GB", "80 GB", "141 GB")
ANY, OWN, USUAL_CARD = "any", "own figure", "24 GB"
NO_LIMIT = "no limit"
FORGETTING = ("0", "0.5", "1", "2", "3", "5", "10", "20", NO_LIMIT)
GAIN = (NO_LIMIT, "0", "1", "2", "5", "10", "20", "30", "50")


@dataclass(frozen=True)
class Wishes:
    """What the visitor asks for: ``limits`` as ``recommend.recommend`` takes them, ``said`` the same in words, what
    ``decides`` between equals (a key of ``DECIDES``), and what an hour of the device costs."""

    limits: dict[str, float]
    said: dict[str, str]
    decides: str
    an_hour: float | None


@dataclass(frozen=True)
class Limit:
    """A limit, None where there is none, and what it is in words."""

    value: float | None
    said: str = ""


def memory_limit() -> Limit:
    """Ask for the card's memory, or any other. Raises UserError for one that is no size."""
    card = controls.choose("Memory", [ANY, *CARDS, OWN], key="memory", default=USUAL_CARD,
                           help="What the card has; training must stay below it.")  # fmt: skip
    if card == OWN:
        card = controls.written("How much", key="vram", default=USUAL_CARD, help="As in 24GB, 24GiB or 800MiB.")
    return Limit(None) if card == ANY else Limit(float(parse_size("How much:", card)), f"memory: at most {card}")


def forgetting_limit() -> Limit:
    """Ask how much may be forgotten."""
    points = controls.slide(
        "Forgetting, at most (points)", FORGETTING, key="forgetting", default=NO_LIMIT,
        help="Points of score on general tasks that may be lost.",
    )  # fmt: skip
    return _share(points, "forgetting: at most")


def asked(memory: Limit, forgetting: Limit) -> Wishes:
    """Ask for the rest, and put it together with what is known already."""
    first, second = st.columns(2)
    with first:
        points = controls.slide(
            "Gain, at least (points)", GAIN, key="gain", default=NO_LIMIT,
            help="Points of target score over the untrained base.",
        )  # fmt: skip
        hours = controls.amount("Tuning, at most (hours)", key="hours", help=quantities.TUNING.meaning)
        decides = controls.choose(
            "Between equals decides", list(DECIDES), key="decides", show=lambda name: DECIDES[name],
            help="Which to take of arms whose target scores can't be told apart.",
        )  # fmt: skip
    with second:
        an_hour = controls.amount("Price of an hour of the device", key="price", step=0.1, empty="not known",
                                  help="In any currency; tuning time is shown as a price then.")  # fmt: skip
        budget = controls.amount("Price of tuning, at most", key="budget", help="Needs the price of an hour.")
    time = _time(hours, an_hour, budget)
    known = {
        "memory_bytes": memory,
        "forgetting": forgetting,
        "gain": _share(points, "gain: at least"),
        "whole_tuning_seconds": time,
    }
    there = {name: limit for name, limit in known.items() if limit.value is not None}
    return Wishes(
        {name: limit.value for name, limit in there.items() if limit.value is not None},
        {name: limit.said for name, limit in there.items()},
        decides,
        an_hour or None,
    )


def _share(points: str, bound: str) -> Limit:
    return Limit(None) if points == NO_LIMIT else Limit(float(points) / 100, f"{bound} {points} points")


def _time(hours: float | None, an_hour: float | None, budget: float | None) -> Limit:
    """The stricter of a limit on time and one on the price."""
    found = [] if hours is None else [Limit(3600 * hours, f"tuning: at most {hours:g} h")]
    if an_hour and budget is not None:
        found.append(Limit(costs.seconds_for(budget, an_hour), f"tuning: at most {budget:g} of the currency"))
    return min(found, key=lambda limit: limit.value or 0.0, default=Limit(None))
