"""Several files are parted together: a prompt is on one side in all of them."""

from harness.data.words import opening
from harness.parts import part_together
from harness.settings import Split

EXAMPLES = [{"prompt": f"question {n}", "completion": "yes"} for n in range(50)]
PAIRS = [{"prompt": f"question {n}", "chosen": "yes", "rejected": "no"} for n in range(20, 60)]


def test_a_prompt_is_in_the_same_part_of_every_file() -> None:
    first, second = part_together([EXAMPLES, PAIRS], Split())

    for part in ("train", "validation", "test"):
        others = {opening(e) for name in second if name != part for e in second[name]}  # type: ignore[index]
        assert not {opening(e) for e in first[part]} & others  # type: ignore[index]


def test_each_example_is_in_one_part_of_its_own_file() -> None:
    first, second = part_together([EXAMPLES, PAIRS], Split(test=0.3))

    assert sum(map(len, first.values())) == len(EXAMPLES)
    assert sum(map(len, second.values())) == len(PAIRS)
    assert all("chosen" in pair for part in second.values() for pair in part)


def test_the_seed_moves_the_parts() -> None:
    first = part_together([EXAMPLES], Split(seed=0))[0]

    assert first == part_together([EXAMPLES], Split(seed=0))[0]
    assert first != part_together([EXAMPLES], Split(seed=1))[0]
