"""`make bench`: how long each step takes, side by side in one run. Asserts nothing.

Cold steps that take minutes (the toolchain, base images) are reported from where they last ran:
the sandbox keeps their times beside what they made.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

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
    """Rendering, beside the imports that it cannot do without."""
    whole = median(lambda: quiet("make", "-s", "render", "ENV=prod"))
    command = median(
        lambda: quiet(sys.executable, "-m", "bundle", "render", "prod", PYTHONPATH="infra")
    )
    imports = median(lambda: quiet(sys.executable, "-c", "import pulumi, pydantic, yaml"))
    typed = median(
        lambda: quiet(sys.executable, "-c", "import pulumi_kubernetes as k; k.apps.v1, k.core.v1")
    )
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


def main() -> None:
    """Print the table."""
    if shutil.which("make") is None:
        sys.exit("make bench needs make")
    render()
    start = time.perf_counter()
    use_sandbox()
    report("sandbox-up (with what it found cached or running)", time.perf_counter() - start)
    deployment = in_namespace("airflow-bench", 30083)
    deployment.remove()
    try:
        images(deployment)
        deploy(deployment)
    finally:
        deployment.remove()


if __name__ == "__main__":
    main()
