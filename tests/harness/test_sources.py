"""What is read where nobody says what."""

from pathlib import Path

from harness.sources import at_hand


class TestAtHand:
    def test_what_was_asked_for_is_all_there_is(self, tmp_path):
        assert at_hand([Path("mine.db")], tmp_path) == (Path("mine.db"),)

    def test_else_the_local_file_and_the_snapshots(self, tmp_path):
        (tmp_path / "tunematrix.db").touch()
        for name in ("results/b", "results/a"):
            (tmp_path / name).mkdir(parents=True)
            (tmp_path / name / "manifest.json").touch()
        (tmp_path / "results" / "README.md").touch()
        found = [str(path.relative_to(tmp_path)) for path in at_hand([], tmp_path)]
        assert found == ["tunematrix.db", "results/a", "results/b"]

    def test_nothing_is_made_where_there_is_nothing(self, tmp_path):
        assert at_hand([], tmp_path) == ()
        assert list(tmp_path.iterdir()) == []
