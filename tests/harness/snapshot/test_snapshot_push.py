"""A snapshot goes to a dataset repository whole, after it was verified, and every refusal is one line."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from harness.snapshot import verify_snapshot
from tests.factory import ARMS
from tests.harness.snapshot.published import copied, publish, small_database
from tests.hub_upload_server import UploadServer

REPO = "org/results"


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """One run alone: each push verifies first, which takes its time over figures."""
    return small_database(tmp_path_factory.mktemp("tiny") / "r.db", arms={"base": ARMS["base"]})


@pytest.fixture(scope="module")
def snapshot(runs, tmp_path_factory) -> Path:
    return publish(runs, tmp_path_factory.mktemp("published") / "results")


def pushed(hub: UploadServer, folder: Path, home: Path, *words: str, **environment) -> tuple[int, str, list[str]]:
    """Exit code, output and lines of errors of ``tunematrix push``, in a process that sees this hub alone."""
    command = [sys.executable, "-m", "harness.cli", "push", str(folder), REPO, *words]
    seen = hub.environment(home, **environment)
    done = subprocess.run(command, env=seen, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr.splitlines()


def refused(*given, **environment) -> str:
    code, _, errors = pushed(*given, **environment)
    assert code == 2
    assert len(errors) == 1, errors
    return errors[0]


def content(folder: Path) -> dict[str, bytes]:
    return {f"one/{p.relative_to(folder).as_posix()}": p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("large_files", [(), pytest.param((".parquet",), marks=pytest.mark.extended)])
def test_every_file_arrives_in_the_folder_of_its_name(snapshot, tmp_path, large_files):
    with UploadServer(large_files=large_files) as hub:
        code, output, errors = pushed(hub, snapshot, tmp_path)
        assert (code, errors) == (0, [])
        digest = hashlib.sha256((snapshot / "manifest.json").read_bytes()).hexdigest()
        assert output.splitlines() == [
            f"pushed to {hub.url}/datasets/{REPO}/tree/main/one",
            f"manifest.json: SHA-256 {digest}",
        ]
        assert hub.files(REPO) == {".gitattributes": b"", **content(snapshot)}


def test_what_arrived_verifies(snapshot, tmp_path):
    with UploadServer() as hub:
        pushed(hub, snapshot, tmp_path)
        for name, data in hub.files(REPO).items():
            (tmp_path / "back" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "back" / name).write_bytes(data)
    assert verify_snapshot(tmp_path / "back" / "one").problems == []


@pytest.mark.parametrize(
    ("words", "private"),
    [((), True), pytest.param(("--private",), True, marks=pytest.mark.extended), (("--public",), False)],
)
def test_a_new_repository_is_private_unless_it_is_to_be_public(snapshot, tmp_path, words, private):
    with UploadServer() as hub:
        pushed(hub, snapshot, tmp_path, *words)
        assert hub.private == {REPO: private}


def test_the_same_one_again_is_well(snapshot, tmp_path):
    with UploadServer() as hub:
        assert pushed(hub, snapshot, tmp_path)[0] == pushed(hub, snapshot, tmp_path)[0] == 0


@pytest.mark.extended
def test_another_one_of_that_name_is_refused_and_the_first_stays(snapshot, runs, tmp_path):
    other = publish(runs, tmp_path / "results", matrix="suite: pocket # other\n")
    with UploadServer() as hub:
        pushed(hub, snapshot, tmp_path)
        assert "holds another snapshot named one" in refused(hub, other, tmp_path)
        assert hub.files(REPO) == {".gitattributes": b"", **content(snapshot)}


def test_what_does_not_verify_is_not_sent(snapshot, tmp_path):
    copy = copied(snapshot, tmp_path / "copy")
    (copy / "README.md").write_text("")
    with UploadServer() as hub:
        assert "does not verify, and is not pushed: README.md: changed" in refused(hub, copy, tmp_path)
        assert hub.requests == []


def test_offline_is_refused_before_anything_is_asked(snapshot, tmp_path):
    with UploadServer() as hub:
        line = refused(hub, snapshot, tmp_path, offline=True)
        assert line == "tunematrix: push: HF_HUB_OFFLINE is set: unset it, for this command alone, to reach the hub"
        assert hub.requests == []


def test_no_token(snapshot, tmp_path):
    with UploadServer() as hub:
        assert "set HF_TOKEN to a token that may write" in refused(hub, snapshot, tmp_path, token=None)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "set HF_TOKEN to a token that may write"),
        pytest.param(403, "the token may not write there", marks=pytest.mark.extended),
        pytest.param(500, "answered 500", marks=pytest.mark.extended),
    ],
)
def test_a_refusal_of_the_hub_is_one_line(snapshot, tmp_path, status, says):
    with UploadServer(refuse=status) as hub:
        assert says in refused(hub, snapshot, tmp_path)


def test_a_hub_that_is_not_there_is_one_line(snapshot, tmp_path):
    with UploadServer() as hub:
        environment = hub.environment(tmp_path)
    command = [sys.executable, "-m", "harness.cli", "push", str(snapshot), REPO]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert f"push to {REPO}: {environment['HF_ENDPOINT']} cannot be used: ConnectError" in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_no_repository_id_is_one_line(snapshot, tmp_path):
    command = [sys.executable, "-m", "harness.cli", "push", str(snapshot), "a/b/c"]
    with UploadServer() as hub:
        done = subprocess.run(command, env=hub.environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr == "tunematrix: push to a/b/c: not the id of a repository: expected org/name\n"
