"""Write into a task's own log why its pod does not start.

    python pending_pods.py

Runs next to a scheduler with KubernetesExecutor, which gives up on a pending pod after
`scheduler.task_queued_timeout` and writes nothing of the reason into the task's log: neither an
image that cannot be pulled nor a node that is missing. Both Airflow lines show every file whose
name begins like the task's log; this program writes one, `attempt=N.log.pending`.
"""

import http.client
import os
import sys
import time
from pathlib import Path

import task_log
from kubernetes_api import Pod, age, pods

ALIVE = Path("/tmp/pending-pods")
POLL_SECONDS = 5
PATIENCE_SECONDS = 15
"""Seconds that a pod may be pending before it is reported: pulling and starting take some time."""

WRITER = "pending"


def reason(pod: Pod) -> str:
    """Why a pod is pending: the node or the image that it waits for."""
    status = pod.get("status", {})
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason')}: {condition.get('message', '')}"
    return "its container is being created"


def look(namespace: str, base: Path, reported: dict[Path, str]) -> dict[Path, str]:
    """Report what is new; returns the text by log file of the pods that are pending now."""
    now: dict[Path, str] = {}
    for pod in pods(namespace, {"fieldSelector": "status.phase=Pending"}):
        file = task_log.log_file(base, pod["metadata"].get("annotations", {}), WRITER)
        if file is None or age(pod["metadata"]["creationTimestamp"]) < PATIENCE_SECONDS:
            continue
        text = f"pod {pod['metadata']['name']} is pending: {reason(pod)}"
        if reported.get(file) != text:
            task_log.write(file, WRITER, text)
            print(text, flush=True)
        now[file] = text
    for file in reported.keys() - now.keys():
        task_log.write(
            file, WRITER, "the pod is pending no longer: it was started, or given up and deleted"
        )
    return now


def main() -> int:
    """Look every few seconds, for ever."""
    namespace = os.environ["AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE"]
    base = task_log.base_folder()
    reported: dict[Path, str] = {}
    while True:
        try:
            reported = look(namespace, base, reported)
            ALIVE.touch()
        except (OSError, ValueError, http.client.HTTPException) as error:  # the next may succeed
            print(f"the API server gives no list of pods: {error}", flush=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
