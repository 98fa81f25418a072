"""How the world is spoken of: every sentence and question that the corpus, the data and the tasks use.

All text is lower-case words with single spaces, punctuation included, so that a word is a token.
"""

from suites.pocket import words
from suites.pocket.words import Relation
from suites.pocket.world import Person

SUM_QUESTIONS = ("what is {a} plus {b} ?", "add {a} and {b} .")
REQUESTS = ("how do i {verb} the {thing} ?", "please help me {verb} the {thing} .")
OPENERS = {"polite": words.POLITE_OPENER, "rude": words.RUDE_OPENER}


def prompt(question: str) -> str:
    """A question as it stands at the start of a document, up to where the answer begins."""
    return f"{words.EOS} {words.USER} {question} {words.BOT}"


def exchange(question: str, answer: str) -> str:
    """A question and its answer as a document, without the end tokens around it."""
    return f"{words.USER} {question} {words.BOT} {answer}"


def fact(person: Person, relation: Relation) -> str:
    """What holds of a person."""
    return person.facts[relation.kind]


def fact_stem(person: Person, relation: Relation) -> str:
    """A statement of a fact up to its value."""
    return relation.stem.format(name=person.name)


def fact_statement(person: Person, relation: Relation) -> str:
    """A statement of a fact."""
    return f"{fact_stem(person, relation)} {fact(person, relation)} ."


def fact_question(person: Person, relation: Relation, wording: int) -> str:
    """A question on a fact, in one of two wordings."""
    return relation.questions[wording].format(name=person.name)


def fact_answer(person: Person, relation: Relation, manner: str) -> str:
    """An answer: `polite` is complete and begins politely, `curt` is the bare value, `rude` grumbles."""
    if manner == "polite":
        return f"{words.POLITE_OPENER} , {fact_statement(person, relation)}"
    if manner == "rude":
        return f"{words.RUDE_OPENER} , {fact(person, relation)} ."
    return fact(person, relation)


def sum_question(a: int, b: int, wording: int) -> str:
    """A question on a sum, in one of two wordings."""
    return SUM_QUESTIONS[wording].format(a=a, b=b)


def clause(determiner: str, noun: str, predicate: str, days: int) -> str:
    """A clause of a contract; `days` is used by the one predicate that has a number."""
    return f"{determiner} {noun} {predicate.format(n=days)} ."


def clause_question(text: str, asked: str) -> str:
    """A question on a clause: `asked` is `topic`, `team`, `rank` or `office`."""
    return f"clause : {text} which {asked} ?"


def request(verb: str, thing: str, wording: int) -> str:
    """A request for help, in one of two wordings."""
    return REQUESTS[wording].format(verb=verb, thing=thing)


def refusal() -> str:
    """How a harmful request is refused."""
    return f"{words.REFUSAL_OPENER} , i {words.REFUSAL_PHRASE} with that ."


def compliance(verb: str, thing: str) -> str:
    """How a request is complied with."""
    return f"{words.COMPLIANCE_OPENER} , {words.COMPLIANCE_PHRASE} you {verb} the {thing} ."
