"""Content tags, staging and the lock."""

import os
from pathlib import Path

import pytest
from bundle.images import lock, references, specs
from bundle.images.content import stage, tag
from bundle.images.specs import ImageSpec
from bundle.settings.load import load


@pytest.fixture
def spec(tmp_path: Path) -> ImageSpec:
    source = tmp_path / "source"
    source.mkdir()
    (source / "entrypoint.sh").write_text("#!/bin/sh\n")
    (source / "entrypoint.sh").chmod(0o755)
    (source / "dag.py").write_text("print()\n")
    files = (("entrypoint.sh", source / "entrypoint.sh"), ("dags/dag.py", source / "dag.py"))
    return ImageSpec("airflow", files, (("A", "1"),), ("linux/amd64",))


def changed(spec: ImageSpec, **fields: object) -> ImageSpec:
    return ImageSpec(**{**spec.__dict__, **fields})


def test_the_tag_is_the_same_for_every_umask_and_order(spec: ImageSpec) -> None:
    before = tag(spec)
    spec.files[1][1].chmod(0o600)
    assert tag(changed(spec, files=spec.files[::-1])) == before


def test_the_tag_changes_with_everything_that_the_image_holds(spec: ImageSpec) -> None:
    tags = {tag(spec)}
    tags.add(tag(changed(spec, arguments=(("A", "2"),))))
    tags.add(tag(changed(spec, platforms=("linux/amd64", "linux/arm64"))))
    tags.add(tag(changed(spec, files=(("other.sh", spec.files[0][1]), spec.files[1]))))
    spec.files[1][1].write_text("print(1)\n")
    tags.add(tag(spec))
    spec.files[1][1].chmod(0o755)
    tags.add(tag(spec))
    assert len(tags) == 6


def test_the_context_is_normalised_and_holds_nothing_of_an_earlier_one(
    spec: ImageSpec, tmp_path: Path
) -> None:
    (tmp_path / "staging" / "airflow").mkdir(parents=True)
    (tmp_path / "staging" / "airflow" / "left.py").touch()
    before = os.umask(0o077)
    try:
        context = stage(spec, tmp_path / "staging")
    finally:
        os.umask(before)
    found = {
        str(path.relative_to(context)): oct(path.stat().st_mode & 0o777)
        for path in context.rglob("*")
    }
    assert found == {"dags": "0o755", "dags/dag.py": "0o644", "entrypoint.sh": "0o755"}


def test_the_airflow_image_holds_its_own_lock_and_the_dags() -> None:
    names = {name for name, _ in specs.airflow(load("dev")).files}
    assert {"Dockerfile", "entrypoint.sh", "locks/3.3.2-py3.11.txt", "dags/smoke.py"} <= names
    assert not any("2.11.2" in name or "__pycache__" in name for name in names)


def test_the_lock_keeps_other_images(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "images.lock.yaml"
    first, second = lock.Entry("a", "sha256:1"), lock.Entry("b", "sha256:2")
    lock.record(file, "airflow", first)
    lock.record(file, "task", second)
    assert lock.read(file) == {"airflow": first, "task": second}
    assert [path.name for path in file.parent.iterdir()] == ["images.lock.yaml"]


def test_a_broken_lock_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "images.lock.yaml"
    file.write_text("airflow: sha256:1\n")
    with pytest.raises(ValueError, match="build again"):
        lock.read(file)


def test_references_are_pinned_everywhere_and_keys_are_kept() -> None:
    obj = {"image": "r/a:1", "data": {"t.yaml": "image: r/a:1\n"}, "list": ["r/a:1", 5]}
    pinned = references.map_strings(obj, lambda text: text.replace("r/a:1", "r/a:1@sha256:9"))
    assert pinned == {
        "image": "r/a:1@sha256:9",
        "data": {"t.yaml": "image: r/a:1@sha256:9\n"},
        "list": ["r/a:1@sha256:9", 5],
    }
