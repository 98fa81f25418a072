"""Train, validation and test: parted by a seed, with the same prompt always on one side."""

from random import Random

from harness.data.normal import Example
from harness.data.words import opening, words
from harness.errors import UserError


def split(examples: list[Example], seed: int, validation: float = 0.1, test: float = 0.1) -> dict[str, list[Example]]:
    """The examples as ``{"train": [...], "validation": [...], "test": [...]}``, each in the order given.

    Examples whose prompts have the same words go to one split together (in a chat: the user's first turn, so that
    no conversation continues in the test what was begun in training). Pass SFT and preference examples in one
    list to keep a prompt on one side across both. ``validation`` and ``test`` are shares of the examples, at least
    one example each, and never more than asked for; a share of 0 asks for no such split. Raises UserError for
    shares that leave nothing to train on, and for a split that would be empty.
    """
    # Written so that NaN fails it.
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise UserError(
            f"split: validation {validation} and test {test} must be shares from 0 that leave some to train on"
        )
    room = {"test": _count(test, len(examples)), "validation": _count(validation, len(examples))}
    wanted = ["train", *(name for name, size in room.items() if size)]
    members: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for group in _shuffled_groups(examples, seed):
        # A group too large for what is left of one split goes to the next, and in the end to train.
        name = next((name for name, size in room.items() if len(group) <= size), "train")
        room[name] = room.get(name, 0) - len(group)
        members[name] += group
    for name in wanted:
        if not members[name]:
            raise UserError(
                f"split: no example for {name} from {len(examples)} examples with the shares validation "
                f"{validation} and test {test}; give more examples with different prompts, or other shares"
            )
    return {name: [examples[place] for place in sorted(places)] for name, places in members.items()}


def _count(share: float, total: int) -> int:
    return max(1, round(share * total)) if share else 0


def _shuffled_groups(examples: list[Example], seed: int) -> list[list[int]]:
    """Places of the examples, grouped by prompt, in an order that the seed fixes."""
    groups: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        text = opening(example)
        groups.setdefault(" ".join(words(text)) or text, []).append(place)
    shuffled = list(groups.values())
    Random(f"split {seed}").shuffle(shuffled)
    return shuffled
