"""Rules about what the API server would refuse at a time when nobody looks, or half-way."""

from collections.abc import Iterator

import kubernetes_validate

from ..comparison.leaves import Path
from .rule import Finding, Subject, rule
from .workloads import UNKNOWN, workloads

CONFIG_MAP = 1024 * 1024
"""Bytes of a ConfigMap's values (k8s.io/api/core/v1: MaxSecretSize)."""

ANNOTATIONS = 256 * 1024
"""Bytes of all annotations (k8s.io/apimachinery/pkg/api/validation)."""


@rule(
    fix="correct the setting of airflow.tasks that makes the field",
    source="Kubernetes' API, strict",
)
def task_pod_schema(subject: Subject) -> Iterator[Finding]:
    """The template is a text, and what is wrong in it fails every task long after a deployment."""
    for workload in workloads(subject.objects):
        if workload.template:
            pod = {"metadata": workload.metadata, "spec": workload.pod}
            try:
                kubernetes_validate.validate(
                    {"apiVersion": "v1", "kind": "Pod", **pod},
                    kubernetes_validate.latest_version(),
                    strict=True,
                )
            except kubernetes_validate.ValidationError as error:
                path = [
                    f"[{part}]" if isinstance(part, int) else part for part in error.absolute_path
                ]
                yield Finding(workload.obj, (*workload.path, *path), error.message)


@rule(fix="make it smaller, or put the content into an image or a volume", source="Kubernetes' API")
def object_size(subject: Subject) -> Iterator[Finding]:
    """The API server refuses a larger object, after others have been changed."""
    for obj in subject.objects:
        annotations = obj["metadata"].get("annotations") or {}
        sizes: dict[Path, tuple[int, int]] = {
            ("metadata", "annotations"): (_size(annotations, keys=True), ANNOTATIONS)
        }
        if obj["kind"] == "ConfigMap":
            sizes["data",] = (_size(obj.get("data") or {}), CONFIG_MAP)
        for path, (size, most) in sizes.items():
            if size > most:
                yield Finding(obj, path, f"has {size} bytes; {most} are allowed")


def _size(values: dict[str, str], *, keys: bool = False) -> int:
    """Bytes of the values, and of the keys where they count."""
    return sum(
        len(value.encode()) + keys * len(key.encode())
        for key, value in values.items()
        if value != UNKNOWN
    )
