"""The task images: built for both platforms, run on this machine's, and their locks."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bundle.images.specs import ROOT

from sandbox import components, paths, toolchain
from tests.cluster.conftest import sandbox as sandbox

IMAGES = ROOT / "images"
REGISTRY = f"{paths.REGISTRY_HOST}/test-tasks"
NAMES = ("chart", "pandas-1", "pandas-2")
MACHINES = {"amd64": 62, "arm64": 183}  # e_machine of ELF
CONTAINERD = "airflow-task-test"
"""A namespace of containerd: Kubernetes does not see what is in it."""

TOTALS = {"2026-01-01": 100.0, "2026-01-02": 101.0, "2026-01-03": 99.0, "2026-01-04": 900.0}
LABELS = {"2026-01-01": "usual", "2026-01-02": "usual", "2026-01-03": "usual", "2026-01-04": "high"}
ARGUMENTS = {
    "pandas-1": ["--days", "3"],
    "pandas-2": ["--totals", json.dumps(TOTALS)],
    "chart": ["--totals", json.dumps(TOTALS), "--labels", json.dumps(LABELS)],
}


def context(name: str, place: Path) -> Path:
    """The build context of a task image, for a test to change."""
    shutil.copytree(IMAGES / "tasks" / name, place)
    shutil.copytree(IMAGES / "shared", place / "shared")
    shutil.copy(IMAGES / "tasks" / "Dockerfile", place)
    return place


def build(source: Path, name: str, architecture: str, *more: str) -> tuple[int, str]:
    """Exit code and output of a build that pushes `<name>:<architecture>`."""
    settings = source / "image.yaml"
    wanted = yaml.safe_load(settings.read_text()) if settings.exists() else {}
    base = f"{paths.REGISTRY_HOST}/stand-in/python:{wanted.get('python', '3.11')}"
    command = ["buildx", "build", str(source), "--builder", paths.NAME]
    command += ["--platform", f"linux/{architecture}", "--progress=plain", "--provenance=false"]
    command += ["--build-arg", f"PYTHON_BASE_IMAGE={base}"]
    command += ["--build-arg", f"SYSTEM_PACKAGES={' '.join(wanted.get('systemPackages', []))}"]
    command += ["--build-arg", "SOURCE_DATE_EPOCH=1577836800"]
    command += ["--secret", f"id=ca,src={paths.CA_BUNDLE}"]
    target = f"type=image,name={reference(name, architecture)},push=true,oci-mediatypes=true"
    command += ["--output", f"{target},rewrite-timestamp=true,compression=zstd", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def reference(name: str, architecture: str) -> str:
    return f"{REGISTRY}/{name}:{architecture}"


def built(name: str, architecture: str, place: Path, *more: str) -> str:
    """The reference of an example that was built as it is."""
    code, output = build(context(name, place), name, architecture, *more)
    assert code == 0, output
    return reference(name, architecture)


def crane(*arguments: str) -> bytes:
    command = [toolchain.program("crane", "crane"), *arguments]
    environment = components.environment()
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


def layers(image: str) -> list[str]:
    return [layer["digest"] for layer in json.loads(crane("manifest", image))["layers"]]


def ctr(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["ctr", f"--address={paths.CONTAINERD_SOCKET}", f"--namespace={CONTAINERD}"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def run(sandbox: None, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Runs an image as a pod would (read-only, its own user) and returns its XCom."""
    images = []

    def run(image: str, *arguments: str) -> Any:
        hosts = str(paths.CONFIGURATION / "hosts")
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

    yield run
    if images:
        ctr("images", "rm", "--sync", *images)
    ctr("namespaces", "rm", CONTAINERD)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_gets_its_arguments_and_returns_its_result(
    run: Callable[..., Any], name: str, tmp_path: Path
) -> None:
    result = run(built(name, "amd64", tmp_path / "context"), *ARGUMENTS[name])
    if name == "pandas-1":
        assert (result["pandas"], result["numpy"].split(".")[0]) == ("1.5.3", "1")
        assert list(result["totals"]) == ["2026-01-26", "2026-01-27", "2026-01-28"]
    elif name == "pandas-2":
        assert (result["pandas"][0], result["numpy"][0]) == ("2", "2")
        assert result["labels"] == LABELS
    else:
        assert result["python"].startswith("3.13.")
        assert result["png"].startswith("iVBORw0KGgo")


def test_one_environment_cannot_have_the_libraries_of_both(locks: dict[str, Any]) -> None:
    both = [
        line
        for name in ("pandas-1", "pandas-2")
        for line in (IMAGES / "tasks" / name / "requirements.in").read_text().splitlines()
    ]
    with pytest.raises(SystemExit):
        locks["Lock"](Path("both"), tuple(both), "2026-11-20", "3.11").compile()


@pytest.mark.parametrize("name", NAMES)
def test_arm64_needs_no_emulation(sandbox: None, name: str, tmp_path: Path) -> None:
    """Its own check passes (see below for what it finds), and these are files for arm64."""
    image = built(name, "arm64", tmp_path / "context")
    assert json.loads(crane("config", image))["architecture"] == "arm64"
    subprocess.run(
        [
            "tar",
            "--extract",
            "--directory",
            tmp_path,
            "--wildcards",
            "opt/venv/*.so",
            "usr/bin/pgrep",
        ],
        input=crane("export", image, "-"),
        check=True,
    )
    files = [tmp_path / "usr/bin/pgrep", *(tmp_path / "opt").rglob("*.so")]
    machines = {int.from_bytes(file.read_bytes()[18:20], "little") for file in files}
    assert len(files) > 1
    assert machines == {MACHINES["arm64"]}


def test_a_file_for_another_machine_fails_the_build(sandbox: None, tmp_path: Path) -> None:
    source = context("chart", tmp_path / "context")
    shutil.copy("/bin/true", source / "helper")
    code, output = build(source, "broken", "arm64")
    assert code != 0
    assert "/helper is for amd64, but the image is for arm64" in output


def test_a_missing_wheel_fails_the_build_by_name_and_platform(
    sandbox: None, tmp_path: Path
) -> None:
    source = context("chart", tmp_path / "context")
    # Published for amd64 alone.
    (source / "requirements.txt").write_text(
        "# Python 3.13\ntcmlib==1.6.0 --hash=sha256:"
        "46c2491988bfd18c4733eeb08aca6a386706a497b92cc51d155f37ddea003c14\n"
    )
    code, output = build(source, "broken", "arm64")
    assert code != 0
    assert re.search(r"tcmlib.* has no wheels .*manylinux_2_28_aarch64", output)
    assert "linux/arm64: requirements.txt cannot be installed" in output


def test_a_lock_for_another_python_fails_the_build(sandbox: None, tmp_path: Path) -> None:
    source = context("chart", tmp_path / "context")
    lock = source / "requirements.txt"
    lock.write_text(lock.read_text().replace("# Python 3.13", "# Python 3.9"))
    code, output = build(source, "broken", "amd64")
    assert code != 0
    assert "requirements.txt is not for Python 3.13, which the base image has" in output


def test_a_folder_without_a_task_fails_the_build(sandbox: None, tmp_path: Path) -> None:
    source = context("chart", tmp_path / "context")
    (source / "task.py").unlink()
    code, output = build(source, "broken", "amd64")
    assert code != 0
    assert "The folder has no task.py" in output


def test_a_code_edit_changes_the_last_layer_alone(sandbox: None, tmp_path: Path) -> None:
    image = built("chart", "amd64", tmp_path / "context")
    before = layers(image)
    with (tmp_path / "context" / "task.py").open("a") as file:
        file.write("\n# An edit.\n")
    code, output = build(tmp_path / "context", "chart", "amd64")
    assert code == 0, output
    after = layers(image)
    assert (after[:-1], after[-1] == before[-1]) == (before[:-1], False)


def test_two_cold_builds_are_the_same(sandbox: None, tmp_path: Path) -> None:
    image = built("chart", "amd64", tmp_path / "first")
    first = crane("digest", image)
    built("chart", "amd64", tmp_path / "second", "--no-cache")
    assert crane("digest", image) == first


def test_the_bill_of_materials_has_both_kinds_of_packages(sandbox: None, tmp_path: Path) -> None:
    image = built("chart", "amd64", tmp_path / "context")
    path = "usr/share/sbom/sbom.cdx.json"
    text = subprocess.run(
        ["tar", "--extract", "--to-stdout", path],
        input=crane("export", image, "-"),
        capture_output=True,
        check=True,
    ).stdout
    found = {one["purl"].partition("@")[0] for one in json.loads(text)["components"]}
    assert {"pkg:pypi/cairocffi", "pkg:deb/debian/libcairo2"} <= found


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of images/lock_tasks.py."""
    monkeypatch.syspath_prepend(IMAGES)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    import lock_tasks

    return vars(lock_tasks)


@pytest.mark.parametrize("name", NAMES)
def test_make_lock_changes_nothing(locks: dict[str, Any], name: str) -> None:
    folder = IMAGES / "tasks" / name
    assert locks["lock"](folder) == (folder / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        (None, "requirements.in is missing"),
        ("pandas\n", "add the line '# exclude-newer: 20"),
        ("# exclude-newer: 2026-11-20\ntcmlib\n", "uv pip compile failed"),
    ],
)
def test_a_lock_that_cannot_be_made(
    locks: dict[str, Any], tmp_path: Path, requirements: str | None, message: str
) -> None:
    (tmp_path / "image.yaml").write_text('python: "3.11"\n')
    if requirements is not None:
        (tmp_path / "requirements.in").write_text(requirements)
    with pytest.raises(SystemExit, match=re.escape(message)):
        locks["lock"](tmp_path)
