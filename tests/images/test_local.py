"""A laptop with Debian's Docker and Docker Compose 2: make local-up, make task."""

import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow_kubernetes.local import env_file

from sandbox import paths, toolchain
from sandbox.errors import SandboxError
from tests.cluster.conftest import ROOT, use_sandbox

from .laptop import Laptop, laptop

pytestmark = pytest.mark.long

MYSQL = "10.244.0.1:5000/stand-in/mysql:9.7"
CHECKOUT = ("compose.yaml", "dags", "images", "infra", "Makefile", "requirements.txt", "sandbox")

IN_AIRFLOW = """
import sys, time
from airflow_kubernetes.cli import rest, smoke
from airflow_kubernetes.cli.target import Target
password, what = sys.argv[1:]
rest.password = lambda here: password
here = Target.load("sandbox", "airflow.url=http://localhost:8080")
if what.startswith("run "):
    smoke.smoke(here, what[4:])
for attempt in range(60):
    dags = {dag["dag_id"] for dag in rest.Rest(here).get("/dags")["dags"]}
    if what.startswith("run ") or what in dags:
        break
    time.sleep(1)
print(sorted(dags), rest.Rest(here).get("/importErrors")["import_errors"])
"""
"""Logs in; runs the smoke DAG by a run's name, unless there is that run, or waits for a DAG."""

FROM_THE_FOLDER = """
from airflow.sdk import dag
@dag(schedule=None)
def from_the_folder(): ...
from_the_folder()
"""

FROM_LOCK = """
import sys
from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.images import lock
from airflow_kubernetes.local import images
from airflow_kubernetes.local.engine import find_engine
from airflow_kubernetes.environment import load
settings = load("sandbox", "images.registry=10.244.0.1:5000/local")
spec = image_catalog.airflow(settings)
name = lock.key(settings, spec.name, spec.tag)
lock.update(lock.path(settings), {name: lock.Entry(spec.tag, sys.argv[1])})
print(images.airflow(settings, find_engine()))
"""
"""With a lock that names this digest for the checkout: which image make local-up takes."""

PROBE = """
import json, os, sys
from pathlib import Path
if sys.argv[1:] == ["fail"]:
    sys.exit("it did not work")
def may_write(folder):
    try:
        Path(folder, "probe").write_text("x")
    except OSError:
        return False
    return True
found = {"arguments": sys.argv[1:], "user": [os.getuid(), os.getgid()]}
found["privileges"] = Path("/proc/self/status").read_text().split("CapBnd:")[1].split()[0]
found |= {folder: may_write(folder) for folder in ("/", "/opt", "/tmp")}
print("the task's own words")
text = json.dumps(found) if sys.argv[1:] != ["garbage"] else "{"
if sys.argv[1:] != ["nothing"]:
    Path("/airflow/xcom/return.json").write_text(text)
"""
DOCKERFILE = """
ARG PYTHON_BASE_IMAGE
FROM ${PYTHON_BASE_IMAGE}
COPY task.py /
USER 50000:0
ENTRYPOINT ["python3", "/task.py"]
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Laptop]:
    """The laptop, and the sandbox as its registry and builder."""
    use_sandbox()
    try:
        with laptop() as running:
            yield running
    except SandboxError as error:
        pytest.skip(f"no laptop: {error}")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of its own, for its .env and its DAGs."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (*CHECKOUT, "values"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    probe = folder / "images" / "tasks" / "probe"
    probe.mkdir()
    (probe / "task.py").write_text(PROBE)
    (probe / "Dockerfile").write_text(DOCKERFILE)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    folder.parent.chmod(0o755)
    folder.chmod(0o755)  # containers read ./dags
    return folder


class Author:
    """Who works in the checkout on the laptop."""

    def __init__(self, machine: Laptop, checkout: Path) -> None:
        self.machine, self.checkout = machine, checkout

    def make(self, goal: str, *variables: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`make goal`; pytest shows what it says of a failed test."""
        done = self.machine.run(
            *("make", "--no-print-directory", goal, "ENV=sandbox", *variables),
            cwd=self.checkout,
        )
        print(done.stderr, done.stdout, sep="\n")
        assert done.returncode == code
        return done

    def airflow(self, what: str) -> str:
        """What IN_AIRFLOW says."""
        password = env_file.read(self.checkout / ".env")["ADMIN_PASSWORD"]
        done = self.machine.run(
            *(".venv/bin/python", "-c", IN_AIRFLOW, password, what),
            cwd=self.checkout,
            PYTHONPATH="infra",
        )
        print(done.stderr)
        assert done.returncode == 0
        return done.stdout


@pytest.fixture(scope="module")
def author(machine: Laptop, checkout: Path) -> Author:
    """An author with a checkout and a laptop."""
    return Author(machine, checkout)


@pytest.fixture(scope="module")
def first(author: Author) -> subprocess.CompletedProcess[str]:
    """`make local-up` on a machine that has nothing but the database's image."""
    author.machine.take(MYSQL)
    return author.make("local-up")


def test_up_says_where_and_with_what_password(
    author: Author, first: subprocess.CompletedProcess[str]
) -> None:
    file = author.checkout / ".env"
    env = env_file.read(file)
    assert first.stdout == (
        f"url       http://localhost:8080\nuser      admin\npassword  {env['ADMIN_PASSWORD']}\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len({env[name] for name in env_file.SECRETS}) == len(env_file.SECRETS)


def test_a_dag_of_the_image_runs(author: Author, first: object) -> None:
    said = author.airflow("run first")
    assert "'smoke'" in said
    assert said.endswith("[]\n"), "no DAG fails to be parsed, whether it can run here or not"


def test_containers_have_no_more_rights_than_pods(author: Author, first: object) -> None:
    compose = ("docker", "compose", "exec", "-T", "scheduler")
    script = "id -u; touch /x || touch /usr/local/airflow/x || grep CapBnd /proc/self/status"
    done = author.machine.run(*compose, "sh", "-c", script, cwd=author.checkout)
    assert done.stdout.split() == ["50000", "CapBnd:", "0" * 16]
    assert done.stderr.count("Read-only file system") == 2


def test_down_keeps_the_data_and_up_finds_it(author: Author, first: object) -> None:
    before = (author.checkout / ".env").read_text()
    author.make("local-down")
    assert not author.machine.run("docker", "ps", "--all", "--quiet").stdout
    volumes = author.machine.run("docker", "volume", "ls", "--quiet").stdout.split()
    assert {"airflow-local_logs", "airflow-local_mysql"} <= set(volumes)
    author.make("local-up")
    author.airflow("run first")  # which is there, so that nothing is run
    assert (author.checkout / ".env").read_text() == before


def test_a_new_file_in_the_folder_is_a_dag(author: Author, first: object) -> None:
    (author.checkout / "dags" / "from_the_folder.py").write_text(FROM_THE_FOLDER)
    assert "'from_the_folder'" in author.airflow("from_the_folder")


def test_without_the_passwords_the_database_is_not_touched(author: Author, first: object) -> None:
    file = author.checkout / ".env"
    away = file.rename(author.checkout / "away")
    try:
        refused = author.make("local-up", code=2)
        assert "the volume airflow-local_mysql holds a database" in refused.stderr
        assert not file.exists()
    finally:
        away.rename(file)
        author.make("local-down")


def test_what_the_lock_names_is_pulled(author: Author, tmp_path: Path) -> None:
    # Any image in its place: that the registry's is used is all that counts.
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    metadata = tmp_path / "metadata.json"
    build = [toolchain.program("buildx", "buildx"), "build", str(tmp_path)]
    build += ["--builder", paths.NAME, "--provenance=false", "--push"]
    build += [f"--metadata-file={metadata}", "--tag=10.244.0.1:5000/local/airflow:any"]
    subprocess.run(build, check=True)
    digest = json.loads(metadata.read_text())["containerimage.digest"]
    done = author.machine.run(
        *(".venv/bin/python", "-c", FROM_LOCK, digest),
        cwd=author.checkout,
        PYTHONPATH="infra",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )
    print(done.stderr)
    reference = done.stdout.strip()
    assert reference.startswith("10.244.0.1:5000/local/airflow:")
    assert reference.endswith(f"@{digest}")
    assert author.machine.run("docker", "image", "inspect", reference).returncode == 0


def test_a_task_runs_as_in_a_pod(author: Author) -> None:
    done = author.make("task", "NAME=probe", "ARGS=--name 'two words' $HOME")
    assert json.loads(done.stdout) == {
        "arguments": ["--name", "two words", "$HOME"],
        "user": [50000, 0],
        "privileges": "0" * 16,
        "/": False,
        "/opt": False,
        "/tmp": True,
    }
    assert "the task's own words" in done.stderr


def test_a_real_task(author: Author) -> None:
    done = author.make("task", "NAME=pandas-1", "ARGS=--days 3")
    assert json.loads(done.stdout)["pandas"].startswith("1.")


def test_a_task_without_a_result(author: Author) -> None:
    done = author.make("task", "NAME=probe", "ARGS=nothing")
    assert done.stdout == ""
    assert "task probe wrote no /airflow/xcom/return.json" in done.stderr


def test_a_task_whose_result_is_no_json(author: Author) -> None:
    done = author.make("task", "NAME=probe", "ARGS=garbage", code=2)
    assert "task probe wrote no JSON" in done.stderr


def test_a_task_that_fails(author: Author) -> None:
    done = author.make("task", "NAME=probe", "ARGS=fail", code=2)
    assert "it did not work\nerror: task probe failed: exit code 1" in done.stderr
    assert "Error 1" in done.stderr  # make's own exit code is always 2


def test_an_image_that_cannot_be_built(author: Author, checkout: Path) -> None:
    shutil.copytree(checkout / "images" / "tasks" / "probe", checkout / "images/tasks/broken")
    with (checkout / "images/tasks/broken/Dockerfile").open("a") as file:
        file.write("USER 0\nRUN echo no such package; exit 3\n")
    done = author.make("task", "NAME=broken", code=2)
    assert "no such package" in done.stderr
    assert "error: task-broken (linux/amd64): the build failed; the reason is above" in done.stderr


def test_nothing_of_a_task_is_left(author: Author) -> None:
    assert not author.machine.run("docker", "ps", "--all", "--quiet").stdout
