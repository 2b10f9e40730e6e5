"""What every container says of itself: its resources, its probes, its image's digest."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..airflow.task_images import CONFIG_MAP, FILE
from ..kubernetes.manifest import Manifest
from ..settings.marks import SANDBOX
from .rule import HARDENING, Finding, Subject, rule
from .workloads import UNKNOWN, containers

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
ACTIONS = ("exec", "grpc", "httpGet", "tcpSocket")
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


@rule(
    fix="give the liveness probe at least twice the readiness probe's periodSeconds x "
    "failureThreshold, and no shorter timeoutSeconds for the same action",
    source="Kubernetes: Configure Liveness, Readiness and Startup Probes",
)
def liveness_is_not_readiness(subject: Subject) -> Iterator[Finding]:
    """A busy container must stop receiving requests for a while before it is killed."""
    for container in containers(subject.objects):
        liveness = container.spec.get("livenessProbe")
        readiness = container.spec.get("readinessProbe")
        if not liveness or not readiness:
            continue
        kill, unready = _patience(liveness), _patience(readiness)
        if kill < 2 * unready:
            message = f"gives up after {kill} s, and the readiness probe after {unready} s"
            yield container.finding(message, "livenessProbe")
        timeouts = [probe.get("timeoutSeconds", 1) for probe in (liveness, readiness)]
        if _action(liveness) == _action(readiness) and timeouts[0] < timeouts[1]:
            message = f"is {timeouts[0]} s, and the readiness probe's is {timeouts[1]} s"
            yield container.finding(message, "livenessProbe", "timeoutSeconds")


def _patience(probe: dict[str, Any]) -> int:
    """Seconds of failures until a probe gives up; the defaults are Kubernetes'."""
    return int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))


def _action(probe: dict[str, Any]) -> dict[str, Any]:
    return {key: probe[key] for key in ACTIONS if key in probe}


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
