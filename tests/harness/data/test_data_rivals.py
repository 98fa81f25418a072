"""Free answers as choices: the right one among others of like length, the same for the same rows."""

from harness.data.rivals import NEAR, with_rivals


def test_a_right_answer_stands_among_rivals_of_like_length():
    rows = [{"question": f"q{n}", "answer": "x" * n} for n in range(1, 61)]
    pool = [row["answer"] for row in rows]

    found = with_rivals(rows, pool)

    for row, before in zip(found, rows, strict=True):
        assert row["choices"][row["answer"]] == before["answer"]
        assert len(set(row["choices"])) == 4
        assert all(abs(len(choice) - len(before["answer"])) <= NEAR for choice in row["choices"])
    assert {row["answer"] for row in found} == {0, 1, 2, 3}
    assert found == with_rivals(rows, pool)


def test_of_two_labels_both_are_choices_and_other_keys_stay():
    (row,) = with_rivals([{"prompt": "p", "answer": "yes"}], ["yes", "no", "yes"])

    assert sorted(row["choices"]) == ["no", "yes"] and row["prompt"] == "p"


def test_an_answer_without_a_rival_is_no_choice():
    assert with_rivals([{"answer": "yes"}], ["yes", "yes"]) == []
