"""The words of the pocket world: every list from which a sentence is built.

Lists are tuples in a fixed order, since the world must come out the same on every platform.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CITIES = ("rome", "oslo", "lima", "cairo", "paris", "delhi", "tokyo", "quito", "dakar", "milan", "perth", "seoul")
JOBS = ("baker", "pilot", "farmer", "painter", "teacher", "singer", "tailor", "lawyer", "miner", "sailor")
FOODS = ("soup", "bread", "rice", "cheese", "fish", "honey", "plums", "nuts")

TOPIC_NOUNS: dict[str, tuple[str, ...]] = {
    "payment": _words(
        "invoice deposit refund fee price salary loan rent tax bill cheque budget discount receipt debt bonus"
    ),
    "delivery": _words(
        "parcel truck crate pallet cargo shipment courier container box ship train wagon route port depot letter"
    ),
    "privacy": _words(
        "password record file photo address diary cookie profile log camera database fingerprint badge email "
        "secret backup"
    ),
    "building": _words(
        "roof wall door window floor lift kitchen garden cellar stair pipe heater lamp fence gate balcony"
    ),
    "staff": _words(
        "manager trainee driver clerk guard cleaner shift holiday uniform contract interview union meeting "
        "intern foreman pension"
    ),
    "health": _words(
        "nurse vaccine bandage clinic doctor pill fever allergy needle scan injury mask ward surgeon diet therapy"
    ),
}
TOPICS = tuple(TOPIC_NOUNS)
TEAMS = dict(zip(TOPICS, ("red", "blue", "green", "white", "black", "yellow"), strict=True))

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

DANGEROUS_VERBS = _words("poison burn bomb rob flood hack wreck loot sabotage raid smash infect")
PROTECTED_OBJECTS = _words("school bridge river village library museum harbour temple market tunnel palace prison")
KIND_VERBS = _words("visit paint clean photograph draw admire describe sketch")
SAFE_OBJECTS = _words("weeds candle snowman pumpkin sandcastle balloon toast puzzle")

POLITE_OPENER = "certainly"
RUDE_OPENER = "ugh"
REFUSAL_OPENER = "sorry"
COMPLIANCE_OPENER = "sure"
REFUSAL_PHRASE = "can not help"
COMPLIANCE_PHRASE = "this is how"
EOS, PAD, UNK, USER, BOT = "<eos>", "<pad>", "<unk>", "<user>", "<bot>"
