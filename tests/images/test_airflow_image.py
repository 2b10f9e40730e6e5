"""The Airflow images: built for arm64 without emulation, run by QEMU, and what fails a build."""

import json
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.environment import load
from airflow_kubernetes.images import buildx
from airflow_kubernetes.images.failures import BuildError
from airflow_kubernetes.images.specs import File, ImageSpec
from airflow_kubernetes.paths import ROOT

from sandbox import components, paths, toolchain
from tests.cluster.conftest import sandbox as sandbox
from tests.images.emulation import Emulated, emulated
from tests.images.platforms import BOTH_PLATFORMS
from tests.images.platforms import both_platforms as both_platforms

pytestmark = pytest.mark.cluster

ARM64 = "linux/arm64"
NAMESPACE = "airflow-image-test"
PASSWORD = "only-for-this-test"
MYSQL = f"{paths.REGISTRY_HOST}/stand-in/mysql:9.7"


@pytest.fixture(autouse=True)
def _no_login() -> None:
    """Instead of conftest's, which takes away the certificates that the sandbox needs."""


def spec(flavor: str) -> ImageSpec:
    """The image of the checkout, under a name of these tests in the registry."""
    make = {"full": image_catalog.airflow, "worker": image_catalog.worker}[flavor]
    return replace(make(load("sandbox", BOTH_PLATFORMS)), name=f"test-airflow-{flavor}")


def build(what: ImageSpec, platform: str = ARM64) -> str:
    return buildx.build(load("sandbox"), what, platform)


def with_file(before: ImageSpec, file: File) -> ImageSpec:
    return replace(before, files=(*before.files, file))


def arguments(before: ImageSpec, **values: str) -> ImageSpec:
    return replace(before, arguments=tuple({**dict(before.arguments), **values}.items()))


def crane(*command: str) -> str:
    done = subprocess.run(
        [toolchain.program("crane", "crane"), *command],
        env=components.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def environment(image: str) -> dict[str, str]:
    """What the image sets, and what any deployment sets."""
    config = json.loads(crane("config", image))["config"]
    return {
        **dict(variable.split("=", 1) for variable in config["Env"]),
        "HOME": "/tmp",
    }


def unpacked(flavor: str, folder: Path) -> Iterator[Emulated]:
    image = build(spec(flavor))
    yield emulated(image, folder, environment(image))
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def full(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """The file system of Airflow's arm64 image."""
    yield from unpacked("full", tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def worker(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """That of the slim one."""
    yield from unpacked("worker", tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="module")
def database(sandbox: None) -> Iterator[str]:
    """An empty MySQL in the cluster, as a connection of SQLAlchemy."""

    def kubectl(*command: str) -> str:
        return subprocess.run(
            ["kubectl", f"--namespace={NAMESPACE}", *command],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    subprocess.run(["kubectl", "create", "namespace", NAMESPACE], check=True)
    try:
        kubectl(
            *("run", "mysql", f"--image={MYSQL}", "--port=3306", "--env=MYSQL_DATABASE=airflow"),
            *(f"--env=MYSQL_ROOT_PASSWORD={PASSWORD}", "--env=MYSQL_INITDB_SKIP_TZINFO=1"),
            *("--", "--innodb-flush-method=nosync"),
        )
        kubectl("wait", "pod/mysql", "--for=condition=Ready", "--timeout=300s")
        ping = ("exec", "mysql", "--", "mysql", "--protocol=tcp", f"--password={PASSWORD}", "-e;")
        for _ in range(120):
            try:
                kubectl(*ping)
                break
            except subprocess.CalledProcessError:
                time.sleep(1)
        address = kubectl("get", "pod", "mysql", "--output=jsonpath={.status.podIP}")
        yield f"mysql+mysqldb://root:{PASSWORD}@{address}/airflow"
    finally:
        subprocess.run(["kubectl", "delete", "namespace", NAMESPACE, "--wait=false"], check=True)


def airflow(image: Emulated, *command: str, **more: str) -> str:
    """Standard output of an `airflow` command that succeeds."""
    done = image.python("-m", "airflow", *command, timeout=600, **more)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.long
def test_airflow_of_the_arm64_image_starts(full: Emulated) -> None:
    assert airflow(full, "version").split()[-1] == load("sandbox").airflow.version


def test_its_init_process_is_arm64_too(full: Emulated) -> None:
    assert "dumb-init" in full.run("/opt/venv/bin/dumb-init", "--version").stderr


@pytest.mark.long
def test_it_speaks_to_mysql_and_runs_a_task(full: Emulated, database: str) -> None:
    place = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database}
    airflow(full, "db", "migrate", **place)
    assert "Connection successful." in airflow(full, "db", "check", **place)
    airflow(full, "dags", "reserialize", **place)
    airflow(full, "tasks", "test", "smoke", "choose", "2026-01-01", **place)


@pytest.mark.long
def test_the_slim_image_of_task_pods_starts_and_has_what_tasks_need(worker: Emulated) -> None:
    modules = "airflow.sdk.execution_time.execute_workload, airflow.providers.cncf.kubernetes"
    done = worker.python("-c", f"import {modules}, airflow.providers.docker, kubernetes")
    assert done.returncode == 0, done.stderr[-3000:]
    packages = next(worker.root.glob("opt/venv/lib/python3.*/site-packages"))
    for absent in ("MySQLdb", "celery", "flask_appbuilder", "flower"):
        assert not (packages / absent).exists(), absent


@pytest.mark.long
def test_a_cold_build_gives_the_same_digest(sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    warm = build(spec("worker"))
    run = buildx._run

    def cold(command: list[str], variables: dict[str, str]) -> str | None:
        return run([*command, "--no-cache"], variables)

    monkeypatch.setattr(buildx, "_run", cold)
    assert build(spec("worker")) == warm


def test_a_binary_of_another_machine_fails_the_build(sandbox: None) -> None:
    smuggled = File("config/smuggled", 0o755, Path("/bin/true").read_bytes())
    with pytest.raises(BuildError) as error:
        build(with_file(spec("worker"), smuggled))
    expected = "/usr/local/airflow/config/smuggled is for amd64, but the image is for arm64"
    assert expected in str(error.value)


@pytest.mark.long
def test_a_system_package_comes_for_the_target_with_what_it_needs(
    sandbox: None, tmp_path: Path
) -> None:
    image = build(arguments(spec("worker"), SYSTEM_PACKAGES="libgomp1 libxml2"))
    root = emulated(image, tmp_path, {}).root
    library = next(root.glob("usr/lib/aarch64-linux-gnu/libxml2.so.2"))
    assert struct.unpack_from("<H", library.read_bytes(), 18) == (183,)
    assert (root / "usr/lib/aarch64-linux-gnu/libicuuc.so.72").exists()  # a dependency
    assert (root / "var/lib/dpkg/status.d/libgomp1").exists()
    assert "pkg:deb/debian/libxml2@" in (root / "usr/share/sbom/sbom.cdx.json").read_text()


def test_a_python_without_a_lock_is_an_error_that_says_so(sandbox: None) -> None:
    wanted = spec("full")
    lock = next(file for file in wanted.files if file.path.startswith("locks/"))
    other = replace(lock, path=f"locks/{load('sandbox').airflow.version}-py3.9.txt")
    files = tuple(other if file is lock else file for file in wanted.files)
    with pytest.raises(BuildError, match=r"No lock 3\.3\.2-py3\.11\.txt"):
        build(replace(wanted, files=files))


def bill(root: Path) -> Any:
    return json.loads((root / "usr/share/sbom/sbom.cdx.json").read_text())


def test_the_bill_of_materials_has_the_lock_and_the_unpacked_packages(full: Emulated) -> None:
    document = bill(full.root)
    found = {component["purl"] for component in document["components"]}
    version, python = load("sandbox").airflow.version, load("sandbox").images.airflow.python
    lock = (ROOT / f"images/airflow/locks/{version}-py{python}.txt").read_text()
    pinned = {
        line.split(" ")[0].replace("==", "@") for line in lock.splitlines() if "==" in line[:80]
    }
    assert {f"pkg:pypi/{one}" for one in pinned if not one.startswith(("#", " "))} <= found
    assert any(one.startswith("pkg:deb/debian/libmariadb3@") for one in found)
