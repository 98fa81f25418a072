"""What `tunematrix fit` is asked, what it finds, and what that rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.predict.devices import ATTENTION_REACH, Device, device_by_sheet
from harness.predict.fit import METHODS, Fit, fits, ways
from harness.predict.shape import Shape
from harness.predict.shapes import find_shape
from harness.predict.speed import Speed, speed_of
from harness.units import parse_count, parse_size
from methods.trainer_arguments import OPTIMIZERS

DEAREST = 10**6  # dollars a GPU hour
LONGEST = 10**9  # tokens of a sequence


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know: into ``vram``, or onto ``card``, whose speed is told as well. A card is one by its
    data sheet, or a results file whose runs measured theirs."""

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
    card: Device | None
    tokens: int | None
    fits: Sequence[Fit]

    @property
    def place(self) -> str:
        """Into how much memory, or on which card."""
        places = [f"on {self.card.name}"] if self.card else []
        return " ".join([*places, *([f"in {self.asked.vram}"] if self.asked.vram else [])])

    def speed(self, fit: Fit) -> Speed | None:
        """None without a card, and where nothing fits."""
        return speed_of(self.shape, fit, self.card.profile) if self.card else None

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
        given = f"--vram {asked.vram}" if asked.vram else f"--card {asked.card}"
        raise UserError(f"--overhead {asked.overhead}: leaves nothing of {given}")
    _refuse_unknown("--method", asked.methods, METHODS)
    _refuse_unknown("--optimizer", [asked.optimizer], OPTIMIZERS)
    if (longest := max(asked.lengths)) > LONGEST:
        raise UserError(f"--length {longest}: expected at most {LONGEST} tokens")
    tokens = _tokens(asked)
    model = find_shape(asked.model)
    targets = asked.targets[0] if list(asked.targets) == ["all-linear"] else tuple(asked.targets)
    kernels = card.kernels if card else "cuda"
    chosen = ways(asked.methods or list(METHODS), asked.ranks, asked.optimizer, targets, kernels)
    found = list(fits(model.shape, chosen, asked.lengths, limit - overhead))
    return Answer(asked, model.shape, model.revision, limit, overhead, card, tokens, found)


def _limit(asked: Asked) -> tuple[Device | None, int]:
    """The card, if one was named, and the bytes of memory: of a card that was measured, less may be asked about."""
    measured = asked.card is not None and Path(asked.card).exists()
    if asked.card is None and asked.vram is None:
        raise UserError("--vram SIZE or --card NAME: one of the two is needed, and neither is given")
    if asked.card is None:
        return None, parse_size("--vram", str(asked.vram))
    if not measured and asked.vram is not None:
        raise UserError("--vram SIZE or --card NAME: one of the two is needed, and both are given")
    if not measured:
        card = device_by_sheet(asked.card)
    else:
        from harness.measured_device import measured_device

        card = measured_device(Path(asked.card))
    limit = card.memory_bytes if asked.vram is None else parse_size("--vram", asked.vram)
    if limit is None:
        raise UserError(f"--card {asked.card}: {card.name} has no memory of its own; say how much with --vram")
    return card, limit


def _tokens(asked: Asked) -> int | None:
    """How many are to be trained on; a price is of their hours, and hours are of a card."""
    if asked.price is not None and not 0 <= asked.price <= DEAREST:
        raise UserError(f"--price {asked.price:g}: expected dollars a GPU hour, from 0 to {DEAREST}")
    if asked.price is not None and asked.tokens is None:
        raise UserError(f"--price {asked.price:g}: needs --tokens, the number that is to be paid for")
    if asked.tokens is not None and asked.card is None:
        raise UserError(f"--tokens {asked.tokens}: needs --card, whose speed is to be told")
    return None if asked.tokens is None else parse_count("--tokens", asked.tokens)


def _refuse_unknown(option: str, given: Sequence[str], known: Sequence[str] | dict[str, Any]) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"{option} {name}: there is none such (there are: {', '.join(known)})")


def assumptions(answer: Answer) -> list[str]:
    """What the answer rests on, none of it measured."""
    asked, positions = answer.asked, answer.shape.positions
    lines = [
        "Predicted, not measured: tensors by formula, temporary buffers by estimate.",
        f"Assumed: {asked.overhead} for the device's context and the allocator (--overhead).",
        "Weights, products and AdamW's state in bfloat16 (amp: float32, products in bfloat16); adapters in float32; "
        "4-bit weights as NF4 with double quantisation.",
        "Attention by SDPA; rows as long as the sequence, every token with loss; a preference pair is two rows.",
    ]
    if asked.optimizer.startswith("paged"):
        lines.append("A paged optimizer's large states are counted as moved to the host's memory.")
    if positions is not None and (beyond := [str(length) for length in asked.lengths if length > positions]):
        lines.append(
            f"The model was made for {positions} positions (max_position_embeddings), not {', '.join(beyond)}."
        )
    return lines + (_assumptions_of_time(answer.card, asked.optimizer) if answer.card else [])


def _assumptions_of_time(card: Device, optimizer: str) -> list[str]:
    profile = card.profile
    launch = f"{profile.launch_seconds * 1e6:.2g} µs a kernel's launch"
    rest = f"{launch}, measured too." if card.measured else f"{launch}. All assumed: no time was held against a GPU."
    assumed = f"attention {ATTENTION_REACH:.0%} of products' speed, assumed"
    attention = assumed if profile.bfloat16_attention_flops is None else "attention as fast as it was measured"
    lines = [
        f"Time is a roofline by {profile.source}; {attention}; {rest}",
        "Eager kernels, one optimizer step a batch; data, evaluation and checkpoints take no time.",
    ]
    paged = "What a paged optimizer moves between host and device takes no time here: on a card it does."
    return [*lines, paged] if optimizer.startswith("paged") else lines
