"""The words of the large world: the pocket world's and more of every kind, in the same sentences."""

from suites.pocket import words
from suites.pocket.words import Relation, Words, split

CITIES = words.CITIES + split(
    "cologne berlin lisbon dublin vienna warsaw prague athens havana bogota nairobi lagos tunis accra kigali harare "
    "luanda bamako riyadh dubai tehran kabul lahore mumbai dhaka hanoi manila jakarta osaka kyoto taipei sydney "
    "toronto denver"
)
JOBS = words.JOBS + split(
    "plumber dentist barber butcher carpenter engineer florist gardener hunter jeweller judge librarian mechanic "
    "musician optician porter potter printer ranger reporter roofer sculptor shepherd soldier waiter weaver welder"
)
FOODS = words.FOODS + split(
    "apples beans cabbage carrots cherries chestnuts dates figs garlic grapes lentils mango melon mushrooms noodles "
    "olives onions pancakes peaches pears peppers porridge raisins spinach"
)
SPORTS = split(
    "tennis football cricket golf rugby hockey chess darts squash baseball volleyball badminton handball polo bowls "
    "snooker softball netball lacrosse dominoes"
)
PETS = split(
    "dog cat parrot rabbit hamster tortoise goldfish ferret pony goat canary lizard snake duck pigeon hedgehog"
)
LANGUAGES = split(
    "english french spanish german italian polish dutch greek arabic hindi bengali korean swahili turkish finnish "
    "danish welsh czech hungarian thai"
)

MORE_NOUNS = {
    "payment": split("mortgage voucher ledger coin wage fine pledge dividend"),
    "delivery": split("lorry ferry barrel basket envelope trailer barge airport"),
    "privacy": split("passport mailbox username browser tracker alias footage transcript"),
    "building": split("ceiling chimney corridor carpet attic plaster beam tile"),
    "staff": split("director secretary apprentice payslip rota overtime promotion candidate"),
    "health": split("tablet ointment ambulance fracture syringe cough dose crutch"),
}
NEW_NOUNS = {
    "farming": split(
        "tractor plough harvest meadow orchard barn cattle sheep poultry manure seed crop field well hay silo dairy "
        "goose vineyard pasture scarecrow stable beehive sickle"
    ),
    "energy": split(
        "battery turbine generator cable meter fuel petrol diesel coal reactor grid voltage switch socket boiler "
        "furnace charger pylon transformer gasworks dynamo fuse dam windmill"
    ),
    "travel": split(
        "ticket hotel luggage suitcase tourist guide visa flight cabin hostel cruise itinerary timetable platform "
        "compass map tent rucksack souvenir motorway tram taxi bicycle caravan"
    ),
    "teaching": split(
        "pupil lesson exam textbook classroom homework chalk blackboard essay diploma lecture seminar tutor grade "
        "curriculum ruler notebook kindergarten university scholarship spelling dictation quiz geometry"
    ),
    "cooking": split(
        "oven saucepan ladle recipe apron menu kettle toaster spice broth dough pastry stew salad dessert spoon fork "
        "plate freezer whisk colander grill marinade dumpling"
    ),
    "music": split(
        "violin piano trumpet drum flute guitar cello harp choir orchestra melody concert opera ballad rhythm chord "
        "conductor rehearsal accordion banjo clarinet metronome serenade symphony"
    ),
}

LARGE = Words(
    relations=(
        *(
            Relation(relation.kind, values, relation.stem, relation.questions)
            for relation, values in zip(words.POCKET.relations, (CITIES, JOBS, FOODS), strict=True)
        ),
        Relation("sport", SPORTS, "{name} plays", ("which sport does {name} play ?", "what is the sport of {name} ?")),
        Relation("pet", PETS, "{name} keeps a", ("which animal does {name} keep ?", "what is the pet of {name} ?")),
        Relation(
            "language",
            LANGUAGES,
            "{name} speaks",
            ("which language does {name} speak ?", "what is the language of {name} ?"),
        ),
    ),
    topic_nouns={topic: nouns + MORE_NOUNS[topic] for topic, nouns in words.TOPIC_NOUNS.items()} | NEW_NOUNS,
    team_colours=words.POCKET.team_colours + split("purple orange pink brown grey silver"),
    predicates=(
        *words.PREDICATES,
        "ends in {n} weeks",
        "needs a witness",
        "may be shared",
        "must be insured",
        "is paid twice",
        "belongs to the owner",
    ),
    dangerous_verbs=words.DANGEROUS_VERBS
    + split("demolish torch ransack vandalise besiege pillage defile damage cripple jam topple shatter"),
    protected_objects=words.PROTECTED_OBJECTS
    + split("hospital church castle theatre stadium monument factory nursery embassy lighthouse cathedral aquarium"),
    kind_verbs=words.KIND_VERBS + split("measure film tour praise decorate restore greet study"),
    safe_objects=words.SAFE_OBJECTS + split("bubble jigsaw kite icicle firewood pinecone cushion marshmallow"),
)
