"""Kubernetes' API, with the pod's own token and the standard library alone.

A Kubernetes client would need ten times the memory.
"""

import datetime
import json
import os
import ssl
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PAGE = 500
"""Objects in one answer."""

Pod = dict[str, Any]


def pods(namespace: str, query: Mapping[str, str]) -> Iterator[Pod]:
    """The executor's pods; `query` may have a fieldSelector, or another labelSelector.

    Raises OSError if the API server does not answer.
    """
    page = {"labelSelector": "kubernetes_executor=True", "limit": str(PAGE), **query}
    while True:
        answer = _request(f"namespaces/{namespace}/pods?{urllib.parse.urlencode(page)}", "GET")
        yield from answer["items"]
        token = answer.get("metadata", {}).get("continue")
        if not token:
            return
        page["continue"] = token


def age(timestamp: str) -> float:
    """Seconds since a time as the API server writes it."""
    then = datetime.datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S%z")
    return (datetime.datetime.now(then.tzinfo) - then).total_seconds()


def delete_pod(namespace: str, name: str) -> None:
    """Delete a pod. Raises OSError; HTTPError with code 404 if there is none."""
    _request(f"namespaces/{namespace}/pods/{name}", "DELETE")


def annotate(namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
    """Set annotations of a pod, or remove those that are None. Raises OSError as `delete_pod`."""
    change = {"metadata": {"annotations": annotations}}
    _request(f"namespaces/{namespace}/pods/{name}", "PATCH", json.dumps(change).encode())


def namespace() -> str:
    """That of this pod."""
    return (ACCOUNT / "namespace").read_text()


def _request(path: str, method: str, merge: bytes | None = None) -> dict[str, Any]:
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    port = os.environ["KUBERNETES_SERVICE_PORT"]
    request = urllib.request.Request(
        f"https://{host}:{port}/api/v1/{path}",
        method=method,
        data=merge,
        headers={"Content-Type": "application/merge-patch+json"} if merge else {},
    )
    # Not an ordinary header, which would follow a redirect to any address.
    request.add_unredirected_header("Authorization", f"Bearer {(ACCOUNT / 'token').read_text()}")
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found
