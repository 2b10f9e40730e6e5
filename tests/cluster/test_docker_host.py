"""The Docker host that DockerOperator is tested with: it runs containers for those it knows."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.errors import SandboxError

from .docker_host import HIERARCHIES, DockerHost, docker_host

pytestmark = pytest.mark.long

IMAGE = "10.244.0.1:5000/stand-in/utility:1"


@pytest.fixture(scope="module")
def host(sandbox: None) -> Iterator[DockerHost]:
    """A running Docker host with one image."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(docker_host())
        except SandboxError as error:
            pytest.skip(f"no Docker host: {error}")
        running.take(IMAGE)
        yield running


def test_it_runs_containers(host: DockerHost) -> None:
    done = host.docker("run", "--rm", "--network=none", "--user=65534", IMAGE, "id", "-u")
    assert (done.returncode, done.stdout) == (0, "65534\n"), done.stderr


def test_it_refuses_strangers(host: DockerHost) -> None:
    refused = host.docker("version", who="stranger")
    assert refused.returncode != 0
    assert "certificate" in refused.stderr


def test_nothing_is_left(sandbox: None) -> None:
    try:
        with docker_host() as gone:
            gone.take(IMAGE)
            gone.docker("run", "--detach", "--network=none", IMAGE, "sleep", "60")
    except SandboxError as error:
        pytest.skip(f"no Docker host: {error}")
    assert not gone.folder.exists()
    assert str(gone.folder) not in Path("/proc/mounts").read_text()
    assert not list(HIERARCHIES.glob(f"*/{gone.folder.name}"))
