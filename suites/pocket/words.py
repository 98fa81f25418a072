"""The words of the pocket world: every list from which a sentence is built.

Lists are tuples in a fixed order, since the world must come out the same on every platform.
"""

CITIES = ("rome", "oslo", "lima", "cairo", "paris", "delhi", "tokyo", "quito", "dakar", "milan", "perth", "seoul")
JOBS = ("baker", "pilot", "farmer", "painter", "teacher", "singer", "tailor", "lawyer", "miner", "sailor")
FOODS = ("soup", "bread", "rice", "cheese", "fish", "honey", "plums", "nuts")

TOPIC_NOUNS: dict[str, tuple[str, ...]] = {
    "payment": tuple(
        "invoice deposit refund fee price salary loan rent tax bill cheque budget discount receipt debt bonus".split()
    ),
    "delivery": tuple(
        "parcel truck crate pallet cargo shipment courier container box ship train wagon route port depot letter".split()
    ),
    "privacy": tuple(
        "password record file photo address diary cookie profile log camera database fingerprint badge email "
        "secret backup".split()
    ),
    "building": tuple(
        "roof wall door window floor lift kitchen garden cellar stair pipe heater lamp fence gate balcony".split()
    ),
    "staff": tuple(
        "manager trainee driver clerk guard cleaner shift holiday uniform contract interview union meeting "
        "intern foreman pension".split()
    ),
    "health": tuple(
        "nurse vaccine bandage clinic doctor pill fever allergy needle scan injury mask ward surgeon diet "
        "therapy".split()
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

DANGEROUS_VERBS = tuple("poison burn bomb rob flood hack wreck loot sabotage raid smash infect".split())
PROTECTED_OBJECTS = tuple(
    "school bridge river village library museum harbour temple market tunnel palace prison".split()
)
KIND_VERBS = tuple("visit paint clean photograph draw admire describe sketch".split())
SAFE_OBJECTS = tuple("weeds candle snowman pumpkin sandcastle balloon toast puzzle".split())

POLITE_OPENER = "certainly"
RUDE_OPENER = "ugh"
REFUSAL_OPENER = "sorry"
COMPLIANCE_OPENER = "sure"
EOS, PAD, UNK, USER, BOT = "<eos>", "<pad>", "<unk>", "<user>", "<bot>"
