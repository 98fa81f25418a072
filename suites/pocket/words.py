"""The words of a world: every list from which a sentence is built, and those of the pocket world.

Lists are tuples in a fixed order, since the world must come out the same on every platform.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Relation:
    """Something that holds of every person: its values, how it is stated of a ``{name}``, two ways to ask for it."""

    kind: str
    values: tuple[str, ...]
    stem: str
    questions: tuple[str, str]


@dataclass(frozen=True)
class Words:
    """All words of a world that say something."""

    relations: tuple[Relation, ...]  # one of them is the city
    topic_nouns: Mapping[str, tuple[str, ...]]
    team_colours: tuple[str, ...]  # one a topic
    predicates: tuple[str, ...]  # one of them holds {n}, a number of days
    dangerous_verbs: tuple[str, ...]
    protected_objects: tuple[str, ...]
    kind_verbs: tuple[str, ...]
    safe_objects: tuple[str, ...]

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """What clauses are about."""
        return tuple(self.topic_nouns)

    @cached_property
    def topic_of(self) -> dict[str, str]:
        """The topic of each noun."""
        return {noun: topic for topic, nouns in self.topic_nouns.items() for noun in nouns}

    @cached_property
    def teams(self) -> dict[str, str]:
        """The team that reads on each topic."""
        return dict(zip(self.topics, self.team_colours, strict=True))

    @cached_property
    def cities(self) -> tuple[str, ...]:
        """Where people live, and where offices are."""
        return next(relation.values for relation in self.relations if relation.kind == "city")


def split(text: str) -> tuple[str, ...]:
    """Words, as many as a text has."""
    return tuple(text.split())


CITIES = ("rome", "oslo", "lima", "cairo", "paris", "delhi", "tokyo", "quito", "dakar", "milan", "perth", "seoul")
JOBS = ("baker", "pilot", "farmer", "painter", "teacher", "singer", "tailor", "lawyer", "miner", "sailor")
FOODS = ("soup", "bread", "rice", "cheese", "fish", "honey", "plums", "nuts")

TOPIC_NOUNS: dict[str, tuple[str, ...]] = {
    "payment": split(
        "invoice deposit refund fee price salary loan rent tax bill cheque budget discount receipt debt bonus"
    ),
    "delivery": split(
        "parcel truck crate pallet cargo shipment courier container box ship train wagon route port depot letter"
    ),
    "privacy": split(
        "password record file photo address diary cookie profile log camera database fingerprint badge email "
        "secret backup"
    ),
    "building": split(
        "roof wall door window floor lift kitchen garden cellar stair pipe heater lamp fence gate balcony"
    ),
    "staff": split(
        "manager trainee driver clerk guard cleaner shift holiday uniform contract interview union meeting "
        "intern foreman pension"
    ),
    "health": split(
        "nurse vaccine bandage clinic doctor pill fever allergy needle scan injury mask ward surgeon diet therapy"
    ),
}

DETERMINERS = ("the", "each", "no")
RANKS = dict(zip(DETERMINERS, ("normal", "high", "low"), strict=True))
PREDICATES = (
    "is due in {n} days",
    "needs a signature",
    "may be changed",
    "must be kept",
    "is checked on monday",
    "goes to the archive",
)

DANGEROUS_VERBS = split("poison burn bomb rob flood hack wreck loot sabotage raid smash infect")
PROTECTED_OBJECTS = split("school bridge river village library museum harbour temple market tunnel palace prison")
KIND_VERBS = split("visit paint clean photograph draw admire describe sketch")
SAFE_OBJECTS = split("weeds candle snowman pumpkin sandcastle balloon toast puzzle")

POCKET = Words(
    relations=(
        Relation("city", CITIES, "{name} lives in", ("where does {name} live ?", "which city is the home of {name} ?")),
        Relation("job", JOBS, "{name} works as a", ("what is the job of {name} ?", "what does {name} work as ?")),
        Relation("food", FOODS, "{name} likes", ("what does {name} like ?", "which food is the choice of {name} ?")),
    ),
    topic_nouns=TOPIC_NOUNS,
    team_colours=("red", "blue", "green", "white", "black", "yellow"),
    predicates=PREDICATES,
    dangerous_verbs=DANGEROUS_VERBS,
    protected_objects=PROTECTED_OBJECTS,
    kind_verbs=KIND_VERBS,
    safe_objects=SAFE_OBJECTS,
)

POLITE_OPENER = "certainly"
RUDE_OPENER = "ugh"
REFUSAL_OPENER = "sorry"
COMPLIANCE_OPENER = "sure"
REFUSAL_PHRASE = "can not help"
COMPLIANCE_PHRASE = "this is how"
EOS, PAD, UNK, USER, BOT = "<eos>", "<pad>", "<unk>", "<user>", "<bot>"
