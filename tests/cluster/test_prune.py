"""What `make prune` deletes from a registry while a cluster runs its images."""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow_kubernetes.cli import prune as command
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.images import lock
from airflow_kubernetes.registry.client import Repository

from sandbox import toolchain
from sandbox.progress import Progress
from tests.images.conftest import Running, serving
from tests.images.images import push_image
from tests.images.lock_commits import commit, new_lock, write

from .conftest import Deployment

pytestmark = pytest.mark.cluster

TAGS = {name: f"{number:x}" * 16 for number, name in enumerate(("old", "past", "pod", "now"))}

UNSCHEDULED = json.dumps({"spec": {"nodeSelector": {"example.com/node": "none"}}})
"""Of a pod that names an image, and need not run it."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    toolchain.ensure(("registry",), Progress())
    with serving(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lock of a repository that had the image `past` for long, and has `now`."""
    file = new_lock(tmp_path / "checkout")
    write(file, "airflow", TAGS["past"], 200)
    file.unlink()
    lock.update(file, {"airflow": lock.Entry(TAGS["now"], f"sha256:{'f' * 64}")})
    commit(file, 1)
    monkeypatch.setattr(command, "LOCK", file)
    monkeypatch.setattr(lock, "path", lambda _: file)
    return file


def test_what_the_lock_or_the_cluster_names_stays(
    checkout: Path,
    server: Running,
    elsewhere: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository = f"{server.host}/airflow"
    for name, tag in TAGS.items():
        push_image(repository, tag, name)
    elsewhere.kubectl("create", "namespace", elsewhere.namespace)
    pod = ("run", "one", f"--image={repository}:{TAGS['pod']}", "--overrides", UNSCHEDULED)
    elsewhere.kubectl(*pod)
    here = elsewhere.target()
    images = here.settings.images.model_copy(update={"registry": server.host})
    here = dataclasses.replace(here, settings=here.settings.model_copy(update={"images": images}))

    command.prune(here)
    output = capsys.readouterr().err
    assert f"  {TAGS['old']}\n" in output
    assert "nothing deleted yet; APPLY=1 deletes these 3 manifests" in output
    assert set(TAGS.values()) <= tags(repository)
    command.prune(here, apply=True)
    assert "3 manifests deleted" in capsys.readouterr().err
    assert TAGS["old"] not in tags(repository)
    assert {TAGS["past"], TAGS["pod"], TAGS["now"]} <= tags(repository)

    with monkeypatch.context() as without:
        without.setenv("KUBECONFIG", os.devnull)
        with pytest.raises(CommandError, match=r"must stay: .*context .* does not exist"):
            command.prune(here, apply=True)
        command.prune(here)
    assert "warning: what runs in sandbox is unknown" in capsys.readouterr().err
    assert {TAGS["past"], TAGS["pod"], TAGS["now"]} <= tags(repository)


def tags(repository: str) -> set[str]:
    with Repository(repository) as one:
        return set(one.tags())
