"""A small client of Airflow's stable REST API.

With urllib, which verifies HTTPS by the machine's certificates; requests brings its own, without
those of a company.
"""

import base64
import http.client
import json
import urllib.error
import urllib.request
from contextlib import suppress
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from ..airflow.releases import RELEASES
from ..errors import CommandError, UserError
from ..secrets import ADMIN_PASSWORD, ADMIN_SECRET, place
from .status import password
from .target import Target


class RestError(UserError):
    """Airflow's response is an error; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class NoAnswerError(CommandError):
    """No answer, or none in time."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Makes every redirect an error: urllib would send the login to any address it names."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> None:  # fmt: skip
        """None, so that urllib raises HTTPError."""


_OPENER = urllib.request.build_opener(_NoRedirects)


class Rest:
    """A session that is logged in as the first user, on either release line."""

    def __init__(self, target: Target) -> None:
        self._url = target.settings.airflow.url
        web = RELEASES[target.settings.airflow.version].web
        self._root, self._with_token = web.rest, web.login == "token"
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        user, secret = target.settings.airflow.admin.username, password(target)
        try:
            self._headers["Authorization"] = self._login(user, secret)
        except RestError as error:
            if error.status != 401:
                raise
            name, _ = place(target.settings, ADMIN_SECRET, ADMIN_PASSWORD)
            raise CommandError(
                f"the password in the Secret {name} no longer logs {user} in: it was "
                "changed in Airflow. Change it back, or write the new one into the Secret"
            ) from None

    def _login(self, user: str, secret: str) -> str:
        """The value of the Authorization header; a wrong password is a RestError of 401."""
        if self._with_token:
            answer = self._send("POST", "/auth/token", {"username": user, "password": secret})
            return f"Bearer {answer['access_token']}"
        basic = f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"
        self._headers["Authorization"] = basic
        self.get("/dags?limit=1")
        return basic

    def trigger(self, dag: str, run_id: str, conf: dict[str, Any] | None = None) -> None:
        """Start a run. Raises RestError, of status 409 if there is a run of that id."""
        body: dict[str, Any] = {"dag_run_id": run_id, "conf": conf or {}}
        if self._with_token:
            body["logical_date"] = None  # 3.x requires it, also if there is none
        self.post(f"/dags/{dag}/dagRuns", body)

    def tasks(self, dag: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, by task id and map index."""
        path = f"/dags/{dag}/dagRuns/{run_id}/taskInstances?limit=1000"
        instances: list[dict[str, Any]] = self.get(path)["task_instances"]
        return sorted(instances, key=lambda task: (str(task["task_id"]), int(task["map_index"])))

    def log(self, dag: str, run_id: str, task: dict[str, Any], attempt: int | None = None) -> str:
        """A task instance's log of one attempt, by default the last."""
        attempt = attempt or task["try_number"]
        path = f"/dags/{dag}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs"
        path += f"/{attempt}?full_content=true&map_index={task['map_index']}"
        content = self.get(path)["content"]
        # 3.x gives structured lines, 2.x text.
        lines = content.splitlines() if isinstance(content, str) else map(_line, content)
        return "\n".join([f"{task['task_id']}, try {attempt}:", *(f"  {line}" for line in lines)])

    def get(self, path: str) -> Any:
        """The JSON at `path`, relative to the API's root. Raises RestError.

        A server that is busy with its start may not answer in time, so it is asked three times.
        """
        for _ in range(2):
            with suppress(NoAnswerError):
                return self._send("GET", self._root + path, None)
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
            with _OPENER.open(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if to := error.headers.get("Location"):
                raise RestError(error.code, self._redirected(to)) from None
            text = error.read().decode(errors="replace")[:500]
            raise RestError(error.code, f"{method} {path}: {error.code}: {text}") from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(
                f"{self._url} does not answer ({error}). If it is reached by port forwarding: "
                "kubectl port-forward service/airflow-web 8080"
            ) from None

    def _redirected(self, to: str) -> str:
        address = urlsplit(urljoin(self._url, to))
        return (
            f"{self._url} redirects to {address.scheme}://{address.netloc.rpartition('@')[2]}, "
            "which does not get the login. Set airflow.url to the address at which Airflow answers"
        )


def _line(entry: dict[str, Any]) -> str:
    text = str(entry.get("event", entry))
    for error in entry.get("error_detail") or []:
        text += f": {error['exc_type']}: {error['exc_value']}"
    return text
