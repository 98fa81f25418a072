"""What stands in memory from moment to moment: peaks stay, and what never changes is told once."""

from hypothesis import given
from hypothesis import strategies as st

from harness.meters.ledger import Account
from harness.meters.timeline import Timeline, thinned


def noted(*totals: int, part: str = "forward", timeline: Timeline | None = None) -> Timeline:
    made = timeline or Timeline("cpu")
    made.begin_step()
    made.part = part  # type: ignore[assignment]
    for activation in totals:
        made.note(Account(weights=7, activation=activation))
    return made


def test_a_list_a_column_and_what_never_changes_once() -> None:
    columns = noted(1, 3, 2).columns()

    assert columns["activation"] == [1, 3, 2]
    assert columns["weights"] == [7]
    assert columns["part"] == ["forward"] * 3
    assert columns["seconds"] == sorted(columns["seconds"])
    assert "allocated" not in columns  # a CPU has no allocator to ask


def test_the_step_with_the_highest_total_is_the_one_that_is_kept() -> None:
    timeline = noted(1, 9, 2)
    noted(3, 4, timeline=timeline)

    assert timeline.columns()["activation"] == [1, 9, 2]


def test_every_part_has_its_own_peak_over_all_steps() -> None:
    timeline = noted(1, 9, 2)
    noted(5, part="backward", timeline=timeline)

    assert timeline.peaks == {"forward": 16, "backward": 12}


def test_nothing_watched_is_nothing_told() -> None:
    assert Timeline("cpu").columns() == {}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=400), st.integers(1, 50))
def test_thinned_it_is_no_longer_than_asked_in_order_and_as_high(totals: list[int], most: int) -> None:
    points = [(float(n), "forward", Account(activation=total), None) for n, total in enumerate(totals)]

    kept = thinned(points, most)  # type: ignore[arg-type]

    assert len(kept) == min(most, len(points))
    assert [p[0] for p in kept] == sorted(p[0] for p in kept)
    assert max(p[2].total for p in kept) == max(totals)
