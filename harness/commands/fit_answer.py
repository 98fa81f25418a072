"""What `tunematrix fit` is asked, what it finds, and what that rests on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.predict.devices import Card, assumed_profile, card_named
from harness.predict.fit import METHODS, Fit, fits, ways
from harness.predict.shape import Shape
from harness.predict.shapes import find_shape
from harness.predict.speed import Speed, speed_of
from harness.predict.time import ATTENTION_REACH
from harness.units import parse_count, parse_size
from methods.trainer_arguments import OPTIMIZERS


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know: into ``vram``, or onto ``card``, whose speed is told as well."""

    model: str
    vram: str | None
    card: str | None
    tokens: str | None
    price: float | None
    overhead: str
    methods: Sequence[str]
    ranks: Sequence[int]
    lengths: Sequence[int]
    optimizer: str
    targets: Sequence[str]


@dataclass(frozen=True)
class Answer:
    """What was found for it: the largest batches, and the numbers behind the words that were asked with. ``revision``
    is the commit that a model's config was read at on the hub."""

    asked: Asked
    shape: Shape
    revision: str | None
    limit: int
    overhead: int
    card: Card | None
    tokens: int | None
    fits: Sequence[Fit]

    @property
    def place(self) -> str:
        """Into how much memory, or on which card."""
        return f"on {self.card.name}" if self.card else f"in {self.asked.vram}"

    def speed(self, fit: Fit) -> Speed | None:
        """None without a card, and where nothing fits."""
        return speed_of(self.shape, fit, assumed_profile(self.card)) if self.card else None

    def hours(self, speed: Speed) -> float | None:
        """For as many tokens as were asked about."""
        return None if self.tokens is None else speed.hours(self.tokens)

    def dollars(self, speed: Speed) -> float | None:
        """For as many tokens at the price that was stated."""
        hours = self.hours(speed)
        return None if hours is None or self.asked.price is None else hours * self.asked.price


def answer_to(asked: Asked) -> Answer:
    """What fits; raises UserError for what cannot be answered."""
    card, limit = _limit(asked)
    overhead = parse_size("--overhead", asked.overhead)
    if overhead >= limit:
        given = f"--card {card.name}" if card else f"--vram {asked.vram}"
        raise UserError(f"--overhead {asked.overhead}: leaves nothing of {given}")
    _refuse_unknown("--method", asked.methods, METHODS)
    _refuse_unknown("--optimizer", [asked.optimizer], OPTIMIZERS)
    tokens = _tokens(asked)
    model = find_shape(asked.model)
    targets = asked.targets[0] if list(asked.targets) == ["all-linear"] else tuple(asked.targets)
    chosen = ways(asked.methods or list(METHODS), asked.ranks, asked.optimizer, targets)
    found = list(fits(model.shape, chosen, asked.lengths, limit - overhead))
    return Answer(asked, model.shape, model.revision, limit, overhead, card, tokens, found)


def _limit(asked: Asked) -> tuple[Card | None, int]:
    """The card, if one was named, and the bytes of memory."""
    if (asked.vram is None) == (asked.card is None):
        wrong = "neither is given" if asked.vram is None else "both are given"
        raise UserError(f"--vram SIZE or --card NAME: one of the two is needed, and {wrong}")
    if asked.card is None:
        return None, parse_size("--vram", str(asked.vram))
    card = card_named(asked.card)
    return card, card.memory_bytes


def _tokens(asked: Asked) -> int | None:
    """How many are to be trained on; a price is of their hours, and hours are of a card."""
    if asked.price is not None and not (math.isfinite(asked.price) and asked.price >= 0):
        raise UserError(f"--price {asked.price:g}: expected dollars a GPU hour, 0 or more")
    if asked.price is not None and asked.tokens is None:
        raise UserError(f"--price {asked.price:g}: needs --tokens, the number that is to be paid for")
    if asked.tokens is not None and asked.card is None:
        raise UserError(f"--tokens {asked.tokens}: needs --card, whose speed is to be told")
    return None if asked.tokens is None else parse_count("--tokens", asked.tokens)


def _refuse_unknown(option: str, given: Sequence[str], known: Sequence[str] | dict[str, Any]) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"{option} {name}: there is none such (there are: {', '.join(known)})")


def assumptions(asked: Asked, card: Card | None) -> list[str]:
    """What the answer rests on, none of it measured."""
    lines = [
        "Predicted, not measured: tensors by formula, temporary buffers by estimate.",
        f"Assumed: {asked.overhead} for the device's context and the allocator (--overhead).",
        "Weights, products and AdamW's state in bfloat16 (amp: float32, products in bfloat16); adapters in float32; "
        "4-bit weights as NF4 with double quantisation.",
        "Attention by SDPA; rows as long as the sequence, every token with loss; a preference pair is two rows.",
    ]
    if asked.optimizer.startswith("paged"):
        lines.append("A paged optimizer's large states are counted as moved to the host's memory.")
    return lines + (_assumptions_of_time(card, asked.optimizer) if card else [])


def _assumptions_of_time(card: Card, optimizer: str) -> list[str]:
    profile = assumed_profile(card)
    lines = [
        f"Time is a roofline by {profile.source}; attention {ATTENTION_REACH:.0%} of products' speed; "
        f"{profile.launch_seconds * 1e6:.0f} µs a kernel's launch. All assumed: no time was held against a GPU.",
        "Eager kernels, one optimizer step a batch; data, evaluation and checkpoints take no time.",
    ]
    paged = "What a paged optimizer moves between host and device takes no time here: on a card it does."
    return [*lines, paged] if optimizer.startswith("paged") else lines
