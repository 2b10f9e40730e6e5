"""Phases 2 and 3 of the kubectl engine: apply, wait, and only then prune.

kubectl's ApplySet prunes what is no longer rendered. It must not do so before the new pods run:
pods of the old revision still need the objects that go.
"""

import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UserError
from ..kubernetes.manifest import PART_OF, Manifest, is_protected
from .client import OWNED, Kubectl, KubectlError
from .diff import differences
from .rollout import Progress, Trouble, progress

SET = "airflow-applied"
"""The ConfigMap that kubectl keeps as the set's record."""

MEMBER = "applyset.kubernetes.io/part-of"
KINDS = "applyset.kubernetes.io/contains-group-kinds"
WORKLOADS = ("Deployment", "StatefulSet", "Job")
LISTED = "deployments,statefulsets,jobs,replicasets,pods"


class RolloutError(UserError):
    """Something did not come up; the message tells what, with log and events."""


def changes(kubectl: Kubectl, objects: list[Manifest]) -> list[str]:
    """What applying `objects` (none protected) would create, change or prune."""
    record = _record(kubectl)
    if record is None:
        return [f"{obj['kind']} {obj['metadata']['name']}" for obj in objects]
    members = {_identity(obj) for obj in kubectl.get(record.kinds, record.selector)}
    gone = members - {_identity(obj) for obj in objects}
    return [
        *differences(kubectl, _labelled(objects, record)),
        *(f"{kind} {name} (no longer wanted)" for kind, name in sorted(gone)),
    ]


def as_applied(kubectl: Kubectl, objects: list[Manifest]) -> list[Manifest]:
    """The objects with the label by which the set knows its members, once there is a set."""
    return _labelled(objects, _record(kubectl))


def apply(kubectl: Kubectl, objects: list[Manifest], timeout: float) -> list[str]:
    """Bring the cluster to `objects` (protected ones left out) and wait; what changed comes back.

    Raises RolloutError with the reason, or after `timeout` seconds.
    """
    objects = [obj for obj in objects if not is_protected(obj)]
    _delete_jobs_to_repeat(kubectl, objects)
    changed = changes(kubectl, objects)
    record = _record(kubectl)
    if changed and record is None:
        # Nothing is there to prune, and from now on the record is: an update that fails on its
        # way leaves nothing that a later one would not find.
        _apply_set(kubectl, objects)
    elif changed and record is not None:
        _note_kinds(kubectl, objects, record)
        kubectl.run("apply", *OWNED, "--filename=-", objects=_labelled(objects, record))
    wait(kubectl, objects, timeout)
    if changed and record is not None:
        _apply_set(kubectl, objects)
    return changed


def _apply_set(kubectl: Kubectl, objects: list[Manifest]) -> None:
    kubectl.run(
        "apply", *OWNED, "--prune", f"--applyset=configmaps/{SET}", "--filename=-",
        objects=objects, environment={"KUBECTL_APPLYSET": "true"},
    )  # fmt: skip


def _note_kinds(kubectl: Kubectl, objects: list[Manifest], record: "_Record") -> None:
    """Record the kinds that are about to be applied, as kubectl itself does before it applies."""
    kinds = {*record.kinds.split(","), *map(_group_kind, objects)}
    note = f"{KINDS}={','.join(sorted(kinds))}"
    kubectl.run("annotate", "configmap", SET, note, "--overwrite")


def _group_kind(obj: Manifest) -> str:
    group = obj["apiVersion"].rpartition("/")[0]
    return f"{obj['kind']}.{group}" if group else str(obj["kind"])


def wait(
    kubectl: Kubectl,
    objects: list[Manifest],
    timeout: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Until every workload is ready, saying what is awaited. Raises RolloutError.

    `meanwhile` is called after each look.
    """
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in objects if obj["kind"] in WORKLOADS}
    started, said = time.monotonic(), ""
    while True:
        elapsed = time.monotonic() - started
        try:
            listed = kubectl.get(LISTED, f"--selector=app.kubernetes.io/part-of={PART_OF}")
        except KubectlError as error:
            # An API server that restarts in between is no reason to give up on what was applied.
            if elapsed > timeout:
                raise
            if str(error) != said:
                print(f"  {elapsed:4.0f} s  {error}", file=sys.stderr, flush=True)
                said = str(error)
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
        meanwhile()
        if elapsed > timeout:
            what = "\n".join(_explain(kubectl, late) for late in state.waiting)
            raise RolloutError(f"not ready after {timeout:.0f} s:\n{what}")
        time.sleep(0.5)


def _line(state: Progress, total: int) -> str:
    waits = ", ".join(
        f"{one.what.partition(' ')[2].removeprefix('airflow-')} ({textwrap.shorten(one.why, 40)})"
        for one in state.waiting
    )
    return f"{len(state.ready)}/{total} ready; waiting for {waits}"


def _explain(kubectl: Kubectl, late: Trouble) -> str:
    """What is wrong with a workload, its pod's last log lines and the events that name it."""
    parts = [f"{late.what}: {late.why}"]
    if late.container is not None:
        parts += [f"  pod {late.pod}, container {late.container}, last lines:"]
        parts += _indent(_tail(kubectl, late))
    parts += [f"  events of {late.pod or late.what}:"]
    parts += _indent(
        kubectl.run(
            "get", "events",
            f"--field-selector=involvedObject.name={late.pod or late.what.partition(' ')[2]}",
            "--sort-by=.lastTimestamp", "--no-headers",
            "--output=custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message",
        )
    )  # fmt: skip
    return "\n".join(parts)


def _tail(kubectl: Kubectl, late: Trouble) -> str:
    # A container that is waiting to be restarted keeps its last words in the previous one's log.
    read: Callable[..., str] = kubectl.run
    args = ("logs", str(late.pod), f"--container={late.container}", "--tail=20")
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


@dataclass(frozen=True)
class _Record:
    """What kubectl noted of the set: its id and the kinds of its members."""

    identity: str
    kinds: str

    @property
    def selector(self) -> str:
        return f"--selector={MEMBER}={self.identity}"


def _record(kubectl: Kubectl) -> _Record | None:
    for parent in kubectl.get("configmap", SET):
        labels, notes = parent["metadata"]["labels"], parent["metadata"]["annotations"]
        return _Record(
            labels["applyset.kubernetes.io/id"],
            notes[KINDS],
        )
    return None


def _labelled(objects: list[Manifest], record: _Record | None) -> list[Manifest]:
    """With the set's own label, so that phase 2 does not take off what phase 3 put on."""
    if record is None:
        return objects
    return [
        {
            **obj,
            "metadata": {
                **obj["metadata"],
                "labels": {**obj["metadata"]["labels"], MEMBER: record.identity},
            },
        }
        for obj in objects
    ]


def _identity(obj: Manifest) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]
