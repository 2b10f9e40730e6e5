"""Phases 2 and 3 of the kubectl engine: apply, wait, and only then prune.

kubectl's ApplySet prunes what is no longer rendered. It must not do so before the new pods run:
pods of the old revision still need the objects that go.
"""

from dataclasses import dataclass

from ..kubernetes.manifest import Manifest, is_protected
from .client import OWNED, Kubectl
from .diff import differences
from .wait import wait

SET = "airflow-applied"
"""The ConfigMap that kubectl keeps as the set's record."""

MEMBER = "applyset.kubernetes.io/part-of"
KINDS = "applyset.kubernetes.io/contains-group-kinds"


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
    """Bring the cluster to `objects`, protected ones left out, and wait; returns what changed.

    Raises RolloutError with the reason, or after `timeout` seconds.
    """
    objects = [obj for obj in objects if not is_protected(obj)]
    _delete_jobs_to_repeat(kubectl, objects)
    changed = changes(kubectl, objects)
    record = _record(kubectl)
    if changed and record is None:
        # There is nothing to prune, and this creates the record: what an update leaves behind that
        # fails from here on, a later one finds.
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


def _delete_jobs_to_repeat(kubectl: Kubectl, objects: list[Manifest]) -> None:
    """Delete Jobs that failed, and those whose image was built again: a Job is immutable."""
    rendered = {obj["metadata"]["name"]: _images(obj) for obj in objects if obj["kind"] == "Job"}
    for job in kubectl.get("jobs"):
        name = job["metadata"]["name"]
        failed = any(
            condition["type"] == "Failed" and condition["status"] == "True"
            for condition in job.get("status", {}).get("conditions", [])
        )
        if name in rendered and (failed or _images(job) != rendered[name]):
            kubectl.run("delete", "job", name, "--wait=true")


def _images(job: Manifest) -> list[str]:
    return [container["image"] for container in job["spec"]["template"]["spec"]["containers"]]


@dataclass(frozen=True)
class _Record:
    """kubectl's record of the set: its id and the kinds of its members."""

    identity: str
    kinds: str

    @property
    def selector(self) -> str:
        return f"--selector={MEMBER}={self.identity}"


def _record(kubectl: Kubectl) -> _Record | None:
    for parent in kubectl.get("configmap", SET):
        labels, notes = parent["metadata"]["labels"], parent["metadata"]["annotations"]
        return _Record(labels["applyset.kubernetes.io/id"], notes[KINDS])
    return None


def _labelled(objects: list[Manifest], record: _Record | None) -> list[Manifest]:
    """With the set's own label, which phase 2 would otherwise remove again."""
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
