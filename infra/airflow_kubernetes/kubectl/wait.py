"""Wait until workloads are ready, with progress, or the reason why they are not."""

import textwrap
import time
from collections.abc import Callable

from ..console import Stopwatch
from ..errors import UserError
from ..kubernetes.manifest import PART_OF, Manifest
from .client import Kubectl, KubectlError
from .rollout import Unready, unready

WORKLOADS = ("Deployment", "StatefulSet", "Job")
REMEDIES = {
    "Access denied for user": "the password in its Secret is not that of the database: write the "
    "former one into the Secret, and run make up again",
}
"""What to do, by words in a log or in events."""

LOG_PATIENCE = 8.0
"""Seconds until a container counts as one that has written nothing."""

LISTED = "deployments,statefulsets,jobs,replicasets,pods"


class RolloutError(UserError):
    """A workload did not become ready; the message has the reason, its log and its events."""


class Patience:
    """Since when workloads are stuck, and which of them for too long."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def failed(self, waiting: list[Unready], now: float) -> list[Unready]:
        """Those that are stuck and have been for their patience; `now` is in seconds."""
        stuck = {item.workload: item for item in waiting if item.patience is not None}
        self._since = {workload: self._since.get(workload, now) for workload in stuck}
        return [
            item
            for workload, item in stuck.items()
            if now - self._since[workload] >= (item.patience or 0)
        ]


class Watch:
    """Workloads that change from now on, under the eyes of another program that waits for them.

    Pulumi waits ten minutes for each, whatever the reason why it does not become ready.
    """

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl, self._patience, self._stopwatch = kubectl, Patience(), Stopwatch()
        self._before = _versions(self._listed())

    def __call__(self) -> None:
        """Raises RolloutError if one of them failed; looks again later if no API server answers."""
        try:
            listed = self._listed()
        except KubectlError:
            return
        changed = _versions(listed).items() - self._before.items()
        waiting = unready(listed, {key for key, _ in changed})
        if failed := self._patience.failed(waiting, self._stopwatch.seconds):
            raise RolloutError("\n".join(_explain(self._kubectl, item) for item in failed))

    def _listed(self) -> list[Manifest]:
        return self._kubectl.get(LISTED, f"--selector=app.kubernetes.io/part-of={PART_OF}")


def _versions(listed: list[Manifest]) -> dict[tuple[str, str], tuple[str, int]]:
    """Uid and generation of each workload, by kind and name."""
    return {
        (obj["kind"], obj["metadata"]["name"]): (
            obj["metadata"]["uid"],
            obj["metadata"]["generation"],
        )
        for obj in listed
        if obj["kind"] in WORKLOADS
    }


def wait(
    kubectl: Kubectl,
    objects: list[Manifest],
    timeout: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Wait until every workload of `objects` is ready. Raises RolloutError.

    `meanwhile` is called each time that the cluster was listed.
    """
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in objects if obj["kind"] in WORKLOADS}
    stopwatch, patience = Stopwatch(), Patience()
    while True:
        try:
            listed = kubectl.get(LISTED, f"--selector=app.kubernetes.io/part-of={PART_OF}")
        except KubectlError as error:
            # The API server may restart; that is no reason to give up.
            if stopwatch.seconds > timeout:
                raise
            stopwatch.say(str(error))
            time.sleep(2)
            continue
        waiting, now = unready(listed, names), stopwatch.seconds
        if failed := patience.failed(waiting, now):
            raise RolloutError("\n".join(_explain(kubectl, item) for item in failed))
        if not waiting:
            return
        stopwatch.say(_line(waiting, len(names)))
        meanwhile()
        if now > timeout:
            reasons = "\n".join(_explain(kubectl, item) for item in waiting)
            raise RolloutError(f"not ready after {timeout:.0f} s:\n{reasons}")
        time.sleep(0.5)


def _line(waiting: list[Unready], total: int) -> str:
    reasons = ", ".join(
        f"{item.workload.partition(' ')[2].removeprefix('airflow-')} "
        f"({textwrap.shorten(item.reason, 40)})"
        for item in waiting
    )
    return f"{total - len(waiting)}/{total} ready; waiting for {reasons}"


def _explain(kubectl: Kubectl, item: Unready) -> str:
    """The reason, the last lines of the container's log, and the events of the pod or workload."""
    lines = [f"{item.workload}: {item.reason}"]
    if item.container is not None:
        lines += [f"  pod {item.pod}, container {item.container}, last lines:"]
        lines += _indented(_log(kubectl, item))
    lines += [f"  events of {item.pod or item.workload}:"]
    lines += _indented(
        kubectl.run(
            "get", "events",
            f"--field-selector=involvedObject.name={item.pod or item.workload.partition(' ')[2]}",
            "--sort-by=.lastTimestamp", "--no-headers",
            "--output=custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message",
        )
    )  # fmt: skip
    found = "\n".join(lines)
    remedies = [f"  {remedy}" for words, remedy in REMEDIES.items() if words in found]
    return "\n".join([found, *remedies])


def _log(kubectl: Kubectl, item: Unready) -> str:
    """Of the container's previous run, if it is about to be restarted.

    While the kubelet replaces a container it has the log of neither, so it is asked again.
    """
    args = ("logs", str(item.pod), f"--container={item.container}", "--tail=20")
    end = time.monotonic() + LOG_PATIENCE
    while True:
        for more in (("--previous",), ()):
            try:
                text = kubectl.run(*args, *more)
            except KubectlError:
                continue
            # What kubectl prints, without an error, of a container that the kubelet has removed.
            if text.strip() and not text.startswith("unable to retrieve container logs"):
                return text
        if time.monotonic() > end:
            return "(no log)"
        time.sleep(0.5)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.strip().splitlines()[-20:]]
