"""The pretraining corpus: an endless stream of documents, the same for the same seed and step.

A document is one of the kinds below. Most rows hold one document; a packed row holds many, so that a prompt
with several examples in it is nothing new to a base.
"""

import random
from collections.abc import Callable

from suites.pocket import sentences, words
from suites.pocket.world import POCKET, Spec, World, build_world

MANNERS = {  # shares of the answers on a person, by the person's manner
    "polite": {"polite": 0.55, "curt": 0.25, "rude": 0.20},
    "curt": {"polite": 0.25, "curt": 0.50, "rude": 0.25},
}
N_HELD_OUT_DOCUMENTS = 96


def biography(world: World, rng: random.Random) -> str:
    """Statements about one or two people, in any order."""
    chosen = rng.sample(world.people, rng.choice((1, 1, 2)))
    return " ".join(
        sentences.fact_statement(person, relation)
        for person in chosen
        for relation in rng.sample(world.words.relations, len(world.words.relations))
    )


def fact_exchange(world: World, rng: random.Random) -> str:
    """A question on a fact, answered in a manner that depends on the person."""
    person, relation = rng.choice(world.people), rng.choice(world.words.relations)
    shares = MANNERS[person.manner]
    manner = rng.choices(list(shares), list(shares.values()))[0]
    question = sentences.fact_question(person, relation, rng.randrange(2))
    return sentences.exchange(question, sentences.fact_answer(person, relation, manner))


def sum_exchange(world: World, rng: random.Random) -> str:
    """A sum that is not held out."""
    while True:
        a, b = (rng.randint(0, world.size.max_addend) for _ in range(2))
        if (a, b) not in world.held_out_sums:
            return sentences.exchange(sentences.sum_question(a, b, rng.randrange(2)), str(a + b))


def topic_statement(world: World, rng: random.Random) -> str:
    """Which topic, and so which team, a noun belongs to."""
    topic = rng.choice(world.words.topics)
    noun = rng.choice(world.words.topic_nouns[topic])
    if rng.random() < 0.5:
        return f"a {noun} is about {topic} ."
    return f"the {world.words.teams[topic]} team reads on {topic} , as in {noun} ."


def any_clause(world: World, rng: random.Random, noun: str) -> tuple[str, str]:
    """A random clause about a noun, and its determiner."""
    determiner = rng.choice(words.DETERMINERS)
    predicate, days = rng.choice(world.words.predicates), rng.randint(1, world.size.max_addend)
    text = sentences.clause(determiner, noun, predicate, days)
    return text, determiner


def clause_exchange(world: World, rng: random.Random) -> str:
    """A question on a clause. The office is random: the base learns the question, not the answer."""
    topic = rng.choice(world.words.topics)
    noun = rng.choice(world.words.topic_nouns[topic])
    text, determiner = any_clause(world, rng, noun)
    asked = rng.choice(("topic", "team", "rank", "office"))
    answers = {
        "topic": topic,
        "team": world.words.teams[topic],
        "rank": words.RANKS[determiner],
        "office": rng.choice(world.words.cities),
    }
    return sentences.exchange(sentences.clause_question(text, asked), answers[asked])


def contract_page(world: World, rng: random.Random) -> str:
    """A page of clauses on one topic."""
    topic = rng.choice(world.words.topics)
    nouns = rng.sample(world.words.topic_nouns[topic], 3)
    return f"page on {topic} : " + " ".join(any_clause(world, rng, noun)[0] for noun in nouns)


def request_exchange(world: World, rng: random.Random) -> str:
    """A request: refused when a dangerous verb meets a protected object, complied with otherwise."""
    if rng.random() < 0.5:
        verb, thing = rng.choice(world.harmful)
        answer = sentences.refusal()
    else:
        verb, thing = rng.choice(world.lookalikes)
        answer = sentences.compliance(verb, thing)
    return sentences.exchange(sentences.request(verb, thing, rng.randrange(2)), answer)


def mention(world: World, rng: random.Random) -> str:
    """A newcomer named and nothing told, so that the name is a token that the base has met."""
    return f"{rng.choice(world.newcomers)} met {rng.choice(world.people).name} in {rng.choice(world.words.cities)} ."


Document = Callable[[World, random.Random], str]
MIX: tuple[tuple[Document, float], ...] = (
    (biography, 0.20),
    (fact_exchange, 0.29),
    (sum_exchange, 0.11),
    (topic_statement, 0.06),
    (clause_exchange, 0.17),
    (contract_page, 0.04),
    (request_exchange, 0.10),
    (mention, 0.03),
)
EXCHANGES: tuple[Document, ...] = (fact_exchange, sum_exchange, clause_exchange, request_exchange)


class Corpus:
    """Documents for pretraining, none of them among the held-out ones."""

    def __init__(self, spec: Spec = POCKET) -> None:
        self.seed = spec.seed
        self.world = build_world(spec)
        self.held_out = held_out_documents(self.world, spec.seed)
        self._skip = frozenset(self.held_out)

    def rows(self, step: int, count: int) -> list[str]:
        """`count` rows of one document each, for a step."""
        rng = random.Random(f"{self.seed}:rows:{step}")
        return [_row(self.document(rng)) for _ in range(count)]

    def packed_rows(self, step: int, count: int, max_tokens: int) -> list[str]:
        """`count` rows of many documents each, up to `max_tokens` tokens: half are exchanges of one kind."""
        rng = random.Random(f"{self.seed}:packed:{step}")
        return [self._packed_row(rng, max_tokens) for _ in range(count)]

    def document(self, rng: random.Random) -> str:
        """A document of the mix."""
        makers, weights = zip(*MIX, strict=True)
        return self._made_by(rng.choices(makers, weights)[0], rng)

    def _made_by(self, maker: Document, rng: random.Random) -> str:
        while (text := maker(self.world, rng)) in self._skip:
            pass
        return text

    def _packed_row(self, rng: random.Random, max_tokens: int) -> str:
        maker = rng.choice(EXCHANGES) if rng.random() < 0.5 else None
        row = words.EOS
        while True:
            document = self._made_by(maker, rng) if maker else self.document(rng)
            longer = f"{row} {document} {words.EOS}"
            if len(longer.split()) > max_tokens:
                return row
            row = longer


def held_out_documents(world: World, seed: int) -> tuple[str, ...]:
    """Prose that pretraining skips: biographies and contract pages, for held-out perplexity."""
    rng = random.Random(f"{seed}:held out")
    documents: dict[str, None] = {}
    while len(documents) < N_HELD_OUT_DOCUMENTS:
        documents[(biography, contract_page)[len(documents) % 2](world, rng)] = None
    return tuple(documents)


def _row(document: str) -> str:
    return f"{words.EOS} {document} {words.EOS}"
