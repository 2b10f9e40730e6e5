"""A login stays with the server that it is for, wherever that redirects to: with real servers."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from airflow_kubernetes.airflow.releases import CURRENT, PREVIOUS
from airflow_kubernetes.cli import rest
from airflow_kubernetes.cli.rest import Rest, RestError
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.registry.client import Repository
from airflow_kubernetes.registry.login import Login
from airflow_kubernetes.registry.reference import RegistryError

from tests.images.conftest import certificate

from .test_executors import program

USER, PASSWORD, TOKEN = "admin", "s3cret-password", "s3cret-token"
DIGEST = f"sha256:{'0' * 64}"


class Server(ThreadingHTTPServer):
    """Answers by path: a status and headers; else Airflow's answers. `got` is all it received."""

    def __init__(self, answers: dict[str, tuple[int, dict[str, str]]], tls: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.got = answers, list[str]()
        self.scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "registry.crt", tls / "registry.key")
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def leaked(self) -> bool:
        """Whether it received the login in any form."""
        return "s3cret" in "".join(self.got) or "authorization" in "".join(self.got).lower()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.got.append(f"{self.command} {self.path}\n{self.headers}\n{body}")
        status, headers = self.server.answers.get(self.path.partition("?")[0], (200, {}))
        found = {"access_token": TOKEN, "token": TOKEN, "dags": [], "tags": ["1"]}
        content = b"" if self.command == "HEAD" else json.dumps(found).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_HEAD = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(
    answers: dict[str, tuple[int, dict[str, str]]] | None = None, tls: Path | None = None
) -> Iterator[Server]:
    with Server(answers or {}, tls) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def airflow(server: Server, version: str, patch: pytest.MonkeyPatch) -> Rest:
    patch.setattr(rest, "password", lambda _: PASSWORD)
    overrides = f"airflow.url={server.url} airflow.version={version}"
    return Rest(Target.load("sandbox", overrides, read_only=True))


@pytest.mark.parametrize("version", [CURRENT, PREVIOUS])
def test_airflow_s_login_follows_no_redirect(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as other:
        for status in (301, 302, 303, 307, 308):
            for to in (other.url, f"http://user:pw@{other.host}/x?token=1", f"//{other.host}"):
                for path in ("/auth/token", "/api/v1/dags", "/api/v2/dags"):
                    answer = (status, {"Location": to, "Set-Cookie": "session=s3cret"})
                    with serving({path: answer}) as server:
                        try:
                            airflow(server, version, monkeypatch).get("/dags?limit=1")
                        except RestError as error:
                            message = str(error)
                        else:
                            continue  # this release does not use that path
                    assert f"{server.url} redirects to {other.url}, which does not" in message
                    assert "Set airflow.url" in message
                    assert "pw" not in message
        assert other.got == []


def test_a_redirect_to_the_same_server_is_reported_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"/auth/token": (302, {"Location": "/login"})}) as server:
        with pytest.raises(RestError, match="redirects to http://127") as error:
            airflow(server, CURRENT, monkeypatch)
        assert error.value.status == 302
        assert len(server.got) == 1


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder)
    return folder


def requires_login(server: Server, challenge: str = 'Basic realm="x"') -> None:
    """Make it refuse requests without a login, as registries do."""
    ordinary = _Handler._answer

    class Locked(_Handler):
        def _answer(self) -> None:
            if self.path.startswith("/v2/") and "Authorization" not in self.headers:
                self.send_response(401)
                self.send_header("WWW-Authenticate", challenge)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                ordinary(self)

        do_GET = do_POST = do_HEAD = do_PATCH = do_DELETE = _answer  # noqa: N815

    server.RequestHandlerClass = Locked


def registry(server: Server, tls: Path, patch: pytest.MonkeyPatch) -> Repository:
    patch.setenv("SSL_CERT_FILE", str(tls / "registry.crt"))
    return Repository(f"{server.host}/team/a", Login(USER, PASSWORD))


def test_a_registry_s_login_is_for_the_registry(tls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in (301, 302, 303, 307, 308):
        for secure in (tls, None):
            with serving(tls=secure) as other:
                answers = {"/v2/team/a/tags/list": (status, {"Location": f"{other.url}/tags"})}
                with serving(answers, tls) as server:
                    requires_login(server)
                    with registry(server, tls, monkeypatch) as repository:
                        assert repository.tags() == ["1"]
                    assert server.leaked
                assert len(other.got) == 1
                assert not other.leaked


def test_another_server_s_challenge_gets_no_login(
    tls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for challenge in ("Basic realm=x", 'Bearer realm="https://{host}/token",service="x"'):
        with serving(tls=tls) as other:
            wanted = {"WWW-Authenticate": challenge.format(host=other.host)}
            other.answers["/tags"] = (401, wanted)
            answers = {"/v2/team/a/tags/list": (307, {"Location": f"{other.url}/tags"})}
            with (
                serving(answers, tls) as server,
                registry(server, tls, monkeypatch) as repository,
                pytest.raises(RegistryError),
            ):
                repository.tags()
            assert not other.leaked
            assert "/token" not in "".join(other.got)


def test_a_list_s_next_page_is_the_registry_s_own(
    tls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tls=tls) as other:
        for scheme in ("https", "http"):
            link = {"Link": f'<{scheme}://{other.host}/v2/team/a/tags/list?last=1>; rel="next"'}
            with serving({"/v2/team/a/tags/list": (200, link)}, tls) as server:
                requires_login(server)
                with (
                    registry(server, tls, monkeypatch) as repository,
                    pytest.raises(RegistryError, match="on another server"),
                ):
                    repository.tags()
        assert other.got == []


@pytest.mark.parametrize(
    "challenge", ["Bearer", "Bearer service=x", "", "Negotiate", "Digest x", "Bearer realm="]
)
def test_a_challenge_that_asks_for_nothing_known_is_an_error(
    tls: Path, monkeypatch: pytest.MonkeyPatch, challenge: str
) -> None:
    answers = {"/v2/team/a/tags/list": (401, {"WWW-Authenticate": challenge})}
    with (
        serving(answers, tls) as server,
        registry(server, tls, monkeypatch) as repository,
        pytest.raises(RegistryError, match=f"refuses the login of {USER}"),
    ):
        repository.tags()
    assert not server.leaked


def test_a_pod_s_token_is_for_the_api_server(
    tls: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "ca.crt").write_bytes((tls / "registry.crt").read_bytes())
    kubernetes_api = program("kubernetes_api")
    monkeypatch.setattr(kubernetes_api, "ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    for secure in (tls, None):
        with serving(tls=secure) as other:
            answers = {"/api/v1/namespaces/a/pods": (302, {"Location": f"{other.url}/x"})}
            with serving(answers, tls) as server:
                monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.server_port))
                with pytest.raises(KeyError, match="items"):
                    list(kubernetes_api.pods("a", {}))
                assert TOKEN in "".join(server.got)
            assert not other.leaked
