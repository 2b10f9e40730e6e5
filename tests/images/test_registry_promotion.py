"""Copying between real registries, and what is attached to images."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow_kubernetes.cli import promote as command
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.images import lock
from airflow_kubernetes.registry import attachments
from airflow_kubernetes.registry.attachments import PROVENANCE, SBOM, Build, attach
from airflow_kubernetes.registry.login import Login
from airflow_kubernetes.registry.oci import NotFoundError, RegistryError, referrers_tag
from airflow_kubernetes.registry.promotion import contents, promote
from airflow_kubernetes.registry.repository import Repository, resolve

from .conftest import PASSWORD, USER, Running, serving
from .images import DOCUMENT, Image, push_image

TAG = "0123456789abcdef"
BUILD = Build(
    TAG, (("FLAVOR", "full"),), (("python:3.11", f"sha256:{'2' * 64}"),), "airflow", "c0ffee"
)


@pytest.fixture
def target(tools: None, tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path / "target") as running:
        yield running


@pytest.fixture
def built(registry: Running, request: pytest.FixtureRequest) -> tuple[Repository, Image]:
    """An image of the test's own, with SBOM and provenance."""
    repository = Repository(f"{registry.host}/dev/{request.node.name.lower()}")
    image = push_image(repository, TAG, request.node.name)
    pushed = attach(f"{repository.reference.name}@{image.index.digest}", BUILD, print)
    assert len(pushed) == 4
    return repository, image


def test_all_of_an_image_is_copied_and_nothing_twice(
    built: tuple[Repository, Image], target: Running
) -> None:
    source, image = built
    copy, said = Repository(f"{target.host}/prod/a"), list[str]()
    sent = promote(source, copy, TAG, image.index.digest, said.append)
    whole = contents(source, image.index.digest)
    # The index, two platforms, and for each an SBOM and a provenance.
    assert len(whole.manifests) == 7
    assert sent == sum(whole.blobs.values())
    assert contents(copy, image.index.digest) == whole
    assert copy.digest(TAG) == image.index.digest
    assert said[-2].startswith(f"{target.host}/prod/a:{TAG}: {len(whole.blobs)}/{len(whole.blobs)}")
    again = list[str]()
    assert promote(source, copy, TAG, image.index.digest, again.append) == 0
    assert len(again) == 1
    assert "all there already, 0.0 MB" in again[0]


def test_the_same_registry_mounts(built: tuple[Repository, Image], registry: Running) -> None:
    source, image = built
    copy = Repository(f"{registry.host}/prod/mounted")
    assert promote(source, copy, TAG, image.index.digest, print) == 0
    assert contents(copy, image.index.digest) == contents(source, image.index.digest)


def test_an_interrupted_copy_leaves_nothing_that_could_be_run(
    built: tuple[Repository, Image], target: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, image = built
    copy = Repository(f"{target.host}/prod/a")
    original, uploads = copy.upload, 0

    def upload(digest: str, size: int, chunks: Iterator[bytes]) -> None:
        nonlocal uploads
        uploads += 1
        if uploads == 4:
            next(chunks)
            raise KeyboardInterrupt
        original(digest, size, chunks)

    monkeypatch.setattr(copy, "upload", upload)
    with pytest.raises(KeyboardInterrupt):
        promote(source, copy, TAG, image.index.digest, print)
    assert copy.tags() == []
    assert copy.digest(image.index.digest) is None
    whole = contents(source, image.index.digest)
    sent = promote(source, copy, TAG, image.index.digest, print)
    assert 0 < sent < sum(whole.blobs.values())
    assert contents(copy, image.index.digest) == whole


def test_what_the_source_lacks_is_named(registry: Running, target: Running) -> None:
    nothing = f"sha256:{'0' * 64}"
    with pytest.raises(NotFoundError, match=f"{registry.host}/dev/gone: 404 Not Found: manifest"):
        promote(
            Repository(f"{registry.host}/dev/gone"),
            Repository(f"{target.host}/gone"),
            TAG,
            nothing,
            print,
        )


def test_the_command_copies_the_lock_to_a_registry_that_wants_a_login(
    built: tuple[Repository, Image],
    registry: Running,
    locked: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, image = built
    file = tmp_path / "images.lock.yaml"
    name = source.reference.repository.rpartition("/")[2]
    lock.record(file, name, lock.Entry(TAG, image.index.digest))
    monkeypatch.setattr(lock, "path", lambda _: file)

    def settings(environment: str, host: str) -> object:
        known = load(environment)
        images = known.images.model_copy(update={"registry": f"{host}/{environment}"})
        return known.model_copy(update={"images": images})

    monkeypatch.setattr(command, "load", lambda environment: settings(environment, locked.host))
    here = Target("dev", "", settings("dev", registry.host))  # type: ignore[arg-type]
    with pytest.raises(CommandError, match="make promote TO=prod"):
        command.promote_all(here)
    monkeypatch.setenv("TO", "prod")
    monkeypatch.setenv("SSL_CERT_FILE", str(locked.certificate))
    with pytest.raises(RegistryError, match=f"{locked.host}/prod/{name} wants a login"):
        command.promote_all(here)
    monkeypatch.setenv("REGISTRY_USERNAME", USER)
    monkeypatch.setenv("REGISTRY_PASSWORD", PASSWORD)
    command.promote_all(here)
    resolve(f"{locked.host}/prod/{name}:{TAG}@{image.index.digest}", Login(USER, PASSWORD))
    said = capsys.readouterr().err
    assert f"1/1 {name}: {registry.host}/dev -> {locked.host}/prod" in said
    assert PASSWORD not in said


def test_attachments_are_found_by_what_they_belong_to(built: tuple[Repository, Image]) -> None:
    repository, image = built
    for platform in image.platforms:
        referrers = {one["artifactType"]: one for one in repository.referrers(platform.digest)}
        assert set(referrers) == {SBOM, PROVENANCE}
        # This registry has no list of its own.
        assert referrers_tag(platform.digest) in repository.tags()
        for kind, said in (("bom", referrers[SBOM]), ("provenance", referrers[PROVENANCE])):
            manifest = repository.manifest(said["digest"])
            assert manifest.content["subject"] == platform.descriptor
            content = b"".join(repository.blob(manifest.content["layers"][0]["digest"]))
            if kind == "bom":
                assert content == DOCUMENT
            else:
                _check(json.loads(content), platform.digest)


def _check(statement: dict[str, object], digest: str) -> None:
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert f'"{digest.removeprefix("sha256:")}"' in json.dumps(statement["subject"])
    predicate = json.dumps(statement["predicate"])
    for part in (TAG, '"FLAVOR": "full"', '"gitCommit": "c0ffee"', "docker-image://python:3.11"):
        assert part in predicate


def test_attaching_again_adds_nothing(built: tuple[Repository, Image], target: Running) -> None:
    repository, image = built
    reference = f"{repository.reference.name}:{TAG}@{image.index.digest}"
    later = Build(TAG, BUILD.arguments, BUILD.bases, "airflow", "badcafe")
    assert attach(reference, later, print) == []
    # Somewhere else the same image gets the same attachments.
    elsewhere = Repository(f"{target.host}/{repository.reference.repository}")
    push_image(elsewhere, TAG, "test_attaching_again_adds_nothing")
    attach(f"{elsewhere.reference.name}@{image.index.digest}", BUILD, print)
    digest = image.index.digest
    assert contents(elsewhere, digest) == contents(repository, digest)


def test_an_image_without_a_bill_of_materials(registry: Running) -> None:
    repository = Repository(f"{registry.host}/plain")
    image = push_image(repository, "1", "x", sbom=b'{"bomFormat": "other"}')
    with pytest.raises(RegistryError, match="is no CycloneDX"):
        attach(f"{registry.host}/plain@{image.index.digest}", BUILD, print)
    with pytest.raises(RegistryError, match="name it"):
        attach(f"{registry.host}/plain:1", BUILD, print)


def test_the_commit_is_that_of_these_files_or_none(tmp_path: Path) -> None:
    assert attachments.commit(tmp_path) is None
