"""What `make up` and `make images` do about images: nothing, build, or stop and say what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.cli import build
from airflow_kubernetes.environment import load
from airflow_kubernetes.images import lock
from airflow_kubernetes.images.failures import BuildError
from airflow_kubernetes.images.specs import ImageSpec
from airflow_kubernetes.registry.reference import RegistryError
from airflow_kubernetes.settings.schema import Settings

from .conftest import Running
from .images import push_image

BASE = f"python:3.11@sha256:{'2' * 64}"
SPEC = ImageSpec("airflow", (), (("PYTHON_BASE_IMAGE", BASE),), ("linux/amd64",))


@pytest.fixture
def environment(
    registry: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bool], Settings]:
    """Settings of an environment of one image, which builds or not, with a lock of its own."""
    monkeypatch.setattr(image_catalog, "every", lambda _: [SPEC])
    monkeypatch.setattr(lock, "path", lambda _: tmp_path / "images.lock.yaml")
    lock.update(tmp_path / "images.lock.yaml", bases={"python:3.11": BASE.partition("@")[2]})

    def settings(builds: bool) -> Settings:
        known = load("prod")
        images = known.images.model_copy(
            update={"registry": f"{registry.host}/{tmp_path.name}", "build": builds}
        )
        return known.model_copy(update={"images": images})

    return settings


def push(settings: Settings) -> str:
    """The image in the registry and in the lock; its digest."""
    name = f"{settings.images.registry}/{SPEC.name}"
    digest = push_image(name, SPEC.tag, "content").index.digest
    lock.update(lock.path(settings), {SPEC.name: lock.Entry(SPEC.tag, digest)})
    return digest


@pytest.mark.parametrize("builds", [True, False])
def test_an_image_that_is_there_is_not_built(
    environment: Callable[[bool], Settings],
    builds: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = environment(builds)
    digest = push(settings)
    monkeypatch.setenv("PATH", "")  # no buildx to build with
    by_tag = f"{settings.images.registry}/airflow:{SPEC.tag}"
    assert build.ensure(settings) == {by_tag: f"{by_tag}@{digest}"}
    assert capsys.readouterr().err == f"{by_tag}: unchanged\n"


def test_an_image_that_nobody_built_is_named_with_the_command_that_would(
    environment: Callable[[bool], Settings],
) -> None:
    with pytest.raises(BuildError, match=f"has no airflow:{SPEC.tag}.* `make images ENV=dev`"):
        build.ensure(environment(False))


def test_an_image_that_the_registry_lacks_is_named_with_the_command_that_copies_it(
    environment: Callable[[bool], Settings],
) -> None:
    settings = environment(False)
    digest = f"sha256:{'4' * 64}"
    lock.update(lock.path(settings), {SPEC.name: lock.Entry(SPEC.tag, digest)})
    with pytest.raises(BuildError, match=f"airflow:{SPEC.tag}@{digest}.* make promote TO="):
        build.ensure(settings)


def test_a_registry_that_does_not_answer_starts_no_build(
    environment: Callable[[bool], Settings],
) -> None:
    settings = environment(True)
    push(settings)
    images = settings.images.model_copy(update={"registry": "registry.invalid/airflow"})
    with pytest.raises(RegistryError, match=r"registry\.invalid cannot be reached"):
        build.ensure(settings.model_copy(update={"images": images}))


def test_a_base_image_is_pinned_once(
    environment: Callable[[bool], Settings], registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = environment(True)
    name = f"{settings.images.registry}/python:3.12"
    digest = push_image(f"{settings.images.registry}/python", "3.12", "first").index.digest
    spec = ImageSpec("airflow", (), (("PYTHON_BASE_IMAGE", name),), ("linux/amd64",))
    monkeypatch.setattr(image_catalog, "every", lambda _: [spec])
    build.pin_bases(settings)
    assert lock.read(lock.path(settings)).bases[name] == digest
    push_image(f"{settings.images.registry}/python", "3.12", "second")
    build.pin_bases(settings)
    assert lock.read(lock.path(settings)).bases[name] == digest
