"""Images under Pulumi: what the program registers, and the lock that `make up` writes after it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from airflow_kubernetes.cli.stack import record_images
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.images import build_options, lock, references, resources
from airflow_kubernetes.images.failures import BuildError
from airflow_kubernetes.images.specs import ImageSpec
from airflow_kubernetes.settings.schema import Settings
from requests.utils import DEFAULT_CA_BUNDLE_PATH

DIGEST = f"sha256:{'3' * 64}"
BASE = f"python:3.11@sha256:{'2' * 64}"
SPEC = ImageSpec("airflow", (), (("PYTHON_BASE_IMAGE", BASE),), ("linux/amd64", "linux/arm64"))


class Provider(pulumi.runtime.Mocks):
    """A registry that gives every image the same digest, or none."""

    def __init__(self, digest: str) -> None:
        self.suffix = f"@{digest}" if digest else ""
        self.types: list[str] = []

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        self.types.append(args.typ.rpartition(":")[2])
        tag = args.inputs.get("tag") or (args.inputs.get("tags") or [""])[0]
        return args.name, {**args.inputs, "ref": f"{tag}{self.suffix}"}

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise ValueError(args.token)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Those of dev, which builds, with a lock of the test's own."""
    file = tmp_path / "images.lock.yaml"
    monkeypatch.setattr(lock, "path", lambda _: file)
    monkeypatch.setattr(resources, "stage", lambda _: tmp_path / "context")
    yield load("dev")
    assert not file.exists(), "the program wrote the lock"


def up(settings: Settings, digest: str) -> tuple[list[str], pulumi.ComponentResource]:
    """Registers an image as `pulumi up` does; its reference's history and its parent."""
    provider, known = Provider(digest), list[str]()
    pulumi.runtime.set_mocks(provider, preview=False)
    parents = []

    def program() -> Any:
        parents.append(pulumi.ComponentResource("test:index:Images", "images"))
        reference = resources.image(
            settings, SPEC, rendering=False, login=None, on=None, depends_on=[], parent=parents[0]
        )
        return pulumi.Output.from_input(reference).apply(known.append)

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert sorted(provider.types) == ["Image", "Image", "Images", "Index"]
    return known, parents[0]


def test_the_program_gives_the_digest_and_writes_nothing(settings: Settings) -> None:
    known, parent = up(settings, DIGEST)
    assert known == [f"{references.by_tag(settings, SPEC)}@{DIGEST}"]
    assert {child._name for child in parent._childResources} == {
        "airflow-index", "airflow-amd64-image", "airflow-arm64-image",
    }  # fmt: skip


def test_a_registry_that_tells_no_digest_fails_the_update(settings: Settings) -> None:
    with pytest.raises(pulumi.RunError, match="run again with --refresh"):
        up(settings, "")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    """An environment whose stack has outputs, by a Pulumi CLI that knows nothing else."""
    outputs = {
        "airflow": f"r/airflow:0123456789abcdef@{DIGEST}",
        "task-chart": f"r:5000/x/task-chart:fedcba9876543210@{DIGEST}",
    }
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pulumi"
    program.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        '*" stack output images --show-secrets --stack=dev --json") '
        f"echo '{json.dumps(outputs)}';;\n"
        '*) echo "error: no stack" >&2; exit 1;;\nesac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setattr(lock, "path", lambda _: tmp_path / "images.lock.yaml")
    return Target("dev", "", load("dev"))


def test_the_lock_is_written_from_the_outputs_of_the_stack(here: Target) -> None:
    file = lock.path(here.settings)
    lock.update(file, {"task-old": lock.Entry("a", DIGEST)}, {"python:3.11": DIGEST})
    record_images(here)
    assert lock.read(file) == lock.Lock(
        {
            "airflow": lock.Entry("0123456789abcdef", DIGEST),
            "task-chart": lock.Entry("fedcba9876543210", DIGEST),
            "task-old": lock.Entry("a", DIGEST),
        },
        {"python:3.11": DIGEST},
    )


def test_a_stack_without_outputs_is_an_error(here: Target) -> None:
    with pytest.raises(CommandError, match="pulumi stack output images for prod failed: no stack"):
        record_images(Target("prod", "", here.settings))


def test_only_private_authorities_are_in_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, own = (
        Path(DEFAULT_CA_BUNDLE_PATH).read_text(),
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
    )
    bundle = tmp_path / "bundle.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    text = f"{public}\n# a proxy\n{own}"
    for variant in (text, text.rstrip(), text.replace("\n", "\r\n")):
        bundle.write_text(variant, newline="")
        assert build_options.private_authorities() == own
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path))
    with pytest.raises(BuildError, match="set it to a readable file"):
        build_options.private_authorities()
    monkeypatch.delenv("SSL_CERT_FILE")
    assert build_options.private_authorities() == ""
