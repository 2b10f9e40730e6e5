"""Copying images between real registries with the real buildx."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from airflow_kubernetes.cli import promote as command
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.images import buildx, lock
from airflow_kubernetes.images.failures import BuildError
from airflow_kubernetes.registry.client import Repository, resolve
from airflow_kubernetes.registry.login import Login
from airflow_kubernetes.settings.schema import Settings

from sandbox import toolchain

from .conftest import PASSWORD, USER, Running, serving
from .images import Image, api, pull, pull_blob, push_blob, push_image

TAG = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _buildx(tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's buildx on PATH, without any builder: copies need none, and no Docker."""
    folder = Path(toolchain.program("buildx", "buildx")).parent
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("BUILDX_CONFIG", str(tmp_path / "buildx"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-docker.sock")


@pytest.fixture
def target(tools: None, tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path / "target") as running:
        yield running


@pytest.fixture
def built(registry: Running, request: pytest.FixtureRequest) -> tuple[str, Image]:
    """An image of the test's own, and its repository."""
    name = f"{registry.host}/dev/{request.node.name.replace('_', '-')[:63].rstrip('-')}"
    return name, push_image(name, TAG, request.node.name)


def test_all_of_an_image_is_copied_unchanged(built: tuple[str, Image], target: Running) -> None:
    source, image = built
    copy = f"{target.host}/prod/a"
    for _ in range(2):  # the second time all is there
        assert (
            buildx.push_index(f"{copy}:{TAG}", [f"{source}@{image.index.digest}"])
            == image.index.digest
        )
        whole = pull(source, image.index.digest)
        # The index, two platforms, and for each a configuration and two layers.
        assert len(whole) == 9
        assert pull(copy, TAG) == whole
    with Repository(copy) as repository:
        assert repository.tags() == [TAG]


def test_a_copy_that_fails_leaves_nothing_that_could_be_run(
    built: tuple[str, Image], target: Running
) -> None:
    source, image = built
    copy, reference = f"{target.host}/prod/a", f"{source}@{image.index.digest}"
    layer = image.platforms[1].content["layers"][0]
    content = pull_blob(source, layer["digest"])
    requests.delete(f"{api(source)}/blobs/{layer['digest']}", timeout=10).raise_for_status()
    with pytest.raises(BuildError, match=f"{copy}:{TAG} could not be pushed"):
        buildx.push_index(f"{copy}:{TAG}", [reference])
    with Repository(copy) as repository:
        assert repository.tags() == []
        assert repository.digest(image.index.digest) is None
    push_blob(source, layer["mediaType"], content)
    assert buildx.push_index(f"{copy}:{TAG}", [reference]) == image.index.digest
    assert pull(copy, TAG) == pull(source, TAG)


def test_within_one_registry_too(built: tuple[str, Image], registry: Running) -> None:
    source, image = built
    copy = f"{registry.host}/prod/mounted"
    buildx.push_index(f"{copy}:{TAG}", [f"{source}@{image.index.digest}"])
    assert pull(copy, TAG) == pull(source, TAG)


def test_platforms_are_joined_by_an_index_even_a_single_one(
    built: tuple[str, Image], registry: Running
) -> None:
    source, image = built
    digest = buildx.push_index(f"{source}:joined", [f"{source}:{TAG}-amd64"])
    assert digest not in (image.index.digest, image.platforms[0].digest)
    with Repository(source) as repository:
        assert repository.children(digest) == [image.platforms[0].digest]
    both = [f"{source}@{platform.digest}" for platform in image.platforms]
    digest = buildx.push_index(f"{source}:joined", both)
    with Repository(source) as repository:
        assert repository.children(digest) == [one.digest for one in image.platforms]


def test_an_image_that_the_source_lacks_is_named(registry: Running, target: Running) -> None:
    missing = f"{registry.host}/dev/gone@sha256:{'0' * 64}"
    with pytest.raises(BuildError, match=f"{missing}: not found\n  Remedy: .* make images builds"):
        buildx.push_index(f"{target.host}/gone:{TAG}", [missing])
    with Repository(f"{target.host}/gone") as repository:
        assert repository.tags() == []


def test_a_source_that_does_not_answer(target: Running, built: tuple[str, Image]) -> None:
    with pytest.raises(BuildError, match="connection refused\n  Remedy: it cannot be reached"):
        buildx.push_index(f"{target.host}/a:{TAG}", [f"127.0.0.1:9/a@sha256:{'0' * 64}"])


@pytest.fixture
def settings(
    built: tuple[str, Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], Settings]:
    """Settings of an environment with a registry; the lock names the image that is built."""
    source, image = built
    file = tmp_path / "images.lock.yaml"
    lock.update(file, {source.rpartition("/")[2]: lock.Entry(TAG, image.index.digest)})
    monkeypatch.setattr(lock, "path", lambda _: file)

    def settings(environment: str, registry: str) -> Settings:
        known = load(environment)
        images = known.images.model_copy(update={"registry": registry})
        return known.model_copy(update={"images": images})

    return settings


def test_the_command_copies_the_lock_to_a_registry_that_requires_a_login(
    built: tuple[str, Image],
    settings: Callable[[str, str], Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    source, image = built
    folder, _, name = source.rpartition("/")
    here = Target("dev", "", settings("dev", folder))
    with pytest.raises(CommandError, match="make promote TO=prod"):
        command.promote(here, "")
    # A name, because buildx speaks plain HTTP to every loopback address.
    with serving(tmp_path / "prod", login=True, name=socket.gethostname()) as prod:
        registry = f"{prod.host}/prod"
        monkeypatch.setattr(command, "load", lambda environment: settings(environment, registry))
        monkeypatch.setenv("SSL_CERT_FILE", str(prod.certificate))
        for password in ("", "wrong"):
            if password:
                monkeypatch.setenv("REGISTRY_USERNAME", USER)
                monkeypatch.setenv("REGISTRY_PASSWORD", password)
            with pytest.raises(BuildError, match=r"\n  Remedy: log in") as error:
                command.promote(here, "prod")
            assert f"{registry}/{name}:{TAG} could not be pushed" in str(error.value)
        monkeypatch.setenv("REGISTRY_PASSWORD", PASSWORD)
        command.promote(here, "prod")
        login = Login(USER, PASSWORD)
        assert resolve(f"{registry}/{name}:{TAG}", login) == image.index.digest
    output = capfd.readouterr().err
    assert f"1/1 {name}:{TAG}: {folder} -> {registry}" in output
    assert PASSWORD not in output


def test_one_registry_for_both_needs_no_copy(
    built: tuple[str, Image],
    settings: Callable[[str, str], Settings],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = built[0].rpartition("/")[0]
    monkeypatch.setattr(command, "load", lambda environment: settings(environment, folder))
    command.promote(Target("dev", "", settings("dev", folder)), "prod")
    assert "nothing to copy" in capfd.readouterr().err


def test_a_copy_with_another_digest_stops_it(
    settings: Callable[[str, str], Settings], target: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load", lambda name: settings(name, target.host))
    monkeypatch.setattr(buildx, "push_index", lambda *_: f"sha256:{'1' * 64}")
    here = Target("dev", "", settings("dev", "127.0.0.1:9/dev"))
    with pytest.raises(CommandError, match=f"is sha256:{'1' * 64}, and not"):
        command.promote(here, "prod")
