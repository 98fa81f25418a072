"""A claim as the file holds it, checked: what is repeated, what can be counted, and which runs would settle it."""

from functools import cached_property
from inspect import signature
from math import inf
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.claims.principles import CALCULATIONS
from harness.selectors import KEYS, keyed

# Names of ``comparison.compare_arms``, the ratio of chosen rates, and moments of ``summary.summarise_merged``.
Quantity = Literal[
    "gain",
    "forgetting",
    "forgetting at matched gain",
    "chosen rate",
    "memory",
    "tokens/s",
    "merged",
    "merged_requantised",
]
COSTS = ("memory", "tokens/s")  # of measure runs
MOMENTS = ("merged", "merged_requantised")  # of one arm, against itself as trained
ALONE = ("memory", *MOMENTS)  # what is asked of one arm


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Claimed(_Strict):
    """Where a figure has to lie for the claim to hold: ``about`` a number, or between ends."""

    about: float | None = None
    within: float = Field(0.05, gt=0, description="Share of `about` by which the figure may be off.")
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Claimed":
        ends = (self.at_least, self.at_most) != (None, None)
        if ends is (self.about is not None):
            raise ValueError("expected `about`, or `at_least`, `at_most` or both")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the most."""
        if self.about is not None:
            off = abs(self.about) * self.within
            return self.about - off, self.about + off
        return -inf if self.at_least is None else self.at_least, inf if self.at_most is None else self.at_most

    def holds(self, low: float, high: float) -> bool | None:
        """Of a figure between ``low`` and ``high``: True where all of that lies inside, False where none does, else
        None: it can't be told."""
        least, most = self.ends
        if least <= low and high <= most:
            return True
        return False if high < least or low > most else None


class Published(_Strict):
    """Figures that somebody else published."""

    says: str
    source: str


class Figure(_Strict):
    """A number that code computes (see ``principles``); with ``claimed`` one that the claim is held against."""

    about: str = ""
    calculate: str
    arguments: dict[str, Any] = {}
    claimed: Claimed | None = None

    @field_validator("calculate")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in CALCULATIONS:
            raise ValueError(f"no such calculation (there are: {', '.join(CALCULATIONS)})")
        return name

    @model_validator(mode="after")
    def _takes_these(self) -> "Figure":
        try:
            signature(CALCULATIONS[self.calculate].function).bind(**self.arguments)
        except TypeError as error:
            raise ValueError(f"{self.calculate}: {error}") from None
        return self

    @cached_property
    def value(self) -> float:
        """The number; raises UserError for a shape, rank or recipe that there is not."""
        return CALCULATIONS[self.calculate].function(**self.arguments)

    @property
    def holds(self) -> bool | None:
        """Does the claim hold by it? None where it is shown beside the claim alone."""
        return None if self.claimed is None else self.claimed.holds(self.value, self.value)


class Condition(_Strict):
    """A quantity of the arms that a rule selects, and where it has to lie: differences in shares of 1, ratios as they
    are, each of the first arm to the second; of one arm alone bytes, or the change by merging it."""

    quantity: Quantity
    claimed: Claimed


class Scope(_Strict):
    """What a claim speaks of; runs of anything else are shown beside it and settle nothing."""

    device: Literal["cpu", "cuda"] | None = None
    parameters: Claimed | None = None

    def covers(self, device: str, base_parameters: float) -> bool:
        """Are runs on this device, of a base of this size, what it speaks of?"""
        of_size = self.parameters is None or self.parameters.holds(base_parameters, base_parameters)
        return self.device in (None, device) and bool(of_size)


class Rule(_Strict):
    """The runs that settle a claim: arms on one base, in one suite and on one stack, and what has to hold of them."""

    first: str
    second: str | None = None
    suite: str | None = None
    seeds: int = Field(3, ge=1, description="Fewer at the chosen rate settle nothing.")
    conditions: list[Condition] = Field(min_length=1)

    @field_validator("first", "second")
    @classmethod
    def _selects(cls, selector: str | None) -> str | None:
        if selector is not None and keyed(selector) is None:
            raise ValueError(f"expected {'=..., '.join(KEYS)}=... (one of them or several), got {selector!r}")
        return selector

    @model_validator(mode="after")
    def _pair_or_not(self) -> "Rule":
        for one in self.conditions:
            if self.second is None and one.quantity not in ALONE:
                raise ValueError(f"{one.quantity} is of a `first` and a `second`; of one arm: {', '.join(ALONE)}")
            if self.second is not None and one.quantity in MOMENTS:
                raise ValueError(f"{one.quantity} is of one arm, without a `second`")
        return self


class Claim(_Strict):
    """A claim, and everything that it is held against."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    claim: str
    principle: str = ""
    figures: list[Figure] = []
    published: list[Published] = []
    settled_by: str
    rules: list[Rule] = []
    scope: Scope = Scope()
    depends_on: str | None = None
    remark: str = ""

    @property
    def counted(self) -> list[Figure]:
        """The figures that it is held against."""
        return [figure for figure in self.figures if figure.claimed]


class ClaimsFile(_Strict):
    """The whole file."""

    version: Literal[1]
    claims: list[Claim] = Field(min_length=1)
