"""The task images: built for both platforms, run on this machine's, and their locks."""

import importlib
import io
import json
import os
import re
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Any

import pytest
from airflow_kubernetes.environment import load
from airflow_kubernetes.images import buildx, tasks
from airflow_kubernetes.images.failures import BuildError
from airflow_kubernetes.images.specs import File, ImageSpec
from airflow_kubernetes.paths import ROOT

from sandbox import components, paths, toolchain
from tests.cluster.conftest import sandbox as sandbox
from tests.images.platforms import BOTH_PLATFORMS
from tests.images.platforms import both_platforms as both_platforms

IMAGES = ROOT / "images"
NAMES = ("chart", "pandas-1", "pandas-2")
AMD64, ARM64 = "linux/amd64", "linux/arm64"
MACHINE_ARM64 = 183  # e_machine of ELF
CONTAINERD = "airflow-task-test"
"""A namespace of containerd: Kubernetes does not see what is in it."""

TOTALS = {"2026-01-01": 100.0, "2026-01-02": 101.0, "2026-01-03": 99.0, "2026-01-04": 900.0}
LABELS = {"2026-01-01": "usual", "2026-01-02": "usual", "2026-01-03": "usual", "2026-01-04": "high"}
ARGUMENTS = {
    "pandas-1": ["--days", "3"],
    "pandas-2": ["--totals", json.dumps(TOTALS)],
    "chart": ["--totals", json.dumps(TOTALS), "--labels", json.dumps(LABELS)],
}


@pytest.fixture(autouse=True)
def _no_login() -> None:
    """Instead of conftest's, which takes away the certificates that the sandbox needs."""


def spec(name: str) -> ImageSpec:
    """An example, under a name of these tests in the registry."""
    return replace(tasks.spec(load("sandbox", BOTH_PLATFORMS), name), name=f"test-task-{name}")


def changed(before: ImageSpec, path: str, change: Callable[[bytes], bytes] | None) -> ImageSpec:
    """The same with another content of a file, new or not; None removes it."""
    old = {file.path: file for file in before.files}
    file = old.pop(path, File(path, 0o644, b""))
    if change is not None:
        old[path] = replace(file, content=change(file.content))
    return replace(before, files=tuple(old.values()))


def build(what: ImageSpec, platform: str) -> str:
    """Build and push; the reference by digest."""
    return buildx.build(load("sandbox"), what, platform)


def crane(*arguments: str) -> bytes:
    command = [toolchain.program("crane", "crane"), *arguments]
    return run(command, env=components.environment(), capture_output=True, check=True).stdout


def layers(image: str) -> list[str]:
    return [layer["digest"] for layer in json.loads(crane("manifest", image))["layers"]]


def contents(image: str) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(crane("export", image, "-")))


def ctr(*arguments: str) -> CompletedProcess[str]:
    command = ["ctr", f"--address={paths.CONTAINERD_SOCKET}", f"--namespace={CONTAINERD}"]
    return run([*command, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def execute(sandbox: None, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Runs an image as a pod would (read-only, as its own user) and returns its XCom."""
    images: list[str] = []

    def execute(image: str, *arguments: str) -> Any:
        hosts = paths.CONFIGURATION / "hosts"
        pulled = ctr("images", "pull", f"--hosts-dir={hosts}", image)
        assert pulled.returncode == 0, pulled.stderr
        images.append(image)
        xcom = tmp_path / "xcom"
        xcom.mkdir()
        xcom.chmod(0o777)  # as an emptyDir
        command = ["run", "--rm", "--read-only"]
        command += [f"--mount=type=bind,src={xcom},dst=/airflow/xcom,options=rbind:rw"]
        command += ["--mount=type=tmpfs,src=tmpfs,dst=/tmp,options=rw"]
        # ctr replaces entrypoint and arguments alike.
        entrypoint = json.loads(crane("config", image))["config"]["Entrypoint"]
        name = f"task-test-{os.getpid()}"
        done = ctr(*command, image, name, *entrypoint, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        file = xcom / "return.json"
        assert file.stat().st_uid == 50000
        return json.loads(file.read_text())

    yield execute
    ctr("images", "rm", "--sync", *images)
    ctr("namespaces", "rm", CONTAINERD)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_gets_its_arguments_and_returns_its_result(
    execute: Callable[..., Any], name: str
) -> None:
    result = execute(build(spec(name), AMD64), *ARGUMENTS[name])
    if name == "pandas-1":
        assert (result["pandas"], result["numpy"].split(".")[0]) == ("1.5.3", "1")
        assert list(result["totals"]) == ["2026-01-26", "2026-01-27", "2026-01-28"]
    elif name == "pandas-2":
        assert (result["pandas"][0], result["numpy"][0]) == ("2", "2")
        assert result["labels"] == LABELS
    else:
        assert result["python"].startswith("3.13.")
        assert result["png"].startswith("iVBORw0KGgo")


@pytest.mark.parametrize("name", NAMES)
def test_the_image_for_arm64_holds_files_for_arm64(sandbox: None, name: str) -> None:
    image = build(spec(name), ARM64)
    assert json.loads(crane("config", image))["architecture"] == "arm64"
    files = contents(image)
    heads = {
        member.name: file.read(20)
        for member in files
        if member.isreg() and (file := files.extractfile(member))
    }
    machines = {
        name: int.from_bytes(head[18:20], "little")
        for name, head in heads.items()
        if head.startswith(b"\x7fELF")
    }
    assert any(name.startswith("opt/venv/") for name in machines)
    assert set(machines.values()) == {MACHINE_ARM64}


def test_a_file_for_another_machine_fails_the_build(sandbox: None) -> None:
    foreign = changed(spec("chart"), "helper", lambda _: Path("/bin/true").read_bytes())
    with pytest.raises(BuildError, match="helper is for amd64, but the image is for arm64"):
        build(foreign, ARM64)


def test_a_missing_wheel_fails_the_build_by_name_and_platform(sandbox: None) -> None:
    # Published for amd64 alone.
    lock = b"""# Python 3.13
tcmlib==1.6.0 --hash=sha256:46c2491988bfd18c4733eeb08aca6a386706a497b92cc51d155f37ddea003c14
"""
    missing = changed(spec("chart"), "requirements.txt", lambda _: lock)
    with pytest.raises(BuildError) as raised:
        build(missing, ARM64)
    assert re.search(r"tcmlib.* has no wheels .*manylinux_2_28_aarch64", str(raised.value))
    assert "linux/arm64: requirements.txt cannot be installed" in str(raised.value)


def test_a_lock_for_another_python_fails_the_build(sandbox: None) -> None:
    other = changed(
        spec("chart"),
        "requirements.txt",
        lambda text: text.replace(b"# Python 3.13", b"# Python 3.9"),
    )
    with pytest.raises(BuildError, match=r"is not for Python 3\.13, which the base image"):
        build(other, AMD64)


def test_a_folder_without_a_task_fails_the_build(sandbox: None) -> None:
    with pytest.raises(BuildError, match=r"The folder has no task\.py"):
        build(changed(spec("chart"), "task.py", None), AMD64)


def test_a_code_edit_changes_the_last_layer_alone(sandbox: None) -> None:
    before = layers(build(spec("chart"), AMD64))
    edited = changed(spec("chart"), "task.py", lambda code: code + b"\n# An edit.\n")
    after = layers(build(edited, AMD64))
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]


def test_the_bill_of_materials_has_both_kinds_of_packages(sandbox: None) -> None:
    file = contents(build(spec("chart"), AMD64)).extractfile("usr/share/sbom/sbom.cdx.json")
    assert file is not None
    found = {one["purl"].partition("@")[0] for one in json.load(file)["components"]}
    assert {"pkg:pypi/cairocffi", "pkg:deb/debian/libcairo2"} <= found


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module images/lock_tasks.py."""
    monkeypatch.syspath_prepend(IMAGES)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return importlib.import_module("lock_tasks")


@pytest.mark.parametrize("name", NAMES)
def test_make_lock_changes_nothing(locks: Any, name: str) -> None:
    folder = IMAGES / "tasks" / name
    assert locks.lock(folder) == (folder / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        (None, "requirements.in is missing"),
        ("pandas\n", "add the line '# exclude-newer: 20"),
        ("# exclude-newer: 2026-11-20\ntcmlib\n", "uv pip compile failed"),
        # Both examples in one.
        ("# exclude-newer: 2026-11-20\nnumpy<2\npandas<2\nnumpy>=2\n", "uv pip compile failed"),
    ],
)
def test_a_lock_that_cannot_be_made(
    locks: Any, tmp_path: Path, requirements: str | None, message: str
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "image.yaml").write_text('python: "3.11"\n')
    if requirements is not None:
        (folder / "requirements.in").write_text(requirements)
    with pytest.raises(SystemExit, match=re.escape(message)):
        locks.lock(folder)
