"""Write into a task's own log why its pod does not start.

    python pending_pods.py

Runs next to a scheduler with KubernetesExecutor, which gives up on a pending pod after
`scheduler.task_queued_timeout` and writes nothing of the reason into the task's log: neither an
image that cannot be pulled nor a node that is missing. Both Airflow lines show every file whose
name begins like the task's log; this program writes one, `attempt=N.log.pending`.

It reads the pods of this namespace from the API server with the pod's own token, by the standard
library alone: a Kubernetes client would need ten times the memory.
"""

import datetime
import http.client
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ALIVE = Path("/tmp/pending-pods")
POLL_SECONDS = 5
PATIENCE_SECONDS = 15
"""Seconds that a pod may be pending before it is reported: pulling and starting take some time."""

Pod = dict[str, Any]


def pending(namespace: str) -> list[Pod]:
    """The executor's pods that are pending. Raises OSError if the API server does not answer."""
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    port = os.environ["KUBERNETES_SERVICE_PORT"]
    query = urllib.parse.urlencode(
        {"labelSelector": "kubernetes_executor=True", "fieldSelector": "status.phase=Pending"}
    )
    request = urllib.request.Request(
        f"https://{host}:{port}/api/v1/namespaces/{namespace}/pods?{query}"
    )
    # Not an ordinary header, which would follow a redirect to any address.
    request.add_unredirected_header("Authorization", f"Bearer {(ACCOUNT / 'token').read_text()}")
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310
        items: list[Pod] = json.load(answer)["items"]
    return items


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


def log_file(base: Path, pod: Pod) -> Path | None:
    """The file next to the task's log (option log_filename_template); None if it is not below base.

    KubernetesExecutor notes what identifies the task in the pod's annotations.
    """
    notes = pod["metadata"].get("annotations", {})
    if not {"dag_id", "run_id", "task_id", "try_number"} <= set(notes):
        return None
    folder = base / f"dag_id={notes['dag_id']}" / f"run_id={notes['run_id']}"
    folder /= f"task_id={notes['task_id']}"
    if "map_index" in notes:
        folder /= f"map_index={notes['map_index']}"
    file = folder / f"attempt={notes['try_number']}.log.pending"
    return file if file.resolve().is_relative_to(base.resolve()) else None


def age(pod: Pod) -> float:
    """Seconds since the pod was made."""
    made = datetime.datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return (datetime.datetime.now(datetime.UTC) - made).total_seconds()


def write(file: Path, text: str) -> None:
    """Append one line to a task's log."""
    file.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    with file.open("a", encoding="utf-8") as log:
        log.write(f"[{now}] {{pending_pods.py}} WARNING - {text}\n")


def look(namespace: str, base: Path, reported: dict[Path, str]) -> dict[Path, str]:
    """Report what is new; returns the text by log file of the pods that are pending now."""
    now: dict[Path, str] = {}
    for pod in pending(namespace):
        file = log_file(base, pod)
        if file is None or age(pod) < PATIENCE_SECONDS:
            continue
        text = f"pod {pod['metadata']['name']} is pending: {reason(pod)}"
        if reported.get(file) != text:
            write(file, text)
            print(text, flush=True)
        now[file] = text
    for file in reported.keys() - now.keys():
        write(file, "the pod is pending no longer: it was started, or given up and deleted")
    return now


def main() -> int:
    """Look every few seconds, for ever."""
    namespace = os.environ["AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE"]
    base = Path(os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"])
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
