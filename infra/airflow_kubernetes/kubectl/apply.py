"""Phases 2 and 3 of the kubectl engine: apply, wait, and only then prune.

What is no longer rendered is found by the labels of all objects. It must not go before the new pods
run: pods of the old revision still need it.
"""

from ..kubernetes.manifest import PART_OF, PROTECTED, Manifest, is_protected
from ..render import ORDER
from .client import OWNED, Kubectl
from .diff import differences
from .wait import wait

ALL = (",".join(ORDER[1:]), f"--selector=app.kubernetes.io/part-of={PART_OF},{PROTECTED}!=true")
"""kubectl's arguments for every object of the program that is not protected."""


def changes(kubectl: Kubectl, objects: list[Manifest]) -> list[str]:
    """What applying `objects` (none protected) would create, change or prune."""
    changed, unwanted = _changed_and_unwanted(kubectl, objects)
    return [*changed, *(f"{name} (no longer wanted)" for name in unwanted)]


def apply(kubectl: Kubectl, objects: list[Manifest], timeout: float) -> list[str]:
    """Bring the cluster to `objects`, protected ones left out, and wait; returns what changed.

    Raises RolloutError with the reason, or after `timeout` seconds.
    """
    objects = [obj for obj in objects if not is_protected(obj)]
    _delete_jobs_to_repeat(kubectl, objects)
    changed, unwanted = _changed_and_unwanted(kubectl, objects)
    if changed:
        kubectl.run("apply", *OWNED, "--filename=-", objects=objects)
    wait(kubectl, objects, timeout)
    if unwanted:
        kubectl.run("delete", *(name.replace(" ", "/") for name in unwanted))
    return [*changed, *(f"{name} (no longer wanted)" for name in unwanted)]


def _changed_and_unwanted(kubectl: Kubectl, objects: list[Manifest]) -> tuple[list[str], list[str]]:
    """Kind and name of what is missing or different, and of what is no longer rendered."""
    wanted = [_name(obj) for obj in objects]
    present = {_name(obj) for obj in kubectl.get(*ALL) if _is_rendered(obj)}
    return differences(kubectl, objects) if present else wanted, sorted(present - set(wanted))


def _is_rendered(obj: Manifest) -> bool:
    """Whether this or another checkout rendered it: not a CronJob's Job, nor that of `make backup`,
    which Kubernetes deletes a day after its end.
    """
    made = "ownerReferences" in obj["metadata"]
    return not made and "ttlSecondsAfterFinished" not in obj.get("spec", {})


def _name(obj: Manifest) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


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
