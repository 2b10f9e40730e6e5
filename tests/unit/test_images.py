"""Content tags, staging and the lock."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.environment import load
from airflow_kubernetes.images import lock, references, specs, tasks
from airflow_kubernetes.images.specs import File, ImageSpec
from airflow_kubernetes.images.staging import stage
from airflow_kubernetes.paths import ROOT
from airflow_kubernetes.settings.problems import SettingsError

from images import lock as packages

DIGEST = f"sha256:{'3' * 64}"


@pytest.fixture
def spec() -> ImageSpec:
    files = (
        File("entrypoint.sh", 0o755, b"#!/bin/sh"),
        File("dags/dag.py", 0o644, b"print()"),
    )
    return ImageSpec("airflow", files, (("A", "1"),), ("linux/amd64",))


def test_the_tag_does_not_depend_on_order(spec: ImageSpec) -> None:
    assert replace(spec, files=spec.files[::-1]).tag == spec.tag


def test_a_file_is_the_same_under_every_umask(tmp_path: Path) -> None:
    source = tmp_path / "dag.py"
    source.write_text("print()")
    source.chmod(0o600)
    private = specs.read(source, "dag.py")
    source.chmod(0o664)
    assert specs.read(source, "dag.py") == private
    source.chmod(0o775)
    assert specs.read(source, "dag.py") != private


def test_the_tag_changes_with_everything_that_the_image_holds(spec: ImageSpec) -> None:
    script, dag = spec.files
    variants = [
        spec,
        replace(spec, arguments=(("A", "2"),)),
        replace(spec, platforms=("linux/amd64", "linux/arm64")),
        replace(spec, files=(replace(script, path="other.sh"), dag)),
        replace(spec, files=(script, replace(dag, content=b"print(1)"))),
        replace(spec, files=(script, replace(dag, mode=0o755))),
    ]
    assert len({variant.tag for variant in variants}) == len(variants)


def test_the_tag_is_that_of_the_bytes_which_were_read(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "images", tmp_path / "images")
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    spec = of_dags(tmp_path)
    before = spec.tag
    (tmp_path / "dags" / "smoke.py").write_text("# edited while the image is built")
    assert spec.tag == before
    assert (stage(spec, tmp_path / "s") / "usr/local/airflow/dags/smoke.py").read_text() != (
        tmp_path / "dags" / "smoke.py"
    ).read_text()
    assert of_dags(tmp_path).tag != before


def of_dags(root: Path) -> ImageSpec:
    """The Airflow image with the DAGs below `root`."""
    (spec,) = [
        spec for spec in image_catalog.every(load("dev"), root) if spec.name == "airflow-dags"
    ]
    return spec


def test_a_changed_dag_changes_the_layer_of_dags_alone(tmp_path: Path) -> None:
    def tags() -> dict[str, str]:
        return {spec.name: spec.tag for spec in image_catalog.every(load("dev"), tmp_path)}

    shutil.copytree(ROOT / "images", tmp_path / "images")
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    before = tags()
    (tmp_path / "dags" / "smoke.py").write_text("# edited")
    after = tags()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"airflow-dags", "airflow-worker-dags"}
    (tmp_path / "images" / "airflow" / "airflow.cfg").write_text("# edited")
    assert all(tags()[name] != after[name] for name in changed | {"airflow", "airflow-worker"})


def test_the_context_is_normalised_and_never_half_there(spec: ImageSpec, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        context = stage(spec, tmp_path)
    finally:
        os.umask(before)
    found = {
        str(path.relative_to(context)): oct(path.stat().st_mode & 0o777)
        for path in context.rglob("*")
    }
    assert found == {"dags": "0o755", "dags/dag.py": "0o644", "entrypoint.sh": "0o755"}
    assert stage(spec, tmp_path) == context
    assert [path.name for path in context.parent.iterdir()] == [spec.tag]


def test_leftovers_stay_out_and_airflowignore_goes_in(tmp_path: Path) -> None:
    for name in ("a.py", ".airflowignore", ".a.py.swp", "__pycache__/a.pyc", ".git/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert specs.below(tmp_path) == [".airflowignore", "a.py"]


def test_the_airflow_image_holds_its_own_lock_and_the_layer_on_it_the_dags() -> None:
    names = {file.path for file in image_catalog.airflow(load("dev")).files}
    assert {"Dockerfile", "entrypoint.sh", "locks/3.3.2-py3.11.txt"} <= names
    assert not any("2.11.2" in name or "__pycache__" in name for name in names)
    dags = {file.path for file in of_dags(ROOT).files}
    assert {"Dockerfile", "usr/local/airflow/dags/smoke.py"} <= dags


def test_a_damaged_lock_of_packages_is_an_error(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "images", tmp_path / "images")
    for content in (b"", b"\xff\xfe\x00", b"apache-airflow==3.3.1 \\\n"):
        (tmp_path / "images/airflow/locks/3.3.2-py3.11.txt").write_bytes(content)
        with pytest.raises(SettingsError, match=r"3\.3\.2-py3\.11\.txt: is damaged, and"):
            image_catalog.airflow(load("dev"), tmp_path)


@pytest.mark.parametrize("name", ["3.3.2-py3.11.txt", "3.3.2-worker-py3.11.txt"])
def test_a_missing_lock_of_packages_is_an_error(tmp_path: Path, name: str) -> None:
    shutil.copytree(ROOT / "images", tmp_path / "images")
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    (tmp_path / "images/airflow/locks" / name).unlink()
    with pytest.raises(SettingsError) as raised:
        image_catalog.every(load("dev"), tmp_path)
    assert (
        f"images/airflow/locks/{name}: is missing, and airflow.version 3.3.2 with "
        "images.airflow.python 3.11 needs it: run make lock"
    ) in str(raised.value)


@pytest.mark.parametrize(("version", "packages"), [("3.3.2", "git openssh-client"), ("2.11.2", "")])
def test_an_image_for_dags_from_git_holds_none_but_what_fetches_them(
    version: str, packages: str | None
) -> None:
    settings = load(
        "dev",
        f"airflow.version={version} airflow.dags.source=git "
        "airflow.dags.git.repository=https://git.example.com/dags.git",
    )
    assert not any(spec.name.endswith("-dags") for spec in image_catalog.every(settings))
    spec = image_catalog.airflow(settings)
    assert dict(spec.arguments)["SYSTEM_PACKAGES"] == packages
    assert dict(image_catalog.airflow(load("dev")).arguments)["SYSTEM_PACKAGES"] == ""


def test_the_lock_keeps_other_images(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "images.lock.yaml"
    first, second = lock.Entry("a", DIGEST), lock.Entry("b", DIGEST)
    lock.update(file, {"airflow": first})
    lock.update(file, {"task": second})
    lock.update(file, bases={"python:3.11": DIGEST})
    assert lock.read(file) == lock.Lock({"airflow": first, "task": second}, {"python:3.11": DIGEST})
    left = {path.name for path in file.parent.iterdir()}
    assert left == {"images.lock.yaml", ".images.lock.yaml.flock"}


def test_who_writes_the_lock_at_the_same_time_keeps_the_entries_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, read = tmp_path / "images.lock.yaml", lock.read

    def slowly(file: Path) -> lock.Lock:
        found = read(file)
        time.sleep(0.01)  # others have time to come between
        return found

    monkeypatch.setattr(lock, "read", slowly)
    names = {f"image-{number}" for number in range(30)}

    def write(name: str) -> None:
        lock.update(file, {name: lock.Entry("a", DIGEST)}, {name: DIGEST})

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(write, names))
    assert (set(read(file).images), set(read(file).bases)) == (names, names)


def test_an_unchanged_lock_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "images.lock.yaml"
    entry = lock.Entry.of(f"localhost:5000/team/airflow:0123456789abcdef@sha256:{'1' * 64}")
    assert entry == lock.Entry("0123456789abcdef", f"sha256:{'1' * 64}")
    lock.update(file, {"airflow": entry})
    before = file.stat().st_ino
    lock.update(file, {"airflow": entry})
    assert file.stat().st_ino == before


def test_a_broken_lock_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "images.lock.yaml"
    for text in ("airflow: sha256:1\n", "<<<<<<< HEAD\nairflow:\n", "- 1\n"):
        file.write_text(text)
        with pytest.raises(lock.LockError, match="Restore it from git, or delete it"):
            lock.read(file)


def test_packages_are_locked_for_each_python_of_each_release() -> None:
    written = {each.file for each in packages.locks()}
    assert written == {*packages.LOCKS.glob("*.txt"), packages.IMAGES / "shared" / "build.txt"}


def test_a_new_release_is_one_row_and_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    release = replace(RELEASES["3.3.2"], version="3.4.0", pythons=("3.14", "3.15"))
    monkeypatch.setattr(packages, "RELEASES", {"3.4.0": release})
    with pytest.raises(SystemExit, match=r"CUTOFFS has no day for Airflow 3\.4\.0"):
        list(packages.locks())
    monkeypatch.setitem(packages.CUTOFFS, "3.4.0", "2027-01-01")
    assert [each.file.name for each in packages.locks()][:-1] == [
        "3.4.0-py3.14.txt", "3.4.0-worker-py3.14.txt",
        "3.4.0-py3.15.txt", "3.4.0-worker-py3.15.txt",
    ]  # fmt: skip


@pytest.mark.parametrize(("version", "slim"), [("2.12.0", True), ("3.4.0", False)])
def test_the_row_of_a_release_and_not_its_number_decides_on_a_slim_lock(
    version: str, slim: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = replace(RELEASES["3.3.2"], version=version, pythons=("3.12",), slim_tasks=slim)
    monkeypatch.setattr(packages, "RELEASES", {version: release})
    monkeypatch.setitem(packages.CUTOFFS, version, "2027-01-01")
    files = [each.file.name for each in packages.locks()]
    assert (f"{version}-worker-py3.12.txt" in files) == slim


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A task image's folder in a checkout of its own."""
    made = tmp_path / "images" / "tasks" / "report"
    made.mkdir(parents=True)
    (tmp_path / "images" / "shared").mkdir()
    (made.parent / "Dockerfile").write_text("FROM scratch\n")
    (made / "task.py").write_text("print()\n")
    (made / "requirements.txt").write_text("# Python 3.11\n")
    return made


def test_a_task_image_takes_what_it_does_not_say_from_the_airflow_image(folder: Path) -> None:
    settings = load("dev")
    (shared,) = tasks.specs(settings, folder.parents[2])
    assert shared.name == "task-report"
    assert shared.base.startswith("python:3.11-slim-buster@sha256:")
    (folder / "image.yaml").write_text(
        'base: trixie\npython: "3.13"\nsystemPackages: [libcairo2]\n'
    )
    (folder / "requirements.txt").write_text("# Python 3.13\n")
    (own,) = tasks.specs(settings, folder.parents[2])
    assert own.base == "python:3.13-slim-trixie"
    assert dict(own.arguments)["SYSTEM_PACKAGES"] == "libcairo2"
    assert own.tag != shared.tag


def test_a_folder_of_dags_may_have_the_requirements_of_a_task_image(folder: Path) -> None:
    root = folder.parents[2]
    assert tasks.requirements(folder, root) == folder / "requirements.in"
    before = tasks.spec(load("dev"), "report", root)
    (folder / "image.yaml").write_text("requirements: dags/sales/requirements.in\n")
    assert tasks.requirements(folder, root) == root / "dags" / "sales" / "requirements.in"
    # What is built is the lock that is made of it.
    assert tasks.spec(load("dev"), "report", root).tag == before.tag


def test_what_is_no_part_of_a_task_image_does_not_change_its_tag(folder: Path) -> None:
    settings = load("dev")
    before = tasks.spec(settings, "report", folder.parents[2]).tag
    for name in ("README.md", "requirements.in", ".env", "__pycache__/task.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "venv" / "lib").mkdir(parents=True)
    (folder / "venv" / "pyvenv.cfg").touch()
    (folder / "venv" / "lib" / "x.py").touch()
    (folder / "task.py").chmod(0o600)
    assert tasks.spec(settings, "report", folder.parents[2]).tag == before
    (folder / "Dockerfile").write_text("FROM scratch AS own\n")
    assert tasks.spec(settings, "report", folder.parents[2]).tag != before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pyton: 3\n", "image.yaml:1: pyton: unknown key; did you mean python?"),
        ("python: 3.11\n", "image.yaml:1: python: input should be a valid string, not 3.11"),
        ("base: bullseye\n", "image.yaml:1: base: input should be 'buster', 'bookworm' or"),
        ('\npython: "3.13"\n', "image.yaml:2: python: buster has no Python 3.13; take 3.10 or"),
        ("systemPackages: [a;b]\n", "image.yaml:1: systemPackages.0:"),
        (
            "requirements: dags/../x.in\n",
            "image.yaml:1: requirements: should be a file of a folder",
        ),
        ("- a\n", "image.yaml:1: must be a mapping"),
    ],
)
def test_a_bad_image_yaml_is_refused_with_its_place(folder: Path, text: str, problem: str) -> None:
    (folder / "image.yaml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        tasks.specs(load("dev"), folder.parents[2])
    assert f"images/tasks/report/{problem}" in str(raised.value)


def test_what_the_shared_dockerfile_lacks_is_named(folder: Path) -> None:
    (folder / "task.py").unlink()
    (folder / "image.yaml").write_text('base: trixie\npython: "3.12"\n')
    with pytest.raises(SettingsError) as raised:
        tasks.specs(load("dev"), folder.parents[2])
    place = "images/tasks/report"
    assert [str(problem) for problem in raised.value.problems] == [
        f"{place}/requirements.txt:1: is not for Python 3.12, the image's: run make lock",
        f"{place}/task.py: is missing: it is what the image runs",
    ]
    (folder / "requirements.txt").unlink()
    with pytest.raises(
        SettingsError, match=r"requirements\.txt: is missing: write requirements\.in"
    ):
        tasks.specs(load("dev"), folder.parents[2])
    (folder / "Dockerfile").write_text("FROM scratch\n")
    assert tasks.specs(load("dev"), folder.parents[2])


@pytest.mark.parametrize(
    ("name", "problem"),
    [("Report", "a task image's name has"), ("airflow-worker", "the name of an Airflow image")],
)
def test_a_folder_whose_name_cannot_be_an_image_is_refused(
    folder: Path, name: str, problem: str
) -> None:
    folder.rename(folder.with_name(name))
    with pytest.raises(SettingsError, match=f"images/tasks/{name}: {problem}"):
        tasks.specs(load("dev"), folder.parents[2])


def test_the_folder_of_what_builds_share_is_not_a_tasks_own(folder: Path) -> None:
    (folder / "shared").mkdir()
    with pytest.raises(SettingsError, match="images/tasks/report/shared: builds use this name"):
        tasks.specs(load("dev"), folder.parents[2])


def test_references_are_pinned_everywhere_and_keys_are_kept() -> None:
    obj = {"image": "r/a:1", "data": {"t.yaml": "image: r/a:1\n"}, "list": ["r/a:1", 5]}
    pinned = references.map_strings(obj, lambda text: text.replace("r/a:1", "r/a:1@sha256:9"))
    assert pinned == {
        "image": "r/a:1@sha256:9",
        "data": {"t.yaml": "image: r/a:1@sha256:9\n"},
        "list": ["r/a:1@sha256:9", 5],
    }
