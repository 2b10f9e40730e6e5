"""A small client of Airflow's stable REST API."""

import base64
import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from ..airflow.releases import RELEASES
from ..credentials import ADMIN_SECRET
from .errors import CommandError
from .target import Target


class RestError(Exception):
    """Airflow answered with an error; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def password(here: Target) -> str:
    """The generated password of the first user. Raises CommandError before the first `up`."""
    for obj in here.kubectl.get("secret", ADMIN_SECRET):
        return base64.b64decode(obj["data"]["password"]).decode()
    raise CommandError(f"no Secret {ADMIN_SECRET}: run make up ENV={here.environment} first")


class Rest:
    """A logged-in session."""

    def __init__(self, here: Target) -> None:
        self._url = here.settings.airflow.url
        self._root = RELEASES[here.settings.airflow.version].rest
        self._headers = {"Content-Type": "application/json"}
        user = here.settings.airflow.admin.username
        login = {"username": user, "password": password(here)}
        try:
            answer = self._send("POST", "/auth/token", login)
        except RestError as error:
            if error.status != 401:
                raise
            raise CommandError(
                f"the password in the Secret {ADMIN_SECRET} no longer logs {user} in: it was "
                "changed in Airflow. Change it back, or write the new one into the Secret"
            ) from None
        self._headers["Authorization"] = f"Bearer {answer['access_token']}"

    def get(self, path: str) -> Any:
        """The JSON at `path`, which begins after the API's root. Raises RestError."""
        return self._send("GET", self._root + path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """As `get`, with a body."""
        return self._send("POST", self._root + path, body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """As `get`, with a body."""
        return self._send("PATCH", self._root + path, body)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (the settings allow http and https alone)
            self._url + path, data=data, headers=self._headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")[:500]
            raise RestError(error.code, f"{method} {path}: {error.code}: {text}") from None
        except (OSError, http.client.HTTPException) as error:
            raise CommandError(
                f"{self._url} does not answer ({error}). If it is reached by port forwarding: "
                "kubectl port-forward service/airflow-api-server 8080"
            ) from None
