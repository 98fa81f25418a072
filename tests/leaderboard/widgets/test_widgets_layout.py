"""Things beside each other, where there is room."""

from leaderboard.widgets.layout import beside


def test_things_beside_each_other_each_have_a_place(monkeypatch):
    monkeypatch.setattr("streamlit.columns", lambda n: [f"place {k}" for k in range(n)])
    assert list(beside("abc")) == [("place 0", "a"), ("place 1", "b"), ("place 0", "c")]
