"""What cards can do: public ones by their data sheets, and any device as it was measured."""

from dataclasses import dataclass

from harness.errors import UserError
from harness.predict.layers import FLOAT32

TERA, GIGA = 10**12, 10**9

# What of a data sheet's peak is reached. Assumptions from what is published, none measured here: cuBLAS's large bf16
# products run at 0.6 to 0.85 of it (less on cards that their power limit slows down), streaming copies at 0.8 to 0.92.
PRODUCTS_REACH = 0.7
COPIES_REACH = 0.8
# Of a large product's speed, what fused attention reaches: FlashAttention-2 (Dao 2023, section 4) tells 0.5 to 0.73 of
# an A100's peak, and FlashAttention-3 (Shah et al. 2024, section 1) 0.35 of an H100's for it. Assumed between them.
ATTENTION_REACH = 0.7
# Assumed seconds from one kernel's start to the next as PyTorch issues them one by one from Python: a bare launch takes
# about 5 microseconds, and the dispatcher and autograd take as long again.
LAUNCH_SECONDS = 10e-6


@dataclass(frozen=True)
class Card:
    """A card's data sheet: memory, dense (not sparse) operations a second, and bytes a second."""

    name: str
    memory_bytes: int  # in units of 10**9: what a driver reports is a little more, or with ECC less
    bfloat16_flops: float  # of the tensor cores, with sums in float32
    float32_flops: float  # without tensor cores, as PyTorch multiplies float32 unless told otherwise
    bandwidth: float


@dataclass(frozen=True)
class Profile:
    """What a device reaches: operations a second of large products, bytes a second (read and written), and seconds
    from one launch to the next. What fused attention reaches with nothing masked has a figure of its own where it is
    measured, and so have bytes a second where large tensors are made. ``source`` says who says so."""

    bfloat16_flops: float
    float32_flops: float
    bandwidth: float
    launch_seconds: float = LAUNCH_SECONDS
    bfloat16_attention_flops: float | None = None
    float32_attention_flops: float | None = None
    fresh_bandwidth: float | None = None
    source: str = "measured"

    def product_flops(self, size: int) -> float:
        """Operations a second of a large product, by the bytes of an element of its operands."""
        return self.float32_flops if size == FLOAT32 else self.bfloat16_flops

    def attention_flops(self, size: int) -> float:
        """The same of fused attention."""
        measured = self.float32_attention_flops if size == FLOAT32 else self.bfloat16_attention_flops
        return measured or ATTENTION_REACH * self.product_flops(size)

    def moving_seconds(self, moved: float, fresh: float) -> float:
        """Seconds in which ``moved`` bytes are read and written, ``fresh`` of them where large tensors are made."""
        return (moved - fresh) / self.bandwidth + fresh / (self.fresh_bandwidth or self.bandwidth)


@dataclass(frozen=True)
class Device:
    """What trains: how much memory it has (None: the host's), what it reaches, by a data sheet or ``measured``, and
    whose ``kernels`` run on it (``cuda`` or ``cpu``)."""

    name: str
    memory_bytes: int | None
    profile: Profile
    measured: bool = False
    kernels: str = "cuda"


CARDS = {
    card.name: card
    for card in (
        # NVIDIA Ampere GA102 GPU Architecture whitepaper V2, appendix A
        Card("rtx-3090", 24 * GIGA, 71 * TERA, 35.6 * TERA, 936 * GIGA),
        # NVIDIA Ada GPU Architecture whitepaper V2, appendix A
        Card("rtx-4090", 24 * GIGA, 165.2 * TERA, 82.6 * TERA, 1008 * GIGA),
        # NVIDIA A100 Tensor Core GPU data sheet and Ampere architecture whitepaper, SXM
        Card("a100-40gb", 40 * GIGA, 312 * TERA, 19.5 * TERA, 1555 * GIGA),
        # NVIDIA A100 80GB data sheet, SXM
        Card("a100-80gb", 80 * GIGA, 312 * TERA, 19.5 * TERA, 2039 * GIGA),
        # NVIDIA L40S data sheet
        Card("l40s", 48 * GIGA, 362.05 * TERA, 91.6 * TERA, 864 * GIGA),
        # NVIDIA H100 Tensor Core GPU data sheet, SXM: 1,979 with sparsity
        Card("h100", 80 * GIGA, 989 * TERA, 67 * TERA, 3350 * GIGA),
        # NVIDIA H200 Tensor Core GPU data sheet, SXM: 1,979 with sparsity
        Card("h200", 141 * GIGA, 989 * TERA, 67 * TERA, 4800 * GIGA),
        # NVIDIA Blackwell Architecture Technical Brief, HGX B200: 4,500 with sparsity; 180 of its 192 GB are usable
        Card("b200", 180 * GIGA, 2250 * TERA, 80 * TERA, 8000 * GIGA),
    )
}


def card_named(name: str) -> Card:
    """The card called ``name``, however it is spelt (``RTX 4090``, ``rtx4090``); raises UserError, listing them."""
    for card in CARDS.values():
        if _plain(card.name) == _plain(name):
            return card
    raise UserError(f"--card {name}: there is none such, and no results file (there are: {', '.join(CARDS)})")


def card_of(device: str) -> Card | None:
    """The card that a driver calls ``device`` (``NVIDIA H100 80GB HBM3``), where its data sheet is known: the one whose
    words are all in it, the longest name first. An H100 of another form than SXM is not told apart."""
    named = _plain(device)
    fitting = [card for card in CARDS.values() if all(_plain(word) in named for word in card.name.split("-"))]
    return max(fitting, key=lambda card: len(card.name), default=None)


def assumed_profile(card: Card) -> Profile:
    """What a card should reach of its data sheet."""
    return Profile(
        bfloat16_flops=card.bfloat16_flops * PRODUCTS_REACH,
        float32_flops=card.float32_flops * PRODUCTS_REACH,
        bandwidth=card.bandwidth * COPIES_REACH,
        source=f"{card.name}'s data sheet, of whose peaks products reach {PRODUCTS_REACH:.0%} and copies "
        f"{COPIES_REACH:.0%}",
    )


def device_by_sheet(name: str) -> Device:
    """The card called ``name`` as it should be; raises UserError, listing those that are known."""
    card = card_named(name)
    return Device(card.name, card.memory_bytes, assumed_profile(card))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
