"""Repeats are found where they are planted, and not where they are not."""

import random
from itertools import chain

from harness.data.overlap import contaminated, exact_duplicates, near_duplicates, shingles

RANDOM = random.Random(0)


def text(length: int) -> list[str]:
    return [f"word{RANDOM.randrange(10_000)}" for _ in range(length)]


def changed(words: list[str], *places: int) -> list[str]:
    return [f"{word}x" if place in places else word for place, word in enumerate(words)]


def test_shingles_are_runs_of_words():
    assert len(shingles(list("abcdefghij"), 8)) == 3
    assert shingles(list("abc"), 8) == set()


def test_each_repetition_points_to_the_first():
    assert exact_duplicates(["a", "b", "a", "a"]) == [(2, 0), (3, 0)]


def test_a_record_with_a_word_changed_is_a_near_duplicate():
    original = text(60)
    assert near_duplicates([text(60), original, text(60), changed(original, 30)], set()) == [(3, 1)]


def test_a_record_with_three_far_words_changed_is_none():
    original = text(60)
    assert near_duplicates([original, changed(original, 10, 30, 50)], set()) == []


def test_a_record_that_another_one_contains_as_a_small_part_is_none():
    original = text(30)
    assert near_duplicates([original, original + text(100)], set()) == []


def test_unlike_records_are_none():
    assert near_duplicates([text(60) for _ in range(200)], set()) == []


def test_a_shared_opening_is_no_duplicate():
    opening = text(40)
    assert near_duplicates([opening + text(60) for _ in range(50)], set()) == []


def test_records_to_skip_and_records_of_few_words_are_not_looked_at():
    original, short = text(60), text(5)
    assert near_duplicates([original, original, short, short], {1}) == []


def test_the_pairs_compared_miss_none_that_all_pairs_would_show():
    blocks = [text(12) for _ in range(10)]
    chosen = [RANDOM.sample(blocks, RANDOM.choice([2, 3, 6])) for _ in range(150)]
    records = [list(chain.from_iterable(parts)) for parts in chosen]
    records += [changed(record, RANDOM.randrange(24)) for record in records[:50]]
    sets = [shingles(record, 8) for record in records]
    kept: list[int] = []
    expected = []
    for place, own in enumerate(sets):
        match = next((o for o in kept if len(own & sets[o]) >= 0.8 * max(len(own), len(sets[o]))), None)
        expected.append((place, match)) if match is not None else kept.append(place)
    expected = [pair for pair in expected if pair[1] is not None]
    assert 20 < len(expected) < 150
    assert near_duplicates(records, set()) == expected


def test_an_item_is_found_where_a_text_contains_it():
    item = text(5)
    assert contaminated([text(5), item], [[text(9)], [text(4), text(3) + item + text(3)]]) == [(1, 1)]


def test_an_item_is_not_found_across_two_texts_of_a_record():
    item = text(6)
    assert contaminated([item], [[item[:3], item[3:]]]) == []


def test_an_item_is_not_found_in_part_of_a_word():
    item, elsewhere = ["cat", "sat", "on", "it"], ["cat sat here", "cat sat there", "on it came", "on it went"]
    records = [[line.split()] for line in ("bobcat sat on it", "cat sat on items", *elsewhere)]
    assert contaminated([item], records) == []
    assert contaminated([item], [*records, [["the", *item, "all"]]]) == [(0, 6)]


def test_a_long_item_is_found_by_thirteen_of_its_words():
    item = text(40)
    assert contaminated([item], [[text(9) + item[10:23] + text(9)]]) == [(0, 0)]
    assert contaminated([item], [[text(9) + item[10:22] + text(9)]]) == []


def test_a_phrase_that_many_records_hold_is_no_sign():
    phrase = text(13)
    records = [[phrase + text(9)] for _ in range(11)]
    assert contaminated([phrase + text(9)], records) == []
    assert contaminated([phrase + text(9)], records[:10]) == [(0, 0)]


def test_an_item_that_many_records_hold_in_full_is_found_all_the_same():
    item = text(20)
    assert contaminated([item], [[item + text(3)] for _ in range(30)]) == [(0, 0)]


def test_an_item_of_two_words_is_found_only_where_it_is_the_whole_text():
    item = ["say", "hello"]
    assert contaminated([item], [[["please", *item]]]) == []
    assert contaminated([item], [[["please", *item]], [item, ["hi"]]]) == [(0, 1)]


def test_an_item_without_words_is_in_nothing():
    assert contaminated([[]], [[[], ["a"]]]) == []
