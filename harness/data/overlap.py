"""Texts that repeat each other: exact and near duplicates, and eval items that the training data contain.

Near duplicates and eval items are judged on words as ``harness.data.words`` gives them. Shingles are runs of
consecutive words, kept as 64-bit hashes; a collision is too rare to matter for a count.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import chain, pairwise

SHINGLE_WORDS = 8
NEAR_SHARE = 0.8

# GPT-3's contamination check (Brown et al. 2020, appendix C): 13 words, and phrases that occur often are no sign.
ITEM_WORDS = 13
COMMON_IN_RECORDS = 10

# Fewer words than this occur anywhere by chance: such an item counts only where it is the whole of a text.
LEAST_WORDS = 3

Pair = tuple[int, int]


def shingles(words: list[str], length: int) -> set[int]:
    """Hashes of all runs of ``length`` consecutive words."""
    return set(map(hash, zip(*(words[start:] for start in range(length)), strict=False)))


def exact_duplicates(records: Sequence[Hashable]) -> list[Pair]:
    """Pairs (record, the first record equal to it), for each record that repeats one."""
    first: dict[Hashable, int] = {}
    return [
        (place, original)
        for place, record in enumerate(records)
        if (original := first.setdefault(record, place)) != place
    ]


def near_duplicates(records: list[list[str]], skip: set[int]) -> list[Pair]:
    """Pairs (record, an earlier one that it repeats), for each record that shares most of its shingles with one.

    Shares at least ``NEAR_SHARE`` of the 8-word shingles of the longer of the two. A record found to repeat
    another stands for nothing itself, so that a chain of small changes is followed one link only. Records of
    fewer than 8 words, and those to ``skip``, are not looked at.

    Compares only pairs that share one of their rarest shingles: of two sets with an overlap of at least k, ordered
    alike, the first n - k + 1 elements must meet ("prefix filtering", Chaudhuri et al. 2006). Nothing is missed.
    """
    sets = [set() if place in skip else shingles(words, SHINGLE_WORDS) for place, words in enumerate(records)]
    frequency = Counter(chain.from_iterable(sets))
    index: defaultdict[int, list[int]] = defaultdict(list)
    found: list[Pair] = []
    for place, own in enumerate(sets):
        rarest = _rarest(own, frequency)
        earlier = sorted({candidate for shingle in rarest for candidate in index[shingle]})
        match = next((other for other in earlier if _is_near(own, sets[other])), None)
        if match is not None:
            found.append((place, match))
            continue
        for shingle in rarest:
            index[shingle].append(place)
    return found


def _rarest(own: set[int], frequency: Counter[int]) -> list[int]:
    """Of a record's n - k + 1 rarest shingles those that another record has too: all that can bring two together."""
    shared = [shingle for shingle in own if frequency[shingle] > 1]
    alone = len(own) - len(shared)
    left = len(own) - math.ceil(NEAR_SHARE * len(own)) + 1 - alone
    return sorted(shared, key=lambda shingle: (frequency[shingle], shingle))[:left] if left > 0 else []


def _is_near(first: set[int], second: set[int]) -> bool:
    return len(first & second) >= NEAR_SHARE * max(len(first), len(second))


def contaminated(items: list[list[str]], records: list[list[list[str]]]) -> list[Pair]:
    """Pairs (item, a record that contains it), for each eval item found in the training records' texts.

    An item is found where a text is that item, where it contains all the item's words in a row (items of 3 words or
    more), or where it shares a run of 13 words with it that at most 10 records hold.
    """
    if not items:
        return []
    ways = (_by_phrase, _by_containment, _by_whole_text)
    return sorted({item: record for way in ways for item, record in way(items, records)}.items())


def _by_phrase(items: list[list[str]], records: list[list[list[str]]]) -> list[Pair]:
    phrases = [shingles(item, ITEM_WORDS) for item in items]
    wanted = set(chain.from_iterable(phrases))
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for place, texts in enumerate(records):
        for phrase in wanted & _phrases(texts):
            holders[phrase].append(place)
    telling = {phrase: places[0] for phrase, places in holders.items() if len(places) <= COMMON_IN_RECORDS}
    return [
        (item, min(telling[phrase] for phrase in met))
        for item, own in enumerate(phrases)
        if (met := own & telling.keys())
    ]


def _phrases(texts: list[list[str]]) -> set[int]:
    return set(chain.from_iterable(shingles(text, ITEM_WORDS) for text in texts))


def _by_containment(items: list[list[str]], records: list[list[list[str]]]) -> list[Pair]:
    """Items whose words stand in a row in a text; looked for only in records that hold the item's rarest pair."""
    pairs = [set(pairwise(item)) if len(item) >= LEAST_WORDS else set() for item in items]
    known = set(chain.from_iterable(pairs))
    holders: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, texts in enumerate(records):
        for pair in known.intersection(chain.from_iterable(map(pairwise, texts))):
            holders[pair].append(place)
    found = []
    for number, (item, own) in enumerate(zip(items, pairs, strict=True)):
        places = min((holders[pair] for pair in own), key=len, default=[])
        match = next((place for place in places if _contains(records[place], item)), None)
        if match is not None:
            found.append((number, match))
    return found


def _contains(texts: list[list[str]], item: list[str]) -> bool:
    line = f" {' '.join(item)} "
    return any(line in f" {' '.join(text)} " for text in texts)


def _by_whole_text(items: list[list[str]], records: list[list[list[str]]]) -> list[Pair]:
    """Items of any length that are the whole of a text."""
    first: dict[tuple[str, ...], int] = {}
    for place, texts in enumerate(records):
        for text in texts:
            first.setdefault(tuple(text), place)
    return [(number, first[tuple(item)]) for number, item in enumerate(items) if item and tuple(item) in first]
