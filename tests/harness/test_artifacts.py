"""Kept results: whole or not there at all, checked when read, the least recently used leaving first."""

import os
from pathlib import Path

import pytest

from harness.artifacts import evict, folder_digest, is_sound, keep


def write(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "nested").mkdir()
    (folder / "nested" / "config.json").write_text("{}")


def write_other(folder: Path) -> None:
    (folder / "other").write_bytes(b"x")


def write_model(folder: Path) -> None:
    (folder / "model").write_bytes(b"x" * 100)


def test_what_was_kept_is_there_under_its_digest_and_size(tmp_path: Path) -> None:
    digest, size = keep(tmp_path / "store" / "stage", write)

    assert (tmp_path / "store" / "stage" / "nested" / "config.json").read_text() == "{}"
    assert folder_digest(tmp_path / "store" / "stage") == (digest, size)
    assert size == len(b"weights") + len("{}")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def half(folder: Path) -> None:
        write(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        keep(tmp_path / "stage", half)
    assert list(tmp_path.iterdir()) == []


def test_a_crash_before_the_rename_leaves_nothing_at_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", crash)

    with pytest.raises(KeyboardInterrupt):
        keep(tmp_path / "stage", write)
    assert not (tmp_path / "stage").exists()


def test_files_are_on_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, rename = os.fsync, Path.rename

    def noted_sync(handle: int) -> None:
        done.append("sync")
        sync(handle)

    def noted_rename(self: Path, target: Path) -> Path:
        done.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "rename", noted_rename)

    keep(tmp_path / "stage", write)

    assert done == ["sync"] * 3 + ["rename", "sync"]  # two files and a folder, then the folder that holds the name


def test_a_newer_result_takes_an_older_ones_place(tmp_path: Path) -> None:
    keep(tmp_path / "stage", write)
    digest, _ = keep(tmp_path / "stage", write_other)

    assert [path.name for path in (tmp_path / "stage").iterdir()] == ["other"]
    assert is_sound(tmp_path / "stage", digest)


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    digest, _ = keep(tmp_path / "stage", write)
    weights = tmp_path / "stage" / "model.safetensors"
    weights.write_bytes(bytes([weights.read_bytes()[0] ^ 1]) + weights.read_bytes()[1:])

    assert not is_sound(tmp_path / "stage", digest)


@pytest.mark.parametrize("change", ["removed", "added", "renamed", "gone"])
def test_a_changed_folder_is_noticed(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "stage"
    digest, _ = keep(folder, write)
    config = folder / "nested" / "config.json"
    if change == "removed":
        config.unlink()
    elif change == "added":
        (folder / "more").touch()
    elif change == "renamed":
        config.rename(folder / "nested" / "settings.json")
    else:
        folder.rename(tmp_path / "elsewhere")

    assert not is_sound(folder, digest)


def test_bytes_moved_from_one_file_to_the_next_are_noticed(tmp_path: Path) -> None:
    for name, (first, second) in {"one": (b"ab", b"c"), "two": (b"a", b"bc")}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "1").write_bytes(first)
        (tmp_path / name / "2").write_bytes(second)

    assert folder_digest(tmp_path / "one")[0] != folder_digest(tmp_path / "two")[0]


def stored(tmp_path: Path, *names: str) -> list[Path]:
    """Results of 100 bytes each, used in the order of their names."""
    folders = [tmp_path / name for name in names]
    for age, folder in enumerate(folders):
        keep(folder, write_model)
        os.utime(folder, (1000 + age, 1000 + age))
    return folders


def test_the_least_recently_used_leave_first_until_the_rest_fit(tmp_path: Path) -> None:
    first, second, third = stored(tmp_path, "first", "second", "third")

    removed = evict([third, first, second], cap_bytes=200)

    assert removed == [first]
    assert [f.exists() for f in (first, second, third)] == [False, True, True]


def test_reading_a_result_counts_as_using_it(tmp_path: Path) -> None:
    first, second = stored(tmp_path, "first", "second")

    assert is_sound(first, folder_digest(first)[0])

    assert evict([first, second], cap_bytes=100) == [second]


def test_nothing_leaves_below_the_cap(tmp_path: Path) -> None:
    assert evict(stored(tmp_path, "first", "second"), cap_bytes=200) == []


def test_a_result_larger_than_the_cap_leaves(tmp_path: Path) -> None:
    assert len(evict(stored(tmp_path, "only"), cap_bytes=50)) == 1


def test_a_large_result_that_does_not_fit_makes_older_ones_leave_with_it(tmp_path: Path) -> None:
    """Least recently used means just that: an older, smaller one is not kept in its place."""
    old, large, new = stored(tmp_path, "old", "large", "new")
    (large / "model").write_bytes(b"x" * 500)
    os.utime(large, (1001, 1001))

    assert set(evict([old, large, new], cap_bytes=250)) == {old, large}
