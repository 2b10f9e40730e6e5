"""What every container must declare: resources, probes, and an image by digest."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..airflow.task_images import CONFIG_MAP, FILE
from ..kubernetes.manifest import Manifest
from ..settings.marks import SANDBOX
from ..settings.schema import Settings
from .rule import HARDENING, Finding, Subject, rule
from .workloads import UNKNOWN, field_rule, pod_fields

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
ACTIONS = ("exec", "grpc", "httpGet", "tcpSocket")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
STAND_IN = "/stand-in/"
"""In the names of images that the sandbox builds for itself: no registry has them, and their
digests differ between machines. Only values/sandbox.yaml may name them (settings.fields)."""

field_rule(
    "requests-and-limits",
    "Without requests a pod is put on a full node; without limits it takes others' resources.",
    "set requests and limits of cpu and memory in the values",
    {
        f"containers[*].resources.{kind}.{key}": bool
        for kind in ("requests", "limits")
        for key in ("cpu", "memory")
    },
    source=HARDENING,
)


@rule(fix="give the container a startup, a readiness and a liveness probe")
def probes(subject: Subject) -> Iterator[Finding]:
    """A Deployment without probes counts as ready while it crashes, and as alive when it hangs."""
    for workload, path, container in pod_fields(subject.objects, "containers[*]"):
        # A side-car is an init container that goes on running.
        runs = "initContainers" not in path or container.get("restartPolicy") == "Always"
        if workload.long_running and runs:
            for key in PROBES:
                if not container.get(key):
                    yield workload.finding("is missing", *path, key)


@rule(
    fix="give the liveness probe at least twice the readiness probe's periodSeconds x "
    "failureThreshold, and no shorter timeoutSeconds for the same action",
    source="Kubernetes: Configure Liveness, Readiness and Startup Probes",
)
def liveness_is_not_readiness(subject: Subject) -> Iterator[Finding]:
    """A busy container must stop receiving requests for a while before it is killed."""
    for workload, path, container in pod_fields(subject.objects, "containers[*]"):
        liveness, readiness = container.get("livenessProbe"), container.get("readinessProbe")
        if not liveness or not readiness:
            continue
        kill, unready = _patience(liveness), _patience(readiness)
        if kill < 2 * unready:
            message = f"gives up after {kill} s, and the readiness probe after {unready} s"
            yield workload.finding(message, *path, "livenessProbe")
        timeouts = [probe.get("timeoutSeconds", 1) for probe in (liveness, readiness)]
        if _action(liveness) == _action(readiness) and timeouts[0] < timeouts[1]:
            message = f"is {timeouts[0]} s, and the readiness probe's is {timeouts[1]} s"
            yield workload.finding(message, *path, "livenessProbe", "timeoutSeconds")


@rule(
    fix="write name:tag@sha256:…, the digest of the image's index",
    source="Kubernetes: Images",
    whole_stack=True,
)
def image_digest(subject: Subject) -> Iterator[Finding]:
    """A tag can be pushed again: then nodes run different images, and none is what was tested."""
    known = {UNKNOWN, *not_built(subject.objects, subject.settings)}
    for workload, path, image in pod_fields(subject.objects, "containers[*].image"):
        image = image or "no image"
        stand_in = subject.environment == SANDBOX and STAND_IN in image
        if not (DIGEST.search(image) or image in known or stand_in):
            yield workload.finding(f"{image} has no digest", *path)


def not_built(objects: Sequence[Manifest], settings: Settings) -> list[str]:
    """This project's images that the lock has no digest of: a deployment builds them or stops.

    They are known by the registry and by their tag, which is made of their content.
    """
    images = {image or "" for _, _, image in pod_fields(objects, "containers[*].image")}
    for obj in objects:
        if obj["kind"] == "ConfigMap" and obj["metadata"]["name"] == CONFIG_MAP:
            text = (obj.get("data") or {}).get(FILE, UNKNOWN)
            images |= {*json.loads(text).values()} if text != UNKNOWN else set()
    own = re.compile(rf"{re.escape(settings.images.registry)}/[-a-z0-9]+:[0-9a-f]{{16}}")
    return sorted(image for image in images if own.fullmatch(image))


def _patience(probe: dict[str, Any]) -> int:
    """Seconds of failures until a probe gives up; the defaults are Kubernetes'."""
    return int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))


def _action(probe: dict[str, Any]) -> dict[str, Any]:
    return {key: probe[key] for key in ACTIONS if key in probe}
