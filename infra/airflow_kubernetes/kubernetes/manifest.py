"""Kubernetes objects as plain data: their names, labels and annotations.

Names are fixed, so that an update changes an object in place; labels follow Kubernetes'
recommended set (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/).
"""

import hashlib
import json
from typing import Any

Manifest = dict[str, Any]
"""A Kubernetes object as plain data, as `kubectl get -o json` prints it."""

PART_OF = "airflow-kubernetes"
DO_NOT_AWAIT = {"pulumi.com/skipAwait": "true"}
"""Annotation for Services: Pulumi would wait 10 s after their last endpoint changed, although it
awaits the readiness of the workloads behind them anyway."""

PROTECTED = "airflow-kubernetes/protected"
"""Label on objects that hold data or secrets: neither pruning nor `make down` deletes them."""


def labels(component: str) -> dict[str, str]:
    """The labels of a component's objects."""
    return {
        "app.kubernetes.io/name": "airflow",
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": PART_OF,
    }


def selector(component: str) -> dict[str, str]:
    """The labels by which a workload finds its pods. A selector is immutable, so nothing in it
    may vary.
    """
    return {"app.kubernetes.io/name": "airflow", "app.kubernetes.io/component": component}


def checksum(*content: Any) -> str:
    """16 hexadecimal digits over plain data. Never pass an Output: a preview does not know it."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def secrets_revision(revision: int) -> dict[str, str]:
    """An annotation that rolls the pods that use Secrets when `secrets.revision` is raised."""
    return {"airflow-kubernetes/secrets-revision": str(revision)}


def manifest(
    api_version: str,
    kind: str,
    name: str,
    namespace: str | None,
    component: str,
    *,
    protected: bool = False,
    annotations: dict[str, str] | None = None,
    more_labels: dict[str, str] | None = None,
    **content: Any,
) -> Manifest:
    """A whole object; `content` is its top-level fields next to metadata (`spec`, `data`, …)."""
    metadata: dict[str, Any] = {"name": name, "labels": labels(component) | (more_labels or {})}
    if namespace is not None:
        metadata["namespace"] = namespace
    if protected:
        metadata["labels"][PROTECTED] = "true"
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def is_protected(obj: Manifest) -> bool:
    """Whether the object holds data or secrets (see PROTECTED)."""
    return bool(obj["metadata"].get("labels", {}).get(PROTECTED) == "true")


def logical_name(obj: Manifest) -> str:
    """`airflow-scheduler-deployment`; a Job's hash is left out, so a new one replaces the old.

    Airflow's Namespace is `namespace`, whatever its name: renaming it replaces all that is in it.
    That of launched pods is `launched-pods-namespace`.
    """
    name: str = obj["metadata"]["name"]
    if obj["kind"] == "Namespace":
        component = (
            obj["metadata"].get("labels", {}).get("app.kubernetes.io/component", "namespace")
        )
        return component if component == "namespace" else f"{component}-namespace"
    if obj["kind"] == "Job":
        name = name.rpartition("-")[0]
    return f"{name}-{obj['kind'].lower()}"
