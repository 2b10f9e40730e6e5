"""GitHub's REST API: one request with its retries, pages, and errors that say what to do.

Source of the rules: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

ATTEMPTS = 4
PATIENCE = 180.0
"""Seconds that all waits of a run may take together."""
SECONDARY = 60.0
"""Seconds to wait at a secondary limit that names none: GitHub asks for a minute at least."""
TIMEOUT = 30.0
REMEDIES = {
    401: "the token is wrong or has expired",
    403: "the token may not do this: the job needs the permissions of comment.yml",
    404: "it does not exist, or the token may not see it",
    410: "it has been deleted, or has expired",
    422: "GitHub does not accept what was sent",
}


class ApiError(Exception):
    """GitHub refused a request or cannot be reached; the message never holds the token."""


class UncertainError(ApiError):
    """Something may have been created, or not: the answer was lost."""


@dataclass(frozen=True)
class Answer:
    """An answer: its headers and its bytes."""

    headers: Message
    content: bytes


class Api:
    """A session of the API at `base` (no slash at the end) with a token.

    `sleep` and `now` (seconds since 1970) are the clock, for tests.
    """

    def __init__(
        self,
        base: str,
        token: str,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._base, self._token = base, token
        self._sleep, self._now = sleep, now
        self._patience = PATIENCE

    def get(self, path: str) -> Any:
        """The JSON at `path`. Raises ApiError."""
        return json.loads(self.send("GET", path).content)

    def pages(self, path: str) -> Iterator[Any]:
        """The JSON of every page of a list, by the Link header. Raises ApiError."""
        following: str | None = path
        while following is not None:
            answer = self.send("GET", following)
            yield json.loads(answer.content)
            link = re.search(r'<([^>]+)>;\s*rel="next"', answer.headers.get("Link", ""))
            following = link[1] if link else None

    def send(
        self, method: str, path: str, body: dict[str, str] | None = None, limit: int = 16_000_000
    ) -> Answer:
        """One request, tried again where that may help and can do no harm.

        Raises ApiError; UncertainError for a POST whose answer was lost, which could create a
        second one. An answer of more than `limit` bytes is an error.
        """
        what = f"{method} {path.removeprefix(self._base)}"
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._exchange(method, path, body, limit)
            except urllib.error.HTTPError as error:
                with error:
                    message, wait = self._refusal(what, error)
                if wait is None:
                    raise ApiError(message) from None
                again = error.code < 500 or method != "POST"
            except (OSError, http.client.HTTPException) as error:
                message, wait, again = f"{what}: no answer ({error})", 0.0, method != "POST"
            if not again:
                raise UncertainError(message)
            if attempt < ATTEMPTS:
                self._wait(max(wait, 2.0 ** (attempt - 1)), message)
        raise ApiError(f"{message}, {ATTEMPTS} times")

    def _exchange(self, method: str, path: str, body: dict[str, str] | None, limit: int) -> Answer:
        url = path if path.startswith(f"{self._base}/") else f"{self._base}{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, method=method)  # noqa: S310
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        request.add_header("User-Agent", "airflow-kubernetes-preview")
        # Artifacts are elsewhere: the token does not follow a redirect.
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            content = answer.read(limit + 1)
            if len(content) > limit:
                raise ApiError(f"{method} {path}: more than {limit} bytes")
            return Answer(answer.headers, content)

    def _refusal(self, what: str, error: urllib.error.HTTPError) -> tuple[str, float | None]:
        """What GitHub says, and the seconds after which it may say something else, if ever."""
        try:
            said = json.loads(error.read(100_000))
            reason = "; ".join([said["message"], *map(_detail, said.get("errors", []))])
        except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
            reason = "no reason given"
        remedy = f" ({REMEDIES[error.code]})" if error.code in REMEDIES else ""
        message = f"{what}: HTTP {error.code}, {reason}{remedy}"
        if error.code >= 500:
            return message, 0.0
        wait = self._rate_limit(error.headers, reason) if error.code in (403, 429) else None
        if wait is not None:
            message = f"{what}: HTTP {error.code}, {reason} (for {wait:.0f} s)"
        return message, wait

    def _rate_limit(self, headers: Message, reason: str) -> float | None:
        try:
            if "Retry-After" in headers:
                return float(headers["Retry-After"])
            if headers.get("X-RateLimit-Remaining") == "0":
                return max(float(headers["X-RateLimit-Reset"]) - self._now(), 0.0) + 1
        except (TypeError, ValueError):
            return SECONDARY
        return SECONDARY if "rate limit" in reason.lower() else None

    def _wait(self, seconds: float, message: str) -> None:
        if seconds > self._patience:
            raise ApiError(f"{message}; that is too long to wait, run it again later")
        print(f"{message}; again in {seconds:.0f} s", flush=True)
        self._patience -= seconds
        self._sleep(seconds)


def _detail(error: object) -> str:
    """One of the errors below a 422: an object or a text."""
    if isinstance(error, dict):
        return str(error.get("message") or error.get("code") or error)
    return str(error)
