"""The part of `make bench` that compares executors on both releases. Asserts nothing.

One deployment a release, whose executor is switched in place; for each the median of some runs.
"""

import json
import statistics
import time
from datetime import datetime
from typing import Any

from tests.cluster.conftest import Deployment, in_namespace, use_sandbox
from tests.cluster.scenarios import PLACES, end, on, start

RELEASES = ("2.11.2", "3.3.2")
MANY = 50
TRADE_OFF = {
    "SequentialExecutor": "one task at a time, for trying things",
    "LocalExecutor": "quickest start of a task; all tasks share the scheduler's pod and libraries",
    "CeleryExecutor": "quick starts on many nodes; workers cost memory while idle",
    "KubernetesExecutor": "nothing idle and any image or size; each task pays for a pod",
    "LocalKubernetesExecutor": "quick small tasks, pods on request; no workers, no broker",
    "CeleryKubernetesExecutor": "quick small tasks on many nodes, pods on request; most parts",
}
ROW = "{:<26}{:<8}{:>7}{:>9}{:>10}{:>9}{:>9}{:>9}  {}"


def measure(airflow: Deployment, executor: str) -> tuple[str, ...]:
    """One task, MANY tasks, MANY pods (seconds), tasks a minute, tries too many, idle MiB."""
    memory = idle_memory(airflow)
    one = statistics.median(single(airflow, f"one-{i}-{executor}") for i in range(3))
    many, rate, again = parallel(airflow, "parallel", executor)
    pods = "-"
    if PLACES[executor][0] != PLACES[executor][1]:
        in_pods, _, more = parallel(airflow, "parallel_pods", executor)
        pods, again = f"{in_pods:.0f}", again + more
    return f"{one:.1f}", f"{many:.0f}", pods, f"{rate:.0f}", str(again), f"{memory:.0f}"


def single(airflow: Deployment, run_id: str) -> float:
    """Seconds from the trigger to the end of the first task of a run."""
    started = time.time()
    start(airflow, "parallel", run_id, tasks=1)
    tasks = end(airflow, "parallel", run_id)
    (first,) = (task for task in tasks if task["task_id"] == "numbers")
    return at(first, "end_date") - started


def parallel(airflow: Deployment, dag: str, executor: str) -> tuple[float, float, int]:
    """Seconds from the trigger to green, tasks a minute at work, tries beyond the first."""
    started = time.time()
    start(airflow, dag, f"many-{executor}", tasks=MANY)
    tasks = end(airflow, dag, f"many-{executor}", 1200)
    work = [task for task in tasks if task["task_id"] == "work"]
    last = max(at(task, "end_date") for task in work)
    (first,) = (at(task, "end_date") for task in tasks if task["task_id"] == "numbers")
    return last - started, 60 * MANY / (last - first), sum(t["try_number"] - 1 for t in work)


def at(task: dict[str, Any], key: str) -> float:
    """A task instance's time as seconds since 1970; this machine's clock is the cluster's."""
    return datetime.fromisoformat(task[key]).timestamp()


def idle_memory(airflow: Deployment) -> float:
    """MiB in use by all pods but MySQL's, as the kubelet sees them."""
    (node,) = airflow.kubectl("get", "nodes", "-o=name").split()
    path = f"/api/v1/{node.replace('node/', 'nodes/')}/proxy/stats/summary"
    summary = json.loads(airflow.kubectl("get", "--raw", path))
    return sum(
        float(pod.get("memory", {}).get("workingSetBytes", 0)) / 2**20
        for pod in summary["pods"]
        if pod["podRef"]["namespace"] == airflow.namespace
        and not pod["podRef"]["name"].startswith("airflow-mysql")
    )


def main() -> None:
    """Print the table, a row as soon as it is known."""
    use_sandbox()
    print(f"\nExecutors: seconds to green, one task and {MANY} at once; parallelism 8")
    print(
        ROW.format("", "", "one", f"{MANY}", f"{MANY} pods", "a minute", "retries", "idle MiB", "")
    )
    for release in RELEASES:
        line = on(in_namespace("airflow-bench", 30083), version=release)
        line.remove()
        try:
            for executor, words in TRADE_OFF.items():
                airflow = on(line, executor=executor)
                airflow.make("up", quiet=True)
                time.sleep(20)  # until what a start costs is over
                row = measure(airflow, executor)
                print(ROW.format(executor, release, *row, words), flush=True)
        finally:
            line.remove()


if __name__ == "__main__":
    main()
