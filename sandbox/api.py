"""A minimal client of the sandbox's API server; starting kubectl would take longer than asking."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlencode

from . import certificates, paths
from .errors import SandboxError

Object = dict[str, Any]

_TIMEOUT = 10.0


def get(path: str) -> Object:
    """Reads an object or a list.

    Raises:
        SandboxError: the API server does not answer, or refused.
    """
    result: Object = json.loads(_request("GET", path))
    return result


def apply(path: str, manifest: Object) -> None:
    """Makes an object or changes it to what the manifest says (server-side apply).

    Raises:
        SandboxError: the API server does not answer, or refused.
    """
    query = urlencode({"fieldManager": paths.NAME, "force": "true"})
    _request("PATCH", f"{path}?{query}", json.dumps(manifest))


def check_ready() -> None:
    """Raises SandboxError until the API server and its bootstrap roles are ready."""
    _request("GET", "/readyz")


def _request(method: str, path: str, body: str | None = None) -> bytes:
    try:
        status, content = _exchange(method, path, body)
    except (OSError, http.client.HTTPException) as error:
        raise SandboxError(
            f"the API server at {paths.API_SERVER} does not answer {method} {path}: {error}. "
            f"Remedy: `python -m sandbox up`, or see {paths.LOGS / 'kube-apiserver.log'}"
        ) from error
    if status >= http.client.BAD_REQUEST:
        raise SandboxError(
            f"the API server answered {method} {path} with {status}: "
            f"{content.decode(errors='replace')[:500]}"
        )
    return content


def _exchange(method: str, path: str, body: str | None) -> tuple[int, bytes]:
    context = ssl.create_default_context(cafile=str(paths.CA))
    context.load_cert_chain(certificates.certificate("admin"), certificates.key("admin"))
    connection = http.client.HTTPSConnection(
        paths.BRIDGE_ADDRESS, paths.API_PORT, context=context, timeout=_TIMEOUT
    )
    try:
        headers = {"Content-Type": "application/apply-patch+yaml"} if body else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
