"""Why the API server made no pod: whether that passes, so that the task waits, and in words."""

from __future__ import annotations

import json
from http import HTTPStatus

PASSING = {
    0,  # the client's own number for a failed TLS connection
    HTTPStatus.UNAUTHORIZED,  # a token that is being renewed
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.GONE,
    HTTPStatus.TOO_MANY_REQUESTS,
}


def message(error: BaseException) -> str:
    """What the API server says, or what keeps it from answering."""
    body = getattr(error, "body", None)
    try:
        said = json.loads(body)["message"] if body else None
    except (ValueError, TypeError, KeyError):
        said = body
    return str(said or getattr(error, "reason", None) or error.__cause__ or error)


def passes(error: BaseException) -> bool:
    """Whether the same request may succeed later: a quota, a server that is busy or lost.

    `error` is what either of Airflow's clients raises: an ApiException of its own class, or an
    error of the connection.
    """
    status = getattr(error, "status", None)
    if status is None:
        names = {cls.__name__ for cls in type(error).__mro__}
        # urllib3's and aiohttp's base classes, and the system's own (OSError).
        return bool(names & {"HTTPError", "ClientError", "OSError"})
    if status == HTTPStatus.FORBIDDEN:
        return "exceeded quota" in message(error)
    return status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def retry_after(error: BaseException) -> float:
    """Seconds that the API server wants to be left alone; 0 if it does not say."""
    headers = getattr(error, "headers", None) or {}
    try:
        return max(0.0, float(headers.get("Retry-After") or 0))
    except ValueError:
        return 0.0
