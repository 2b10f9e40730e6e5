"""The client against real registries: what they have, and the messages if that cannot be known."""

import hashlib
import http.server
import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from airflow_kubernetes.registry import login as logins
from airflow_kubernetes.registry.answers import rate_limit
from airflow_kubernetes.registry.client import Repository, resolve
from airflow_kubernetes.registry.login import Login, LoginError
from airflow_kubernetes.registry.reference import (
    DOCKER_HUB,
    NotFoundError,
    Reference,
    RegistryError,
)

from .conftest import PASSWORD, USER, Running, answering, certificate, free_port, serving
from .images import push_image

NOTHING = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag", "digest"),
    [
        ("python:3.11", DOCKER_HUB, "library/python", "3.11", None),
        ("docker.io/team/airflow", DOCKER_HUB, "team/airflow", None, None),
        ("index.docker.io/team/airflow:1", DOCKER_HUB, "team/airflow", "1", None),
        (f"localhost:5000/a:1@{NOTHING}", "localhost:5000", "a", "1", NOTHING),
        ("ghcr.io/team/x/y", "ghcr.io", "team/x/y", None, None),
        ("10.244.0.1:5000/airflow", "10.244.0.1:5000", "airflow", None, None),
    ],
)
def test_references(
    text: str, host: str, repository: str, tag: str | None, digest: str | None
) -> None:
    assert Reference.parse(text) == Reference(host, repository, tag, digest)


def test_docker_hub_has_one_level() -> None:
    with pytest.raises(RegistryError, match=r"one level .* docker.io/<account>"):
        Reference.parse("docker.io/team/data/airflow")


def test_what_is_there(registry: Running) -> None:
    name = f"{registry.host}/there"
    image = push_image(name, "1", "a")
    digest = image.index.digest
    assert resolve(f"{name}:1@{digest}") == digest
    assert resolve(f"{name}:1") == digest
    with Repository(name) as repository:
        assert repository.children(digest) == [one.digest for one in image.platforms]
        assert repository.children(image.platforms[0].digest) == []
        assert sorted(repository.tags()) == ["1", "1-amd64", "1-arm64"]
    with Repository(f"{registry.host}/nowhere") as repository:
        assert repository.tags() == []
    with pytest.raises(NotFoundError, match=f"{name} has no {NOTHING}"):
        resolve(f"{name}:1@{NOTHING}")
    with pytest.raises(NotFoundError):
        resolve(f"{registry.host}/nowhere:1")


def test_the_variables_of_an_image(registry: Running) -> None:
    name = f"{registry.host}/variables"
    image = push_image(name, "1", "a")
    with Repository(name) as repository:
        for reference in ("1", "1-arm64", image.index.digest, image.platforms[0].digest):
            assert repository.variables(reference) == {"CONTENT": "a", "OPTIONS": "a=b"}
        with pytest.raises(NotFoundError):
            repository.variables("2")


def test_a_login_from_docker_or_the_environment(
    locked: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(locked.certificate))
    reference = f"{locked.host}/team/a@{NOTHING}"
    with pytest.raises(RegistryError, match=f"requires a login .* docker login {locked.host}"):
        resolve(reference, logins.given())
    monkeypatch.setenv("REGISTRY_USERNAME", USER)
    with pytest.raises(LoginError, match="only one of"):
        resolve(reference, logins.given())
    monkeypatch.setenv("REGISTRY_PASSWORD", "wrong")
    with pytest.raises(RegistryError, match=f"refuses the login of {USER} .*: check") as error:
        resolve(reference, logins.given())
    assert "wrong" not in str(error.value)
    monkeypatch.setenv("REGISTRY_PASSWORD", PASSWORD)
    with pytest.raises(NotFoundError):
        resolve(reference, logins.given())
    monkeypatch.delenv("REGISTRY_USERNAME")
    monkeypatch.delenv("REGISTRY_PASSWORD")
    helper(tmp_path, monkeypatch, locked.host)
    with pytest.raises(NotFoundError):
        resolve(reference, logins.given())


def helper(folder: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A credential helper that knows one registry."""
    program = folder / "docker-credential-test"
    program.write_text(
        f'#!/bin/sh\nread -r host\n[ "$host" = "{host}" ] || {{ echo "credentials not found in '
        f'native keychain"; exit 1; }}\nprintf \'{{"Username": "{USER}", "Secret": "{PASSWORD}"}}\''
    )
    program.chmod(0o755)
    (folder / "docker").mkdir()
    (folder / "docker/config.json").write_text('{"credsStore": "test"}')
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_a_certificate_that_is_not_trusted(
    tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of loopback addresses alone HTTP is tried too, so it is not the certificate that is refused.
    monkeypatch.setattr("airflow_kubernetes.registry.client._speaks_http", lambda _: False)
    with (
        serving(tmp_path / "r", login=True) as running,
        pytest.raises(RegistryError, match=r"certificate of .* is not trusted .* SSL_CERT_FILE"),
    ):
        resolve(f"{running.host}/a:1")


def test_a_registry_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RegistryError, match=r"cannot be reached .*Connection refused"):
        resolve(f"127.0.0.1:{free_port()}/a:1")
    with pytest.raises(RegistryError, match=r"registry\.invalid cannot be reached"):
        resolve("registry.invalid/a:1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RegistryError, match=r"the proxy cannot reach registry.invalid"):
        resolve("registry.invalid/a:1")


def test_a_rate_limit(limited: str) -> None:
    with pytest.raises(RegistryError, match="too many requests; wait for 21600 s"):
        resolve(f"{limited}/a:1")
    assert "or log in (docker login): Docker Hub counts pulls" in rate_limit(DOCKER_HUB)


def test_a_login_is_not_sent_over_plain_http() -> None:
    with (
        answering(401, {"WWW-Authenticate": 'Basic realm="x"'}) as host,
        pytest.raises(RegistryError, match="plain HTTP, where anybody could read it"),
    ):
        resolve(f"{host}/a:1")


def test_tokens_are_asked_for_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker Hub has it: a token is for one repository and some actions."""
    with tokens(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "registry.crt"))
        host = f"127.0.0.1:{server.server_port}"
        with Repository(f"{host}/team/a", Login(USER, PASSWORD)) as repository:
            assert repository.digest("1") == NOTHING
            repository.delete("1")
            assert repository.digest("1") == NOTHING
        with (
            Repository(f"{host}/team/a", Login(USER, "wrong")) as repository,
            pytest.raises(RegistryError, match="refuses the login"),
        ):
            repository.digest("1")
        with Repository(f"{host}/team/a") as repository:
            assert repository.digest("1") == NOTHING
            with pytest.raises(RegistryError, match="requires a login"):
                repository.delete("1")


def test_tags_on_several_pages(tmp_path: Path) -> None:
    pages = {
        "/v2/team/a/tags/list?n=1000": (b'{"tags": ["1", "2"]}', "/v2/team/a/tags/list?last=2"),
        "/v2/team/a/tags/list?last=2": (b'{"tags": ["3"]}', None),
    }
    with pretending(pages) as host, Repository(f"{host}/team/a") as repository:
        assert repository.tags() == ["1", "2", "3"]


def test_content_that_is_not_what_the_digest_names(tmp_path: Path) -> None:
    index = b'{"manifests": []}'
    digest = f"sha256:{hashlib.sha256(index).hexdigest()}"
    pages = {
        "/v2/a/manifests/1": (index, None),
        f"/v2/a/manifests/{digest}": (index, None),
        f"/v2/a/manifests/{NOTHING}": (index, None),
    }
    with pretending(pages) as host, Repository(f"{host}/a") as repository:
        assert repository.digest("1") == digest  # this registry sends no Docker-Content-Digest
        assert repository.children(digest) == []
        with pytest.raises(RegistryError, match=f"other content than {NOTHING}: a proxy or"):
            repository.children(NOTHING)


def test_a_login_from_netrc_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password sesame\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[str | None] = []
    with pretending({}, seen) as host, Repository(f"{host}/a") as repository:
        assert repository.tags() == []
    assert set(seen) == {None}


@contextmanager
def pretending(
    pages: Mapping[str, tuple[bytes, str | None]], seen: list[str | None] | None = None
) -> Iterator[str]:
    """A registry without TLS that has these bodies and next pages, by path; `host:port`.

    `seen` collects the Authorization header of each request.
    """

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append(self.headers.get("Authorization"))
            body, following = pages.get(self.path, (b"", None))
            self.send_response(200 if self.path in pages else 404)
            if following:
                self.send_header("Link", f'<{following}>; rel="next"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def tokens(folder: Path) -> Iterator[http.server.HTTPServer]:
    """A registry with tokens over HTTPS: everybody may pull, USER may do everything."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            query = parse_qs(urlparse(self.path).query)
            given = self.headers.get("Authorization")
            right = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if given not in (None, f"Basic {right}"):
                self.answer(401)
                return
            scope = query["scope"][0] if given or query["scope"][0].endswith("pull") else "none"
            self.answer(200, json.dumps({"token": scope}).encode())

        def do_HEAD(self) -> None:
            self.ask("repository:team/a:pull", 200)

        def do_DELETE(self) -> None:
            self.ask("repository:team/a:delete", 202)

        def ask(self, scope: str, status: int) -> None:
            if self.headers.get("Authorization") == f"Bearer {scope}":
                self.answer(status, Docker_Content_Digest=NOTHING)
                return
            realm = f"https://{self.headers['Host']}/token"
            challenge = f'Bearer realm="{realm}",service="registry",scope="{scope}"'
            self.answer(401, WWW_Authenticate=challenge)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
