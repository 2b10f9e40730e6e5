"""Every object of every environment, rendered once by the real program."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.settings.load import environments

ROOT = Path(__file__).parents[2]


def run(
    command: str, environment: str, overrides: str = "", root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """The command behind `make command ENV=environment SET=overrides`, in a bare environment."""
    return subprocess.run(
        [sys.executable, "-m", "airflow_kubernetes", command, environment, f"--set={overrides}"],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": "infra"},
        capture_output=True,
        text=True,
        check=False,
    )


def render(environment: str, overrides: str = "", root: Path = ROOT) -> str:
    """Standard output of `make render`."""
    done = run("render", environment, overrides, root)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session", params=environments())
def rendered(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The objects of one environment; the test runs for each."""
    return list(yaml.safe_load_all(render(request.param)))


def workloads(objects: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Name and pod spec of everything that starts pods, the pod template included."""
    found = []
    for obj in objects:
        name = f"{obj['kind']} {obj['metadata']['name']}"
        if obj["kind"] in ("Deployment", "StatefulSet", "Job"):
            found.append((name, obj["spec"]["template"]["spec"]))
        elif obj["kind"] == "CronJob":
            found.append((name, obj["spec"]["jobTemplate"]["spec"]["template"]["spec"]))
        elif obj["metadata"]["name"] == "airflow-pod-template":
            found.append((name, yaml.safe_load(obj["data"]["pod_template.yaml"])["spec"]))
    return found


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Init containers and containers of a pod spec."""
    return [*spec.get("initContainers", []), *spec["containers"]]
