"""A Git server with a password for each repository, at an address that pods reach: git's own
http-backend, run by a small HTTP server (https://git-scm.com/docs/git-http-backend)."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sandbox import paths

USER, PASSWORD = "airflow", "s3cret/with%@:signs"
# Nothing of the user who runs the tests.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "Test" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "test@example.com" for who in ("AUTHOR", "COMMITTER")},
}


@dataclass(frozen=True)
class GitServer:
    """The repository at `url`, and a clone of it."""

    url: str
    clone: Path

    def commit(self, files: dict[str, str]) -> str:
        """Write these files (text by path) to the branch main; the commit's hash."""
        clone = self.clone
        for name, text in files.items():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_text(text)
        for command in (("add", "--all"), ("commit", "-m", "Test"), ("push", "origin", "main")):
            _git(clone, *command)
        return _git(clone, "rev-parse", "HEAD").strip()


@contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    """An empty repository on a running server, both in `folder`."""
    with git_servers(folder, {"dags": PASSWORD}) as running:
        yield running["dags"]


@contextmanager
def git_servers(folder: Path, passwords: Mapping[str, str]) -> Iterator[dict[str, GitServer]]:
    """Empty repositories by name, each with its password, all on one running server."""
    for name in passwords:
        _git(folder, "init", "--bare", "--initial-branch=main", f"{name}.git")
        _git(folder, "clone", f"{name}.git", f"{name}-clone")

    known = {f"/{name}.git": f"{USER}:{password}" for name, password in passwords.items()}

    class Handler(_Handler):
        root, logins = folder, known

    with ThreadingHTTPServer((paths.BRIDGE_ADDRESS, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{paths.BRIDGE_ADDRESS}:{server.server_port}"
        yield {
            name: GitServer(f"{address}/{name}.git", folder / f"{name}-clone") for name in passwords
        }
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    """Gives each request to git's CGI program."""

    root: Path
    logins: Mapping[str, str]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        repository = self.path[: self.path.find(".git") + 4]
        login = base64.b64encode(self.logins.get(repository, "").encode()).decode()
        if self.headers.get("Authorization") != f"Basic {login}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="dags"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        variables = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env=ENVIRONMENT | variables,
            capture_output=True,
            check=True,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: pytest shows what failed."""


def _git(folder: Path, *command: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *command],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
