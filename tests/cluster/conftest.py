"""The embedded cluster and a deployment of its own, apart from a user's `make up`."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.cli.rest import Rest
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.errors import UserError

from sandbox import storage
from sandbox.progress import Progress

pytest.register_assert_rewrite("tests.cluster.scenarios")

ROOT = Path(__file__).parents[2]

COMMAND = (sys.executable, "-m", "airflow_kubernetes")

PORT, PORT_ELSEWHERE = 30081, 30100
"""Node ports of the fixtures' first Airflows; .github/kind/cluster.yaml maps them."""

GIVEN = os.environ.get("GIVEN_CLUSTER", "")
"""Overrides that fit the sandbox's values to a cluster that is there already, under the context
`airflow-sandbox`: it is then used instead of the embedded one (.github/workflows/kind.yml)."""


USED = pytest.StashKey[int]()
"""How many namespaces the fixture `elsewhere` has had."""


MOMENT = 10.0
"""Seconds for which a session of the REST API needs no look."""

SESSIONS: dict[tuple[str, str], tuple[Rest, float]] = {}
"""The last session of each Airflow of this process, and when it was good."""


@dataclass(frozen=True)
class Deployment:
    """A namespace of the sandbox, the overrides that put Airflow there, and the checkout."""

    namespace: str
    overrides: str
    root: Path = ROOT

    def make(
        self, goal: str, *variables: str, ok: bool = True, more: str = "", quiet: bool = False
    ) -> str:
        """`make goal SET=…`; everything that it prints, which pytest shows of a failed test."""
        done = subprocess.run(
            # Below `make test` it would say where it is, after all that is looked for.
            [
                "make",
                "--no-print-directory",
                goal,
                *variables,
                f"SET={self.overrides} {more}".strip(),
            ],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not quiet:
            print(done.stdout)
        assert (done.returncode == 0) == ok, done.stdout
        return done.stdout

    def up(self, *, ok: bool = True, more: str = "") -> str:
        """What `make up` deploys, without its smoke run; everything that it prints."""
        return self.call(*self.command("up", more=more), ok=ok)

    def command(self, goal: str, *variables: str, more: str = "") -> tuple[str, ...]:
        """The command line behind `make goal`."""
        return (*COMMAND, goal, "sandbox", *variables, f"--set={self.overrides} {more}")

    def begin(
        self, goal: str, *variables: str, more: str = "", own_group: bool = False
    ) -> subprocess.Popen[str]:
        """A command in the background; its output is one pipe. A signal may be for its group."""
        return subprocess.Popen(
            self.command(goal, *variables, more=more),
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": "infra"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=own_group,
        )

    def call(self, *command: str, ok: bool = True, **environment: str) -> str:
        """Standard output and error of a command in the checkout."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": "infra", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout)
        assert (done.returncode == 0) == ok, done.stdout
        return done.stdout

    def kubectl(self, *args: str) -> str:
        """Standard output of kubectl in the namespace."""
        command = ["kubectl", "--namespace", self.namespace, *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    @property
    def tasks(self) -> "Deployment":
        """The namespace of the pods that its tasks launch, for `kubectl`."""
        return Deployment(f"{self.namespace}-tasks", self.overrides)

    def pods(self, component: str | None = None, *, without: str = "") -> dict[str, str]:
        """Uid by name of the pods that are not being deleted: of a component, or `without` one.

        Never those of the sweeper, which come and go.
        """
        selector = (
            "app.kubernetes.io/part-of=airflow-kubernetes,app.kubernetes.io/component!=sweep-pods"
        )
        if component:
            selector += f",app.kubernetes.io/component={component}"
        if without:
            selector += f",app.kubernetes.io/component!={without}"
        items = json.loads(self.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]
        metadata = [item["metadata"] for item in items]
        return {one["name"]: one["uid"] for one in metadata if "deletionTimestamp" not in one}

    def target(self) -> Target:
        """What the program's own commands work on."""
        return Target.load("sandbox", self.overrides)

    def rest(self) -> Rest:
        """A logged-in session of the REST API: the last one, if it was good a moment ago or is now.

        A login costs the API server more than all else that a test asks it while it waits.
        """
        key = (self.namespace, self.overrides)
        rest, good = SESSIONS.get(key, (None, 0.0))
        if rest is not None and time.monotonic() - good <= MOMENT:
            return rest
        if rest is None or not _answers(rest):
            rest = Rest(self.target())
        SESSIONS[key] = rest, time.monotonic()
        return rest

    def rendered(self) -> list[dict[str, Any]]:
        """The objects that the program makes of these values."""
        text = subprocess.run(
            [*COMMAND, "render", "sandbox", f"--set={self.overrides}"],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": "infra"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return list(yaml.safe_load_all(text))

    def all_runs(self) -> set[str]:
        """DAG, id and state of every run that has ended."""
        found = self.rest().get("/dags/~/dagRuns?limit=100")["dag_runs"]
        return {
            f"{run['dag_id']} {run['dag_run_id']} {run['state']}"
            for run in found
            if run["state"] in ("success", "failed")
        }

    def runs(self) -> dict[str, str]:
        """State by id of all runs of the smoke DAG."""
        found = self.rest().get("/dags/smoke/dagRuns?limit=100")["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in found}

    def remove(self, *, wait: bool = False) -> None:
        """Delete the namespaces and the volumes that they had: these are a test's own data."""
        volumes = [
            item["metadata"]["name"]
            for item in json.loads(self.kubectl("get", "pv", "-o", "json"))["items"]
            if item["spec"].get("claimRef", {}).get("namespace") == self.namespace
        ]
        # A namespace with pods that have a long grace period is looked at again after half of it,
        # and a worker does not stop while its tasks miss the API.
        self.kubectl("delete", "deployments,statefulsets,jobs", "--all", "--wait=false")
        for place in (self, self.tasks):
            place.kubectl("delete", "pods", "--all", "--grace-period=0", "--force")
        end = ("--ignore-not-found", f"--wait={str(wait).lower()}")
        self.kubectl("delete", "namespace", self.namespace, self.tasks.namespace, *end)
        if volumes:
            # Volumes that a cluster made for claims go with them.
            self.kubectl("delete", "pv", *volumes, *end)
        if not GIVEN:
            storage.ensure(Progress())  # else `make up` alone would fill the sandbox's pool again


def _answers(rest: Rest) -> bool:
    try:
        rest.get("/dags?limit=1")
    except UserError:
        return False
    return True


def wait_for(what: str, check: Callable[[], Any], seconds: float = 180) -> Any:
    """Poll until `check` gives something true; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


@pytest.fixture(scope="session")
def sandbox() -> None:
    """The embedded cluster, running."""
    if not GIVEN and os.geteuid() != 0:
        pytest.skip("the embedded cluster needs root")
    use_sandbox()


def use_sandbox() -> None:
    """Start the embedded cluster, build its images, and set its variables for this process."""
    if GIVEN:
        return
    # Images are built once: of two processes that need them the second one waits.
    with (ROOT / ".tests.flock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for goal in ("sandbox-up", "images"):
            subprocess.run(["make", goal], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    script = 'eval "$(.venv/bin/python -m sandbox env)"; env -0'
    shell = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, check=True)
    for line in shell.stdout.decode().split("\0"):
        name, _, value = line.partition("=")
        if name in ("PATH", "KUBECONFIG", "BUILDX_CONFIG", "SSL_CERT_FILE"):
            os.environ[name] = value


def in_namespace(name: str, port: int) -> Deployment:
    """A deployment of the sandbox environment in a namespace and on a node port of its own."""
    overrides = (
        f"engine=kubectl namespace={name} airflow.url=http://localhost:{port} "
        f"airflow.apiServer.service.nodePort={port} {GIVEN}"
    )
    return Deployment(name, overrides.strip())


@pytest.fixture
def elsewhere(sandbox: None, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Another, empty namespace, of this test alone: none has to wait until another's is gone."""
    number = request.session.stash.setdefault(USED, 0)
    request.session.stash[USED] = number + 1
    deployment = in_namespace(f"airflow-elsewhere-{number}", PORT_ELSEWHERE + number)
    deployment.remove(wait=True)
    yield deployment
    deployment.remove()
