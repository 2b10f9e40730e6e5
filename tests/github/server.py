"""Speaks the calls of GitHub's API that the poster makes, with pages and refusals."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-that-nobody-may-see"
BOT = "github-actions[bot]"
REPOSITORY = "team/data"
HEAD = "b1946ac92492d2347c6235b4d2611184"
FORK = {"id": 77, "full_name": "stranger/data"}


@dataclass
class Refusal:
    """An answer to the next request of a method, instead of the right one; status 0 hangs up.

    With `after` the request is carried out, and only its answer is lost.
    """

    method: str
    status: int
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    errors: list[Any] = field(default_factory=list)
    after: bool = False


@dataclass
class GitHub:
    """The server's state: one pull request, its comments, one run's artifact."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    stored: list[dict[str, str]] = field(default_factory=list)
    """Headers of the requests to where artifacts are."""
    artifact: bytes | None = None
    claimed_size: int | None = None
    pull: dict[str, Any] = field(
        default_factory=lambda: {
            "number": 12, "state": "open", "head": {"sha": HEAD, "repo": FORK},
        }
    )  # fmt: skip
    url: str = ""

    def comment(self, body: str, user: str | None = BOT) -> int:
        """Add a comment; its id."""
        number = 1000 + len(self.comments)
        account = None if user is None else {"login": user}
        self.comments.append({"id": number, "body": body, "user": account})
        return number

    def bodies(self) -> list[str]:
        """All comments' texts."""
        return [str(comment["body"]) for comment in self.comments]


def packed(**files: str | bytes) -> bytes:
    """An artifact; a name's double underscore stands for a point."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return data.getvalue()


@contextmanager
def serve(github: GitHub) -> Iterator[GitHub]:
    """Listen on a free port of this machine; `github.url` is the API's address."""
    handler = type("Handler", (_Handler,), {"github": github})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        github.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    github: GitHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _handle(self) -> None:
        github = self.github
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        github.requests.append(f"{self.command} {self.path}")
        refusal = next((one for one in github.refusals if one.method == self.command), None)
        if refusal is not None:
            github.refusals.remove(refusal)
            if refusal.after:
                self._answer(json.loads(body) if body else {}, quiet=True)
            if refusal.status == 0:
                self.close_connection = True
                return
            said = {"message": refusal.message, "errors": refusal.errors}
            self._send(refusal.status, said, refusal.headers)
        elif self.path.startswith("/storage/"):
            github.stored.append(dict(self.headers))
            self._send(200, github.artifact or b"")
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"message": "Bad credentials"})
        else:
            self._answer(json.loads(body) if body else {})

    def _answer(self, data: dict[str, Any], *, quiet: bool = False) -> None:
        status, answer, headers = self._route(data)
        if not quiet:
            self._send(status, answer, headers)

    def _route(self, data: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        github, url = self.github, urlsplit(self.path)
        match self.command, url.path.removeprefix(f"/repos/{REPOSITORY}/").split("/"):
            case "GET", ["actions", "runs", _, "artifacts"]:
                size = github.claimed_size or len(github.artifact or b"")
                found = [{"id": 4, "size_in_bytes": size}] if github.artifact is not None else []
                return 200, {"artifacts": found}, {}
            case "GET", ["actions", "artifacts", "4", "zip"]:
                return 302, {}, {"Location": f"{github.url}/storage/4?sig=x"}
            case "GET", ["pulls", "12"]:
                return 200, github.pull, {}
            case "GET", ["issues", "12", "comments"]:
                return self._page(parse_qs(url.query))
            case "POST", ["issues", "12", "comments"]:
                if len(data["body"]) > 65_536:
                    reason = {"code": "custom", "message": "body is too long"}
                    return 422, {"message": "Validation Failed", "errors": [reason]}, {}
                return 201, {"id": github.comment(data["body"])}, {}
            case "PATCH", ["issues", "comments", number]:
                for comment in github.comments:
                    if comment["id"] == int(number):
                        comment["body"] = data["body"]
                return 200, {}, {}
            case "DELETE", ["issues", "comments", number]:
                github.comments = [one for one in github.comments if one["id"] != int(number)]
                return 204, {}, {}
        return 404, {"message": "Not Found"}, {}

    def _page(self, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        """One page of the comments, and the Link header as GitHub writes it."""
        size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
        comments = self.github.comments[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(self.github.comments):
            address = f"{self.github.url}/repos/{REPOSITORY}/issues/12/comments?per_page={size}"
            headers["Link"] = (
                f'<{address}&page={page + 1}>; rel="next", <{address}&page=99>; rel="last"'
            )
        return 200, comments, headers

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)
