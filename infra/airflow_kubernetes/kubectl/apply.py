"""Phases 2 and 3 of the kubectl engine: apply, wait, and only then prune.

What is no longer rendered is found by the labels of all objects. It must stay until the new pods
run: pods of the old revision still need it.
"""

from ..kubernetes.manifest import PART_OF, PROTECTED, Manifest, is_protected
from ..kubernetes.order import OF_KEDA, ORDER
from .client import OWNED, Kubectl
from .diff import differences
from .rollout import condition
from .wait import wait

_OWN = f"--selector=app.kubernetes.io/part-of={PART_OF},{PROTECTED}!=true"
ALL, ALL_OF_KEDA = (
    (",".join(ORDER[1:]), _OWN),
    (",".join(f"{kind}.keda.sh" for kind in OF_KEDA), _OWN),
)
"""kubectl's arguments for every object of the program in a namespace that is not protected, and for
those of kinds that not every cluster has.
"""

Identity = tuple[str, str, str]
"""Namespace, kind and name of an object."""


def comparable(kubectl: Kubectl, rendered: list[Manifest]) -> list[Manifest]:
    """The objects that the API server can compare with those in the cluster.

    No Secrets: their values are generated, so the program has none to compare. And nothing in a
    namespace where nothing of the program is yet: it may not exist, and not everybody may compare a
    RoleBinding without its Role.
    """
    return _compared(kubectl, _without_secrets(rendered), _present(kubectl))


def changes(kubectl: Kubectl, rendered: list[Manifest]) -> list[str]:
    """What applying the objects but the Secrets would create, change or prune."""
    present, objects = _present(kubectl), _without_secrets(rendered)
    changed = _changed(kubectl, objects, present)
    return _lines(changed, _unwanted(kubectl, present, rendered))


def apply(kubectl: Kubectl, rendered: list[Manifest], timeout: float) -> list[str]:
    """Bring the cluster to `rendered`, the foundation's objects left out, and wait; returns what
    changed.

    Raises RolloutError with the reason, or after `timeout` seconds.
    """
    objects = [obj for obj in _without_secrets(rendered) if not is_protected(obj)]
    _delete_jobs_to_repeat(kubectl, objects)
    present = _present(kubectl)
    changed = _changed(kubectl, objects, present)
    unwanted = _unwanted(kubectl, present, rendered)
    if changed:
        kubectl.run("apply", *OWNED, "--filename=-", objects=objects)
    wait(kubectl, objects, timeout)
    for place in (kubectl, kubectl.tasks):
        names = [f"{kind}/{name}" for where, kind, name in unwanted if where == place.namespace]
        if names:
            place.run("delete", "--ignore-not-found", *names)
    return _lines(changed, unwanted)


def update(kubectl: Kubectl, objects: list[Manifest], timeout: float) -> list[str]:
    """Bring these objects to what is rendered, and wait; returns what changed. Nothing is pruned.

    Raises RolloutError with the reason, or after `timeout` seconds.
    """
    changed = differences(kubectl, objects)
    if changed:
        kubectl.run("apply", *OWNED, "--filename=-", objects=objects)
        wait(kubectl, objects, timeout)
    return changed


def _changed(kubectl: Kubectl, objects: list[Manifest], present: set[Identity]) -> list[str]:
    compared = _compared(kubectl, objects, present)
    new = [_name(obj) for obj in objects if obj not in compared]
    return [*(differences(kubectl, compared) if compared else ()), *new]


def _compared(kubectl: Kubectl, objects: list[Manifest], present: set[Identity]) -> list[Manifest]:
    known = {namespace for namespace, _, _ in present}
    return [obj for obj in objects if _identity(kubectl, obj)[0] in known]


def _without_secrets(rendered: list[Manifest]) -> list[Manifest]:
    return [obj for obj in rendered if obj["kind"] != "Secret"]


def _lines(changed: list[str], unwanted: list[Identity]) -> list[str]:
    return [*changed, *(f"{kind} {name} (no longer wanted)" for _, kind, name in unwanted)]


def _unwanted(kubectl: Kubectl, present: set[Identity], rendered: list[Manifest]) -> list[Identity]:
    return sorted(present - {_identity(kubectl, obj) for obj in rendered})


def _present(kubectl: Kubectl) -> set[Identity]:
    """All that this or another checkout rendered, protected objects left out.

    Not a CronJob's Job, nor that of `make backup`, which Kubernetes deletes a day after its end.
    """
    return {
        _identity(kubectl, obj)
        for obj in (
            *kubectl.get(*ALL),
            *kubectl.get_if_allowed(*ALL_OF_KEDA),
            *kubectl.tasks.get_if_allowed(*ALL),
        )
        if "ownerReferences" not in obj["metadata"]
        and "ttlSecondsAfterFinished" not in obj.get("spec", {})
    }


def _identity(kubectl: Kubectl, obj: Manifest) -> Identity:
    metadata = obj["metadata"]
    return metadata.get("namespace", kubectl.namespace), obj["kind"], metadata["name"]


def _name(obj: Manifest) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


def _delete_jobs_to_repeat(kubectl: Kubectl, objects: list[Manifest]) -> None:
    """Delete Jobs that failed, and those whose image was built again: a Job is immutable."""
    rendered = {obj["metadata"]["name"]: _images(obj) for obj in objects if obj["kind"] == "Job"}
    for job in kubectl.get("jobs"):
        name = job["metadata"]["name"]
        failed = condition(job, "Failed") is not None
        if name in rendered and (failed or _images(job) != rendered[name]):
            kubectl.run("delete", "job", name, "--wait=true")


def _images(job: Manifest) -> list[str]:
    return [container["image"] for container in job["spec"]["template"]["spec"]["containers"]]
