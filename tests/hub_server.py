"""A small Hugging Face hub on this machine: enough of its protocol to fetch models and datasets in tests.

    with HubServer() as hub:
        commit = hub.commit("org/name", {"config.json": b"{}"})
        hub.run_python("from huggingface_hub import snapshot_download; ...", home=tmp_path)

``huggingface_hub`` reads its environment when it is imported, so code that is to see this server runs in a
process of its own: ``run_python`` starts one, ``environment`` is what it sets.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]

Files = dict[str, bytes]


@dataclass
class Repository:
    """Commits by hash, and the branches and tags that point at them."""

    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    gated: bool = False

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or commit hash names."""
        return self.refs.get(revision) or (revision if revision in self.commits else None)


class HubServer:
    """Serves repositories on 127.0.0.1 while the context is open; ``requests`` keeps (method, path) of each call."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def commit(self, repo_id: str, files: Files, revision: str = "main", repo_type: str = "model") -> str:
        """Put ``files`` (name to content) as a new commit on the branch ``revision``; returns its 40-digit hash."""
        repository = self.repositories.setdefault((repo_type, repo_id), Repository())
        content = {name: hashlib.sha1(data).hexdigest() for name, data in files.items()}
        parent = repository.refs.get(revision)
        commit = hashlib.sha1(json.dumps([repo_id, parent, content], sort_keys=True).encode()).hexdigest()
        repository.commits[commit] = dict(files)
        repository.refs[revision] = commit
        return commit

    def commit_folder(self, repo_id: str, folder: Path, revision: str = "main", repo_type: str = "model") -> str:
        """``commit`` of every file under ``folder``."""
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        return self.commit(repo_id, files, revision, repo_type)

    def gate(self, repo_id: str, repo_type: str = "model") -> None:
        """Let anyone see that the repository is there, and nobody fetch its files."""
        self.repositories[(repo_type, repo_id)].gated = True

    def downloaded(self) -> list[str]:
        """Names of the files whose content was asked for, in order."""
        return [path.split("/resolve/")[1].split("/", 1)[1] for verb, path in self.requests if _is_get(verb, path)]

    def environment(self, home: Path, *, offline: bool = False) -> dict[str, str]:
        """The environment of a process that uses this hub, with its cache under ``home``."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGINGFACE_"))}
        return {
            **kept,
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "1" if offline else "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "DISABLE_SAFETENSORS_CONVERSION": "1",  # no background thread that asks the real hub for one
            "NO_PROXY": "127.0.0.1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }

    def run_python(self, code: str, home: Path, *, offline: bool = False, timeout_seconds: float = 120) -> str:
        """Standard output of ``python -c code`` in ``environment``; AssertionError with its errors if it fails."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=self.environment(home, offline=offline),
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _is_get(verb: str, path: str) -> bool:
    return verb == "GET" and "/resolve/" in path


class _NotServed(Exception):
    """An answer other than 200, with the code by which the hub tells its clients what is wrong."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def _handler_for(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.hub = hub
    return Handler


class _Handler(BaseHTTPRequestHandler):
    """Answers ``/api/models|datasets/...`` with JSON and ``/.../resolve/...`` with files."""

    protocol_version = "HTTP/1.1"
    hub: HubServer

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests read ``HubServer.requests`` instead."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        self.hub.requests.append((self.command, "/" + "/".join(parts)))
        try:
            if parts[0] == "api" and len(parts) >= 4 and parts[1] in ("models", "datasets"):
                self._send_json(self._api(parts[1].removesuffix("s"), "/".join(parts[2:4]), parts[4:], body))
            elif "resolve" in parts:
                self._send_file(parts)
            else:
                raise _NotServed(404, "EntryNotFound")
        except _NotServed as refusal:
            self._send(refusal.status, b"", {"X-Error-Code": refusal.code})

    def _api(self, repo_type: str, repo_id: str, rest: list[str], body: bytes) -> Any:
        repository = self._repository(repo_type, repo_id)
        verb, revision = (rest[0], rest[1]) if len(rest) > 1 else ("revision", "main")
        commit = self._commit(repository, revision)
        files = repository.commits[commit]
        if verb == "revision":
            siblings = [{"rfilename": name} for name in sorted(files)]
            return {"id": repo_id, "sha": commit, "siblings": siblings, "private": False, "tags": []}
        if verb == "tree":
            recursive = parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower() in ("true", "1")
            return _tree(files, "/".join(rest[2:]), recursive)
        if verb == "paths-info":
            return _paths_info(files, _wanted_paths(body, self.headers.get("Content-Type", "")))
        raise _NotServed(404, "EntryNotFound")

    def _send_file(self, parts: list[str]) -> None:
        split = parts.index("resolve")
        repo_type, owner = ("dataset", parts[1:split]) if parts[0] == "datasets" else ("model", parts[:split])
        repository = self._repository(repo_type, "/".join(owner))
        commit = self._commit(repository, parts[split + 1])
        if repository.gated:
            raise _NotServed(401, "GatedRepo")
        data = repository.commits[commit].get("/".join(parts[split + 2 :]))
        if data is None:
            raise _NotServed(404, "EntryNotFound")
        headers = {"X-Repo-Commit": commit, "ETag": f'"{hashlib.sha1(data).hexdigest()}"', "Accept-Ranges": "bytes"}
        start, end = _byte_range(self.headers.get("Range"), len(data))
        if (start, end) == (0, len(data)):
            self._send(200, data, headers)
        else:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
            self._send(206, data[start:end], headers)

    def _repository(self, repo_type: str, repo_id: str) -> Repository:
        repository = self.hub.repositories.get((repo_type, repo_id))
        if repository is None:
            raise _NotServed(404, "RepoNotFound")
        return repository

    def _commit(self, repository: Repository, revision: str) -> str:
        commit = repository.resolve(revision)
        if commit is None:
            raise _NotServed(404, "RevisionNotFound")
        return commit

    def _send_json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _byte_range(header: str | None, size: int) -> tuple[int, int]:
    """Start and end (exclusive) of a ``Range: bytes=a-b`` header; the whole file where there is none."""
    if not header:
        return 0, size
    first, _, last = header.removeprefix("bytes=").partition("-")
    return int(first), min(int(last) + 1, size) if last else size


def _entry(files: Files, name: str) -> dict[str, Any]:
    data = files[name]
    return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}


def _folders(files: Files) -> set[str]:
    return {str(parent) for name in files for parent in PurePosixPath(name).parents if str(parent) != "."}


def _folder_entry(name: str) -> dict[str, Any]:
    return {"type": "directory", "path": name, "size": 0, "oid": hashlib.sha1(name.encode()).hexdigest()}


def _tree(files: Files, under: str, recursive: bool) -> list[dict[str, Any]]:
    """The listing of the folder ``under`` ("" for the root), as the hub gives it."""
    folders = _folders(files)
    if under and under not in folders:
        raise _NotServed(404, "EntryNotFound")

    def is_listed(path: str) -> bool:
        parents = [str(parent).removeprefix(".") for parent in PurePosixPath(path).parents]
        return under in parents if recursive else parents[0] == under

    listed_folders = [_folder_entry(name) for name in sorted(folders) if is_listed(name)]
    return listed_folders + [_entry(files, name) for name in sorted(files) if is_listed(name)]


def _wanted_paths(body: bytes, content_type: str) -> list[str]:
    if "json" in content_type:
        paths = json.loads(body)["paths"]
        return [paths] if isinstance(paths, str) else paths
    return parse_qs(body.decode()).get("paths", [])


def _paths_info(files: Files, wanted: list[str]) -> list[dict[str, Any]]:
    names = [name.strip("/") for name in wanted]
    folders = _folders(files)
    return [_entry(files, name) for name in names if name in files] + [
        _folder_entry(name) for name in names if name in folders
    ]
