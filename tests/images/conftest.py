"""Real registries and a real BuildKit, each a process of its own on this machine."""

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sandbox import toolchain
from sandbox.progress import Progress

USER, PASSWORD = "builder", "right"
HTPASSWD = f"{USER}:$2b$04$h/p4DYcpqv3SWHhd6vrAuurGHeDMUTXMlzxFaxFfXLOC4vvgDt/.i\n"
"""The password above, as `htpasswd -B` writes it."""


@dataclass(frozen=True)
class Running:
    """A registry: `host:port`, its process, and its certificate if it speaks HTTPS."""

    host: str
    process: subprocess.Popen[bytes]
    certificate: Path | None = None

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def wait_until(what: str, check: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while not check():
        assert process.poll() is None, f"{what} ended with {process.returncode}"
        assert time.monotonic() < end, f"{what} does not answer"
        time.sleep(0.02)


def listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and this machine's name, its own authority, and its key."""
    paths = folder / "registry.crt", folder / "registry.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=registry"),
            *("-addext", f"subjectAltName=IP:127.0.0.1,DNS:{socket.gethostname()}"),
            *("-out", str(paths[0]), "-keyout", str(paths[1])),
        ],
        capture_output=True,
        check=True,
    )
    return paths


@contextmanager
def serving(
    folder: Path, *, login: bool = False, delete: bool = True, name: str = "127.0.0.1"
) -> Iterator[Running]:
    """A registry that keeps its data in `folder`; with a login it speaks HTTPS."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    address = f"{socket.gethostbyname(name)}:{port}"
    trusted: Path | None = None
    http: dict[str, object] = {"addr": address, "secret": "test"}
    configuration: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "delete": {"enabled": delete},
        },
        "http": http,
    }
    if login:
        trusted, key = certificate(folder)
        http["tls"] = {"certificate": str(trusted), "key": str(key)}
        (folder / "htpasswd").write_text(HTPASSWD)
        configuration["auth"] = {"htpasswd": {"realm": "x", "path": str(folder / "htpasswd")}}
    (folder / "registry.yaml").write_text(yaml.safe_dump(configuration))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            [toolchain.program("registry", "registry"), "serve", str(folder / "registry.yaml")],
            stdout=log,
            stderr=log,
        )
    running = Running(f"{name}:{port}", process, trusted)
    try:
        wait_until("the registry", lambda: listens(address), process)
        yield running
    finally:
        running.stop()


@contextmanager
def answering(status: int, headers: dict[str, str]) -> Iterator[str]:
    """A registry that answers everything so; `host:port`."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST = do_HEAD  # noqa: N815  # names that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def limited() -> Iterator[str]:
    """A registry that has had too many requests, and answers as Docker Hub does."""
    with answering(429, {"Retry-After": "21600"}) as host:
        yield host


@pytest.fixture(scope="session")
def tools() -> None:
    """Registry, BuildKit and buildx, built if the cache lacks them."""
    toolchain.ensure(("registry", "buildkit", "buildx"), Progress())


@pytest.fixture(autouse=True)
def _no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the user's logins, certificates and proxies."""
    for name in ("REGISTRY_USERNAME", "REGISTRY_PASSWORD", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture(scope="module")
def registry(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A registry without a login, whose content a module's tests share."""
    with serving(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def locked(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A registry that requires USER and PASSWORD, over HTTPS."""
    with serving(tmp_path_factory.mktemp("locked"), login=True) as running:
        yield running


@dataclass(frozen=True)
class Builder:
    """A BuildKit of our own, and buildx with a builder for it."""

    folder: Path

    def build(self, context: Path, *arguments: str, login: Path | None = None) -> tuple[int, str]:
        """Exit code and plain progress of `buildx build`."""
        environment = {
            **os.environ,
            "BUILDX_CONFIG": str(self.folder / "buildx"),
            "DOCKER_CONFIG": str(login or self.folder / "docker"),
        }
        command = [toolchain.program("buildx", "buildx"), "build", "--builder=test"]
        done = subprocess.run(
            [*command, "--progress=plain", "--provenance=false", *arguments, str(context)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout, file=sys.stderr)
        return done.returncode, done.stdout


@contextmanager
def building(folder: Path, *registries: Running, root: Path | None = None) -> Iterator[Builder]:
    """A BuildKit that trusts these registries; its own data are below `root`."""
    if os.geteuid() != 0 or not shutil.which("runc"):
        pytest.skip("BuildKit needs root and runc")
    folder.mkdir(parents=True, exist_ok=True)
    address = f"unix://{folder}/buildkitd.sock"
    text = (
        f'root = "{root or folder / "buildkit"}"\n[grpc]\naddress = ["{address}"]\n'
        f'[otel]\nsocketPath = "{folder}/otel.sock"\n[cdi]\ndisabled = true\n'
        '[worker.oci]\nnetworkMode = "host"\n[worker.containerd]\nenabled = false\n'
    )
    for one in registries:
        trust = f'http = false\nca = ["{one.certificate}"]' if one.certificate else "http = true"
        text += f'[registry."{one.host}"]\n{trust}\n'
    (folder / "buildkitd.toml").write_text(text)
    with (folder / "buildkitd.log").open("wb") as log:
        process = subprocess.Popen(
            [
                toolchain.program("buildkit", "buildkitd"),
                f"--config={folder / 'buildkitd.toml'}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until("buildkitd", (folder / "buildkitd.sock").exists, process)
        subprocess.run(
            [
                toolchain.program("buildx", "buildx"),
                *("create", "--name=test", "--driver=remote", address),
            ],
            env={**os.environ, "BUILDX_CONFIG": str(folder / "buildx")},
            capture_output=True,
            check=True,
        )
        yield Builder(folder)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def builder(
    registry: Running, locked: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Builder]:
    """A BuildKit that trusts both registries."""
    with building(tmp_path_factory.mktemp("builder"), registry, locked) as one:
        yield one


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A build context whose `rootfs/` has /bin/sh and nothing else, so that nothing is pulled."""
    context = tmp_path / "context"
    for source in ("/bin/sh", *_libraries("/bin/sh")):
        target = context / "rootfs" / source.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return context


def _libraries(program: str) -> list[str]:
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [word for line in output.splitlines() for word in line.split() if word.startswith("/")]
