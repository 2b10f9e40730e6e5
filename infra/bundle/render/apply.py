"""Phases 2 and 3 of the kubectl engine: apply, wait, and only then prune.

kubectl's ApplySet prunes what is no longer rendered. It must not do so before the new pods run:
pods of the old revision still need the objects that go.
"""

import sys
import textwrap
import time
from collections.abc import Callable

from ..kubernetes.metadata import PART_OF, Manifest, is_protected
from .kubectl import OWNED, Kubectl, KubectlError
from .rollout import Failure, Progress, progress

SET = "airflow-applied"
"""The ConfigMap that kubectl keeps as the set's record."""

MEMBER = "applyset.kubernetes.io/part-of"
WORKLOADS = ("Deployment", "StatefulSet", "Job")
LISTED = "deployments,statefulsets,jobs,replicasets,pods"


class RolloutError(Exception):
    """Something did not come up; the message tells what, with log and events."""


def changes(kubectl: Kubectl, objects: list[Manifest]) -> list[str]:
    """What applying `objects` would create, change or prune; empty if nothing would."""
    members = _members(kubectl)
    if members is None:
        return ["everything: the first time"]
    wanted = {_identity(obj) for obj in objects}
    lines = diff(kubectl, objects, program="diff -rqN").splitlines()
    differing = [_object_of(line) for line in lines if line.startswith("Files ")]
    gone = [f"{kind} {name} (no longer wanted)" for kind, name in sorted(members - wanted)]
    return differing + gone


def diff(kubectl: Kubectl, objects: list[Manifest], program: str = "diff -ruN") -> str:
    """What the API server would make of `objects`, against what is there, as `program` shows it."""
    return kubectl.run(
        "diff",
        *OWNED,
        "--filename=-",
        objects=_labelled(kubectl, objects),
        ok=(0, 1),
        environment={"KUBECTL_EXTERNAL_DIFF": program},
    )


def apply(kubectl: Kubectl, objects: list[Manifest], timeout: float) -> list[str]:
    """Bring the cluster to `objects` (protected ones left out) and wait; what changed comes back.

    Raises RolloutError with the reason, or after `timeout` seconds.
    """
    objects = [obj for obj in objects if not is_protected(obj)]
    _delete_jobs_to_repeat(kubectl, objects)
    changed = changes(kubectl, objects)
    if changed:
        kubectl.run(
            "apply", *OWNED, "--filename=-", objects=_labelled(kubectl, objects),
        )  # fmt: skip
    wait(kubectl, objects, timeout)
    if changed:
        kubectl.run(
            "apply", *OWNED, "--prune", f"--applyset=configmaps/{SET}", "--filename=-",
            objects=objects, environment={"KUBECTL_APPLYSET": "true"},
        )  # fmt: skip
    return changed


def wait(kubectl: Kubectl, objects: list[Manifest], timeout: float) -> None:
    """Until every workload is ready, saying what is awaited. Raises RolloutError."""
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in objects if obj["kind"] in WORKLOADS}
    started, said = time.monotonic(), ""
    while True:
        elapsed = time.monotonic() - started
        try:
            listed = kubectl.get(LISTED, f"--selector=app.kubernetes.io/part-of={PART_OF}")
        except KubectlError:
            # An API server that restarts in between is no reason to give up on what was applied.
            if elapsed > timeout:
                raise
            time.sleep(2)
            continue
        state = progress(listed, names)
        if state.failures:
            raise RolloutError("\n".join(_explain(kubectl, failure) for failure in state.failures))
        if not state.waiting:
            return
        line = _line(state, len(names))
        if line != said:
            print(f"  {elapsed:4.0f} s  {line}", file=sys.stderr, flush=True)
            said = line
        if elapsed > timeout:
            what = "\n".join(f"{name}: {why}" for name, why in state.waiting.items())
            raise RolloutError(f"not ready after {timeout:.0f} s:\n{what}")
        time.sleep(0.5)


def _line(state: Progress, total: int) -> str:
    waits = ", ".join(
        f"{name.partition(' ')[2].removeprefix('airflow-')} ({textwrap.shorten(why, 40)})"
        for name, why in state.waiting.items()
    )
    return f"{len(state.ready)}/{total} ready; waiting for {waits}"


def _explain(kubectl: Kubectl, failure: Failure) -> str:
    parts = [f"{failure.what} failed: {failure.why}"]
    if failure.pod is not None:
        parts += [f"  pod {failure.pod}, container {failure.container}, last lines:"]
        parts += _indent(_tail(kubectl, failure))
        parts += ["  events:"]
        parts += _indent(
            kubectl.run(
                "get", "events", f"--field-selector=involvedObject.name={failure.pod}",
                "--sort-by=.lastTimestamp", "--no-headers",
                "--output=custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message",
            )
        )  # fmt: skip
    return "\n".join(parts)


def _tail(kubectl: Kubectl, failure: Failure) -> str:
    # A container that is waiting to be restarted keeps its last words in the previous one's log.
    read: Callable[..., str] = kubectl.run
    args = ("logs", str(failure.pod), f"--container={failure.container}", "--tail=20")
    for more in (("--previous",), ()):
        try:
            return read(*args, *more)
        except KubectlError:
            continue
    return "(no log)"


def _indent(text: str) -> list[str]:
    return [f"    {line}" for line in text.strip().splitlines()[-20:]]


def _delete_jobs_to_repeat(kubectl: Kubectl, objects: list[Manifest]) -> None:
    """Jobs that failed, and those whose image was built again: a Job's template is immutable."""
    wanted = {obj["metadata"]["name"]: _images(obj) for obj in objects if obj["kind"] == "Job"}
    for job in kubectl.get("jobs"):
        name = job["metadata"]["name"]
        failed = any(
            condition["type"] == "Failed" and condition["status"] == "True"
            for condition in job.get("status", {}).get("conditions", [])
        )
        if name in wanted and (failed or _images(job) != wanted[name]):
            kubectl.run("delete", "job", name, "--wait=true")


def _images(job: Manifest) -> list[str]:
    return [container["image"] for container in job["spec"]["template"]["spec"]["containers"]]


def _set_id(kubectl: Kubectl) -> str | None:
    for parent in kubectl.get("configmap", SET):
        identity: str | None = parent["metadata"]["labels"].get("applyset.kubernetes.io/id")
        return identity
    return None


def _labelled(kubectl: Kubectl, objects: list[Manifest]) -> list[Manifest]:
    """With the set's own label, so that phase 2 does not take off what phase 3 put on."""
    identity = _set_id(kubectl)
    if identity is None:
        return objects
    return [
        {
            **obj,
            "metadata": {
                **obj["metadata"],
                "labels": {**obj["metadata"]["labels"], MEMBER: identity},
            },
        }
        for obj in objects
    ]


def _members(kubectl: Kubectl) -> set[tuple[str, str]] | None:
    for parent in kubectl.get("configmap", SET):
        labels, notes = parent["metadata"]["labels"], parent["metadata"]["annotations"]
        kinds = notes["applyset.kubernetes.io/contains-group-kinds"]
        identity = labels["applyset.kubernetes.io/id"]
        return {_identity(obj) for obj in kubectl.get(kinds, f"--selector={MEMBER}={identity}")}
    return None


def _identity(obj: Manifest) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


def _object_of(line: str) -> str:
    """`Files …/apps.v1.Deployment.ns.name and … differ` as `Deployment name`."""
    file = line.split()[1].rpartition("/")[2]
    parts = file.split(".")
    version = next(i for i, part in enumerate(parts) if part.startswith("v") and i < len(parts) - 2)
    return f"{parts[version + 1]} {'.'.join(parts[version + 3 :])}"
