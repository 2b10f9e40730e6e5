"""The login of DAG code's repository: what git asks the image's program, with real git."""

import json
import os
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from airflow_kubernetes.paths import ROOT

USER, PASSWORD = "team/bot", "s3cret\"with\\$(id) %s @:'`signs"
COMMIT = "1" * 40


class Server(ThreadingHTTPServer):
    """A Git server that requires a login, or redirects to another; the logins that it gets."""

    def __init__(self, to: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.to, self.logins = to, list[str]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        login = self.headers.get("Authorization", "")
        self.server.logins += [login] if login else []
        if self.server.to:
            self.send_response(302)
            self.send_header("Location", self.server.to + self.path)
        elif login:
            self.send_response(200)
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="dags"')
        body = f"{COMMIT}\trefs/heads/main\n".encode() if login and not self.server.to else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving(to: str = "") -> Iterator[Server]:
    with Server(to) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(repository: str, server: str, log: Path) -> subprocess.CompletedProcess[str]:
    """`git ls-remote`, with the variables of a pod that fetches DAG code."""
    return subprocess.run(
        ["git", "ls-remote", repository],
        env={
            "PATH": os.environ["PATH"], "HOME": str(log.parent), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ASKPASS": str(ROOT / "images" / "airflow" / "git_login.sh"),
            "GIT_USERNAME": USER, "GIT_PASSWORD": PASSWORD, "GIT_SERVER": server,
            "GIT_TRACE2_EVENT": str(log),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_server_gets_the_login_and_no_process_has_it_as_an_argument(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving() as server:
        done = ask(f"{server.url}/dags.git", server.url, log)
    assert done.stdout == f"{COMMIT}\trefs/heads/main\n", done.stderr
    assert server.logins[0] == f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
    started = [json.loads(line) for line in log.read_text().splitlines()]
    arguments = [event["argv"] for event in started if "argv" in event]
    assert ["git", "ls-remote", f"{server.url}/dags.git"] in arguments
    assert any("git_login.sh" in argument[0] for argument in arguments)
    assert "s3cret" not in log.read_text()


@pytest.mark.parametrize("path", ["", "/team"])
def test_no_other_server_gets_the_login(tmp_path: Path, path: str) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(serving())
        server = stack.enter_context(serving(to=other.url))
        done = ask(f"{server.url}{path}/dags.git", server.url, tmp_path / "log")
    assert done.returncode != 0
    assert f"no login for another server than {server.url}" in done.stderr
    assert "could not read Username" in done.stderr
    assert server.logins == other.logins == []


@pytest.mark.parametrize(
    "question",
    [
        "Username for 'https://git.example.com.evil.test': ",
        "Username for 'https://evil-git.example.com': ",
        "Username for 'http://git.example.com': ",
        "Username for 'https://git.example.com:8443': ",
        "Password for 'https://bot@evil.test': ",
        "Password for 'http://bot@git.example.com': ",
        "Password for 'https://bot@git.example.com:8443': ",
        "Password for 'https://bot@evilgit.example.com': ",
        "Enter passphrase for key '/opt/key': ",
    ],
)
def test_other_questions_are_not_answered(question: str) -> None:
    done = subprocess.run(
        [str(ROOT / "images" / "airflow" / "git_login.sh"), question],
        env={"GIT_SERVER": "https://git.example.com", "GIT_USERNAME": "u", "GIT_PASSWORD": "p"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
