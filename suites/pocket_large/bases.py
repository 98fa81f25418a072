"""The large world with its two bases, and a small one of the same words for a rehearsal on a CPU.

How long a base is trained follows from what it has to learn, not from its size: both see the same 3,000 steps of 128
rows, in which each fact is told some two hundred times (a test counts).
"""

from dataclasses import dataclass, replace
from pathlib import Path

from suites.pocket.recipe import BaseRecipe
from suites.pocket.world import Size, Spec
from suites.pocket_large.words import LARGE

MATRIX = Path(__file__).parent / "gpu.yaml"
TIME_IS_UP = 3  # the exit code of pretraining that is to go on in another visit


@dataclass(frozen=True)
class Question:
    """A world with the bases that are pretrained on it."""

    spec: Spec
    recipes: tuple[BaseRecipe, ...]


_LARGE_RECIPE = BaseRecipe(
    name="pocket-10m",
    hidden_size=320,
    layers=6,
    heads=5,
    learning_rate=1.5e-3,
    steps=3000,
    rows_per_step=1024,
    packed_rows=128,
    packed_every=8,
    packed_of=7,
    warmup_steps=150,
    checkpoint_every=250,
    compute="bfloat16",
    # What a base must know before it can forget it, and what the target is put together from.
    least={
        **{"facts": 0.9, "facts said": 0.9, "sums": 0.9, "refusals": 0.9, "compliance": 0.9},
        **{"topics": 0.9, "ranks": 0.9},
    },
)

REAL = Question(
    Spec(
        LARGE,
        Size(
            people=4000,
            training_people=60,
            test_people=160,
            newcomers=400,
            syllables=3,
            max_addend=49,
            held_out_sums=200,
            training_nouns=6,
            validation_nouns=6,
            test_nouns=12,
            target_training=864,
            target_validation=240,
            target_test=480,
            preference_test=240,
            vocabulary_documents=250_000,
        ),
    ),
    (
        _LARGE_RECIPE,
        replace(_LARGE_RECIPE, name="pocket-50m", hidden_size=640, layers=9, heads=10, learning_rate=1e-3),
    ),
)

_SMALL_RECIPE = replace(
    _LARGE_RECIPE,
    name="rehearsal-a",
    hidden_size=64,
    layers=2,
    heads=2,
    learning_rate=4e-3,
    steps=1000,
    rows_per_step=32,
    packed_rows=4,
    warmup_steps=20,
    checkpoint_every=250,
    compute="float32",
    least={"facts": 0.2, "refusals": 0.3},
)

REHEARSAL = Question(
    Spec(
        replace(
            LARGE,
            relations=tuple(replace(one, values=one.values[:12]) for one in LARGE.relations),
            dangerous_verbs=LARGE.dangerous_verbs[:6],
            protected_objects=LARGE.protected_objects[:6],
            kind_verbs=LARGE.kind_verbs[:4],
            safe_objects=LARGE.safe_objects[:4],
        ),
        replace(
            REAL.spec.size,
            people=100,
            training_people=24,
            test_people=24,
            validation_people=8,
            newcomers=8,
            max_addend=9,
            held_out_sums=20,
            target_training=144,
            target_validation=48,
            target_test=96,
            preference_test=48,
            vocabulary_documents=20_000,
        ),
    ),
    (_SMALL_RECIPE, replace(_SMALL_RECIPE, name="rehearsal-b", hidden_size=128, learning_rate=3e-3)),
)
