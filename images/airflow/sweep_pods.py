"""Delete the pods of tasks that nobody deletes: failed ones after a time, and those that a dead
scheduler left.

    python sweep_pods.py --keep-failed SECONDS --pending SECONDS

The executor deletes the pod of a task that succeeded at once, and leaves one that failed, so that
somebody can look at it. A pending pod is deleted after `--pending`: its scheduler has given it up
by then. Running pods stay.

Exit codes: 0 done, 1 the API server does not answer, 2 wrong use.
"""

import argparse
import os
import sys
import urllib.error
from collections.abc import Iterable, Iterator

from kubernetes_api import Pod, age, delete_pod, pods

LEFT_SECONDS = 300
"""Seconds after which its executor should have deleted the pod of a task that succeeded."""


def ended(pod: Pod) -> str:
    """When a pod's last container ended; else when the pod was made."""
    times = [pod["metadata"]["creationTimestamp"]]
    for container in pod["status"].get("containerStatuses", []):
        times.append(container.get("state", {}).get("terminated", {}).get("finishedAt") or "")
    return max(times)


def surplus(found: Iterable[Pod], keep_failed: float, pending: float) -> Iterator[Pod]:
    """The pods to delete."""
    limits = {"Succeeded": LEFT_SECONDS, "Failed": keep_failed, "Pending": pending}
    for pod in found:
        limit = limits.get(pod["status"].get("phase", ""))
        being_deleted = "deletionTimestamp" in pod["metadata"]
        if limit is not None and not being_deleted and age(ended(pod)) >= limit:
            yield pod


def main() -> int:
    """Delete what is surplus, and print the names."""
    parser = argparse.ArgumentParser(description="Delete the pods that tasks left.")
    parser.add_argument("--keep-failed", type=float, required=True, metavar="SECONDS")
    parser.add_argument("--pending", type=float, required=True, metavar="SECONDS")
    options = parser.parse_args()
    namespace = os.environ["AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE"]
    try:
        found = pods(namespace, {"fieldSelector": "status.phase!=Running"})
        for pod in [*surplus(found, options.keep_failed, options.pending)]:
            name, phase = pod["metadata"]["name"], pod["status"]["phase"]
            try:
                delete_pod(namespace, name)
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
            print(f"deleted {name}, {phase} since {ended(pod)}", flush=True)
    except OSError as error:
        print(f"the API server does not answer: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
