"""What every container says of itself: its resources, its probes, its image's digest."""

import json
import re
from collections.abc import Iterable, Iterator

from ..airflow.task_images import CONFIG_MAP, FILE
from ..kubernetes.manifest import Manifest
from ..settings.marks import SANDBOX
from .rule import HARDENING, Finding, Subject, rule
from .workloads import UNKNOWN, containers

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
STAND_IN = "/stand-in/"
"""Images that the sandbox builds for itself, in the name: no registry has them, and their digests
differ from machine to machine. Only values/sandbox.yaml may name one (settings.fields.STAND_IN)."""


@rule(fix="set requests and limits of cpu and memory in the values", source=HARDENING)
def requests_and_limits(subject: Subject) -> Iterator[Finding]:
    """Without requests a pod is put where there is no room; without limits it takes others'."""
    for container in containers(subject.objects):
        resources = container.spec.get("resources") or {}
        for kind in ("requests", "limits"):
            for key in ("cpu", "memory"):
                if not (resources.get(kind) or {}).get(key):
                    yield container.finding("is not set", "resources", kind, key)


@rule(fix="give the container a startup, a readiness and a liveness probe")
def probes(subject: Subject) -> Iterator[Finding]:
    """A Deployment without probes counts as ready while it crashes, and as alive when it hangs."""
    for container in containers(subject.objects):
        goes_on = not container.init or container.sidecar
        if container.workload.long_running and goes_on:
            for key in PROBES:
                if not container.spec.get(key):
                    yield container.finding("is missing", key)


@rule(fix="let liveness wait longer, or ask less, than readiness", source="kube-score")
def liveness_is_not_readiness(subject: Subject) -> Iterator[Finding]:
    """With the same probe for both, a container that is busy is killed and not left alone."""
    for container in containers(subject.objects):
        alive = container.spec.get("livenessProbe")
        if alive and alive == container.spec.get("readinessProbe"):
            yield container.finding("is the readiness probe again", "livenessProbe")


@rule(
    fix="write name:tag@sha256:…, the digest of the image's index",
    source="Kubernetes: Images",
    whole=True,
)
def image_digest(subject: Subject) -> Iterator[Finding]:
    """A tag may be pushed again: then nodes run different things, and none is what was tested."""
    waiting = set(not_built(subject.objects))
    for container in containers(subject.objects):
        image = container.spec.get("image") or ""
        stand_in = subject.environment == SANDBOX and STAND_IN in image
        if not (DIGEST.search(image) or image in (UNKNOWN, *waiting) or stand_in):
            yield container.finding(f"{image or 'no image'} has no digest", "image")


def not_built(objects: Iterable[Manifest]) -> list[str]:
    """The environment's own images that the lock does not know yet: references without a digest.

    Own are those that DAGs can ask for by name. A deployment builds them first or stops.
    """
    return sorted({image for image in _own(objects) if not DIGEST.search(image)})


def _own(objects: Iterable[Manifest]) -> Iterator[str]:
    for obj in objects:
        if obj["kind"] == "ConfigMap" and obj["metadata"]["name"] == CONFIG_MAP:
            text = (obj.get("data") or {}).get(FILE, UNKNOWN)
            if text != UNKNOWN:
                yield from json.loads(text).values()


RULES = (requests_and_limits, probes, liveness_is_not_readiness, image_digest)
