"""What the page says of what was measured: each place by itself, and many that settle nothing in one sentence."""

from dataclasses import replace

from harness.claims.evidence import ONE_MEASUREMENT, Measured, Place
from harness.claims.page import _measurements

ONE = Measured("tokens/s", "ratio", 1.1, None, None, None, ONE_MEASUREMENT)
PLACE = Place(
    suite="cost", machine="2 cores", base="small", base_parameters=6_000_000, arms="lora against full_sft",
    in_scope=False, measured=(ONE,), runs=("a", "b"), asked="method=lora against method=full_sft",
)  # fmt: skip


def of(*ratios: float, **changes: object) -> list[Place]:
    return [
        replace(PLACE, measured=(replace(ONE, estimate=ratio),), runs=("a", f"b{ratio}"), **changes)  # type: ignore[arg-type]
        for ratio in ratios
    ]


def test_many_of_another_scale_that_were_measured_once_are_told_together():
    (text,) = _measurements(of(1.1, 0.8, 1.3))
    assert text.startswith("3 pairs, method=lora against method=full_sft: tokens/s 0.80 to 1.30 times")
    assert "4 runs on small" in text


def test_few_are_told_one_by_one():
    assert len(_measurements(of(1.1, 0.8))) == 2


def test_other_bases_and_other_arms_stand_apart():
    assert len(_measurements([*of(1.1, 0.8, 1.3), *of(1.1, 0.8, 1.3, base="large")])) == 2
    assert len(_measurements([*of(1.1, 0.8, 1.3), *of(1.1, 0.8, 1.3, asked="method=lora against method=qlora")])) == 2


def test_what_may_settle_the_claim_is_told_one_by_one():
    assert len(_measurements(of(1.1, 0.8, 1.3, in_scope=True))) == 3
