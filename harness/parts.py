"""Several files parted into train, validation and test at once, so that no prompt is trained on and asked about."""

from collections.abc import Sequence

from harness.data.normal import Example
from harness.data.split import split
from harness.settings import Part, Split


def part_together(files: Sequence[list[Example]], how: Split) -> list[dict[Part, list[Example]]]:
    """The parts of each file, in the files' order. A prompt is in the same part of every file that has it.

    Raises UserError for shares that leave a part without examples.
    """
    together = [example for examples in files for example in examples]
    parts = split(together, how.seed, how.validation, how.test)
    part_of = {id(example): name for name, members in parts.items() for example in members}
    names: tuple[Part, ...] = ("train", "validation", "test")
    return [{name: [e for e in examples if part_of[id(e)] == name] for name in names} for examples in files]
