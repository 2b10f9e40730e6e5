"""`make bench`: how long each step takes, side by side in one run. Asserts nothing.

With --cold also the steps of a bare machine, each with empty caches of its own in a temporary
folder, so that nothing of the user's is lost.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import dags, executors, preview
from benchmarks import images as image_builds
from tests.cluster.conftest import Deployment, in_namespace, use_sandbox

ROOT = Path(__file__).parents[1]


def timed(step: Callable[[], object]) -> float:
    """Seconds that `step` takes."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def quiet(*command: str, **environment: str) -> None:
    """Run a command without its output; its output is shown if it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}")


def report(step: str, seconds: float, against: str = "") -> None:
    """One line of the table."""
    print(f"{step:<58}{seconds:>8.2f} s   {against}", flush=True)


def median(step: Callable[[], object], runs: int = 5) -> float:
    """The median of several runs, after one that is not counted."""
    step()
    return statistics.median(timed(step) for _ in range(runs))


def render() -> None:
    """Rendering, and the imports that it needs."""
    whole = median(lambda: quiet("make", "-s", "render", "ENV=prod"))
    command = median(
        lambda: quiet(
            sys.executable, "-m", "airflow_kubernetes", "render", "prod", PYTHONPATH="infra"
        )
    )
    imports = median(lambda: quiet(sys.executable, "-c", "import pulumi, pydantic, yaml"))
    classes = "import pulumi_kubernetes as k; k.apps.v1.Deployment, k.core.v1.Secret"
    typed = median(lambda: quiet(sys.executable, "-c", classes))
    report("render of an environment, by make", whole)
    report("render of an environment", command, f"{command / imports:.1f} x its imports alone")
    report("  imports alone (pulumi, pydantic, yaml)", imports)
    report("  typed Kubernetes classes alone (not used here)", typed)


def images(deployment: Deployment) -> None:
    """The Airflow image: nothing changed, and one DAG edited."""
    unchanged = median(lambda: deployment.make("images", quiet=True), 3)
    dag = ROOT / "dags" / "bench_edit.py"
    times = []
    try:
        for i in range(3):
            dag.write_text(f"# edit {i} at {time.time()}\n")
            times.append(timed(lambda: deployment.make("images", quiet=True)))
    finally:
        dag.unlink(missing_ok=True)
    edited = statistics.median(times)
    report("image, nothing changed", unchanged)
    report("image, a DAG edited: built and pushed", edited, f"{edited / unchanged:.1f} x unchanged")


def deploy(deployment: Deployment) -> None:
    """From an empty namespace to ready and to a green run, and again with nothing changed."""
    first = timed(lambda: deployment.make("up", quiet=True))
    smoke = median(lambda: deployment.make("smoke", quiet=True), 3)
    second = median(lambda: deployment.make("up", quiet=True), 3)
    report("up: empty namespace to a green DAG run", first)
    report("up again, nothing changed", second, f"{second / first:.2f} x the first")
    report("smoke: a DAG of two task pods, from trigger to green", smoke)


def cold() -> None:
    """What a bare machine does once: Python packages, the toolchain."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        empty = {
            name: f"{folder}/{name.lower()}"
            for name in ("XDG_CACHE_HOME", "PIP_CACHE_DIR", "GOCACHE", "GOMODCACHE", "GOPATH")
        } | {"GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw"}
        clone = f"{folder}/checkout"
        quiet("git", "clone", "--quiet", str(ROOT), clone)
        packages = timed(lambda: quiet("make", "-C", clone, ".venv", **empty))
        report("cold: Python packages", packages)
        tools = (f"{clone}/.venv/bin/python", "-m", "sandbox", "toolchain")
        toolchain = timed(lambda: quiet("env", "-C", clone, *tools, **empty))
        report("cold: the sandbox's toolchain from source", toolchain)


def main() -> None:
    """Print the table."""
    render()
    preview.main()
    start = time.perf_counter()
    use_sandbox()
    report("sandbox-up (with what it found cached or running)", time.perf_counter() - start)
    if "--cold" in sys.argv:
        cold()
    deployment = in_namespace("airflow-bench", 30083)
    deployment.remove()
    try:
        images(deployment)
        deploy(deployment)
    finally:
        deployment.remove()
    dags.main()
    image_builds.main()
    executors.main()


if __name__ == "__main__":
    main()
