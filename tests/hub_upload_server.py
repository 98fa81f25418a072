"""The hub of ``tests.hub_server`` with what an upload needs: repositories are created and commits sent to it.

Files come inside the commit, or, where ``large_files`` says so by their endings, through git-lfs's basic transfer.
"""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.hub_server import Files, HubServer, _handler_for, _NotServed


class UploadServer(HubServer):
    """Takes uploads with the token ``TOKEN``; ``private`` says of each repository whether it was made so."""

    TOKEN = "hf_test"

    def __init__(self, refuse: int | None = None, large_files: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.refuse, self.large_files = refuse, large_files
        self.private: dict[str, bool] = {}
        self.objects: dict[str, bytes] = {}
        self._server.RequestHandlerClass = _uploads_for(self)

    def environment(self, home: Any, *, offline: bool = False, token: str | None = TOKEN) -> dict[str, str]:
        """As of the hub, with a token, and without the transfer that only the real hub has."""
        kept = super().environment(home, offline=offline) | {"HF_HUB_DISABLE_XET": "1"}
        return kept if token is None else kept | {"HF_TOKEN": token}

    def files(self, repo_id: str) -> Files:
        """What is on the main branch of a dataset."""
        repository = self.repositories["dataset", repo_id]
        return repository.commits[repository.refs["main"]]


def _uploads_for(hub: UploadServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_handler_for(hub)):  # type: ignore[misc]
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hub.objects[hashlib.sha256(body).hexdigest()] = body
            self._send(200, b"", {})

        def do_POST(self) -> None:
            parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
            taken = _taken(hub, parts)
            if taken is None:
                super().do_POST()
                return
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hub.requests.append(("POST", self.path))
            try:
                if hub.refuse or self.headers.get("Authorization") != f"Bearer {hub.TOKEN}":
                    raise _NotServed(hub.refuse or 401, "")
                self._send_json(taken(parts, body))
            except _NotServed as refusal:
                self._send(refusal.status, b"", {})

    return Handler


def _taken(hub: UploadServer, parts: list[str]) -> Any:
    """What answers a call of an upload, if it is one."""

    def create(parts: list[str], body: bytes) -> Any:
        wanted = json.loads(body)
        repo_id = f"{wanted['organization']}/{wanted['name']}"
        if ("dataset", repo_id) not in hub.repositories:
            hub.commit(repo_id, {".gitattributes": b""}, repo_type="dataset")
            hub.private[repo_id] = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        return {"url": f"{hub.url}/datasets/{repo_id}", "id": repo_id}

    def preupload(parts: list[str], body: bytes) -> Any:
        files = json.loads(body)["files"]
        large = hub.large_files or ("\0",)
        modes = {file["path"]: "lfs" if file["path"].endswith(large) else "regular" for file in files}
        return {"files": [{"path": p, "uploadMode": mode, "shouldIgnore": False} for p, mode in modes.items()]}

    def batch(parts: list[str], body: bytes) -> Any:
        objects = json.loads(body)["objects"]
        actions = {"upload": {"href": f"{hub.url}/store"}}
        return {"transfer": "basic", "objects": [{**one, "actions": actions} for one in objects]}

    def commit(parts: list[str], body: bytes) -> Any:
        repo_id = "/".join(parts[2:4])
        files = dict(hub.files(repo_id))
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = hub.objects[value["oid"]]
        oid = hub.commit(repo_id, files, repo_type="dataset")
        return {"commitUrl": f"{hub.url}/datasets/{repo_id}/commit/{oid}", "commitOid": oid, "pullRequestUrl": None}

    if parts == ["api", "repos", "create"]:
        return create
    if parts == ["api", "validate-yaml"]:
        return lambda parts, body: {"errors": [], "warnings": []}
    if parts[-3:] == ["lfs", "objects", "batch"]:
        return batch
    return {"preupload": preupload, "commit": commit}.get(parts[4]) if len(parts) > 5 else None
