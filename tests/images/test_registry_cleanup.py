"""What clean-up deletes in a real registry, and above all what it does not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow_kubernetes.cli import prune as command
from airflow_kubernetes.cli.main import main
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.images import lock_history
from airflow_kubernetes.images.lock_history import HistoryError
from airflow_kubernetes.registry import retention
from airflow_kubernetes.registry.client import Repository
from airflow_kubernetes.registry.reference import UnsupportedError

from .conftest import Running, serving
from .images import INDEX, Image, Manifest, pull, push_image, push_manifest
from .lock_commits import git, new_lock, write

OLD, NEW, ALIKE = "a" * 16, "b" * 16, "c" * 16


@pytest.fixture
def server(tools: None, tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def repository(server: Running) -> Repository:
    return Repository(f"{server.host}/airflow")


def push(repository: Repository, tag: str, content: str) -> Image:
    return push_image(repository.reference.name, tag, content)


def tag(repository: Repository, manifest: Manifest, tag: str) -> None:
    push_manifest(repository.reference.name, manifest, tag)


def delete(repository: Repository, plan: retention.Plan) -> None:
    for digest in plan.delete:
        repository.delete(digest)


def test_only_what_nothing_names_goes_and_all_of_it(repository: Repository) -> None:
    name = repository.reference.name
    old, new = push(repository, OLD, "old"), push(repository, NEW, "new")
    tag(repository, old.platforms[0], "cache-amd64")
    before, cached = pull(name, NEW), pull(name, "cache-amd64")
    plan = retention.plan(repository, [f"airflow: {{tag: {NEW}}}"])
    # The amd64 platform of the old image stays whole: somebody's tag has it.
    assert plan.tags == sorted([OLD, f"{OLD}-arm64"])
    assert plan.kept == sorted([f"{OLD}-amd64", NEW, f"{NEW}-amd64", f"{NEW}-arm64"])
    delete(repository, plan)
    assert pull(name, new.index.digest) == before
    assert pull(name, old.platforms[0].digest) == cached
    assert repository.digest(old.index.digest) is None
    assert repository.digest(old.platforms[1].digest) is None
    assert all(repository.digest(digest) is None for digest in plan.delete)
    assert retention.plan(repository, [NEW]).delete == []


def test_a_manifest_with_a_tag_that_stays_is_not_deleted(repository: Repository) -> None:
    """Two content tags of one image: deleting one by digest would delete both."""
    image = push(repository, OLD, "same")
    push(repository, ALIKE, "same")
    plan = retention.plan(repository, [ALIKE])
    assert (plan.delete, plan.tags) == ([], [])
    assert OLD in plan.kept
    assert repository.digest(ALIKE) == image.index.digest


def test_a_platform_that_an_index_still_joins_stays(repository: Repository) -> None:
    """A change for one platform only leaves the other one's manifest as it was."""
    old = push(repository, OLD, "old")
    tag(repository, old.platforms[0], f"{NEW}-amd64")
    new = push(repository, NEW, "new").index
    joined = new.content["manifests"]
    joined[0]["digest"] = old.platforms[0].digest
    joined[0]["size"] = len(old.platforms[0].raw)
    index = Manifest(json.dumps({**new.content, "manifests": joined}).encode(), INDEX)
    tag(repository, index, NEW)
    delete(repository, retention.plan(repository, [NEW]))
    whole = pull(repository.reference.name, index.digest)
    assert whole.keys() >= {child["digest"] for child in joined}
    assert repository.digest(OLD) is None


@pytest.mark.parametrize("name", [OLD, "digest"])
def test_named_by_tag_or_digest(repository: Repository, name: str) -> None:
    image = push(repository, OLD, "old")
    text = image.index.digest if name == "digest" else f"image: r/airflow:{name}"
    assert retention.plan(repository, ["", text]).delete == []


def test_other_peoples_tags_stay(repository: Repository) -> None:
    for other in ("latest", "cache-arm64", "v1.2", "a" * 15, "a" * 17, f"{OLD}-s390x"):
        push(repository, other, other)
    assert retention.plan(repository, []).delete == []


@pytest.mark.parametrize("promoted", [False, True])
def test_an_interrupted_clean_up_finds_the_rest(repository: Repository, promoted: bool) -> None:
    image = push(repository, OLD, "old")
    if promoted:  # platforms have no tags of their own
        delete(repository, retention.plan(repository, []))
        for platform in image.platforms:
            tag(repository, platform, platform.digest)
        tag(repository, image.index, OLD)
    digests = {image.index.digest, *(platform.digest for platform in image.platforms)}
    assert set(retention.plan(repository, []).delete) == digests
    for step in range(1, 3):
        plan = retention.plan(repository, [])
        assert set(plan.delete) <= digests
        repository.delete(plan.delete[0])
        assert retention.plan(repository, []).delete == plan.delete[1:], step
    delete(repository, retention.plan(repository, []))
    assert all(repository.digest(digest) is None for digest in digests)
    assert repository.tags() == []


def test_a_registry_that_deletes_nothing_says_so(tools: None, tmp_path: Path) -> None:
    with serving(tmp_path / "r", delete=False) as running:
        repository = Repository(f"{running.host}/airflow")
        push(repository, OLD, "old")
        plan = retention.plan(repository, [])
        with pytest.raises(UnsupportedError, match="405"):
            delete(repository, plan)
        assert OLD in repository.tags()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return new_lock(tmp_path / "checkout")


def test_locks_of_the_past(checkout: Path) -> None:
    tags = [f"{number:016x}" for number in range(6)]
    write(checkout, "gone", tags[0], 400)
    write(checkout, "airflow", tags[1], 200)
    write(checkout, "airflow", tags[2], 50)
    git(checkout.parent, "tag", "release")
    git(checkout.parent, "checkout", "--quiet", "-b", "feature")
    write(checkout, "airflow", tags[3], 5)
    git(checkout.parent, "checkout", "--quiet", "main")
    git(checkout.parent, "checkout", "--quiet", "-b", "old-release", "HEAD~2")
    git(checkout.parent, "checkout", "--quiet", "main")
    write(checkout, "airflow", tags[4], 1)

    def found(days: int) -> set[str]:
        text = lock_history.text(checkout, days)
        return {tag for tag in tags if f"'{tag}'" in text}

    # A branch's tip counts at any age; 200 days ago's lock was in force until 50 days ago.
    assert found(90) == {tags[0], tags[1], tags[2], tags[3], tags[4]}
    git(checkout.parent, "branch", "--quiet", "-D", "old-release")
    assert found(90) == {tags[1], tags[2], tags[3], tags[4]}
    assert found(20) == {tags[2], tags[3], tags[4]}
    assert lock_history.names(checkout) == {"gone", "airflow"}


def test_a_history_that_is_cut_off_stops_it(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="cannot be read"):  # no repository
        lock_history.text(tmp_path / "no-git" / "images.lock.yaml", 90)
    write(checkout, "airflow", OLD, 2)
    write(checkout, "airflow", NEW, 1)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{checkout.parent}", str(clone))
    with pytest.raises(HistoryError, match=r"shallow clone: .* git fetch --unshallow"):
        lock_history.text(clone / checkout.name, 90)


def test_what_others_committed_is_fetched(checkout: Path, tmp_path: Path) -> None:
    write(checkout, "airflow", OLD, 2)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(checkout.parent), str(clone))
    git(checkout.parent, "checkout", "--quiet", "-b", "feature")
    write(checkout, "airflow", NEW, 1)
    file = clone / checkout.name
    assert NEW not in lock_history.text(file, 90)
    lock_history.fetch(file)
    assert NEW in lock_history.text(file, 90)
    git(clone, "remote", "set-url", "origin", str(tmp_path / "nothing"))
    with pytest.raises(HistoryError, match="nothing"):
        lock_history.fetch(file)


def test_days_are_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    for days in ("many", "-1"):
        with pytest.raises(SystemExit):
            main(["prune", "sandbox", f"--keep={days}"])
        assert f"--keep: '{days}' is not a number of days" in capsys.readouterr().err


def test_docker_hub_is_told_apart() -> None:
    settings = load("sandbox")
    images = settings.images.model_copy(update={"registry": "docker.io/team"})
    here = Target("sandbox", "", settings.model_copy(update={"images": images}))
    with pytest.raises(CommandError, match="deletes nothing through the registry API"):
        command.prune(here, apply=True)
