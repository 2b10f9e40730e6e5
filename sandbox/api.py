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
        OSError: the API server cannot be reached.
        SandboxError: it refused.
    """
    result: Object = json.loads(_request("GET", path))
    return result


def apply(path: str, manifest: Object) -> None:
    """Makes an object or changes it to what the manifest says (server-side apply).

    Raises:
        OSError: the API server cannot be reached.
        SandboxError: it refused.
    """
    query = urlencode({"fieldManager": paths.NAME, "force": "true"})
    _request("PATCH", f"{path}?{query}", json.dumps(manifest))


def check_ready() -> None:
    """Raises OSError or SandboxError until the API server and its bootstrap roles are ready."""
    _request("GET", "/readyz")


def _request(method: str, path: str, body: str | None = None) -> bytes:
    context = ssl.create_default_context(cafile=str(paths.CA))
    context.load_cert_chain(certificates.certificate("admin"), certificates.key("admin"))
    connection = http.client.HTTPSConnection(
        paths.BRIDGE_ADDRESS, paths.API_PORT, context=context, timeout=_TIMEOUT
    )
    try:
        headers = {"Content-Type": "application/apply-patch+yaml"} if body else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
    except http.client.HTTPException as error:
        raise OSError(f"{paths.API_SERVER}{path}: {error}") from error
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        raise SandboxError(
            f"the API server answered {method} {path} with {response.status}: "
            f"{content.decode(errors='replace')[:500]}"
        )
    return content
