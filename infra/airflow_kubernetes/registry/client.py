"""A repository of a registry, over the OCI distribution API: digests, tags, deletion.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import hashlib
import json
import os
import re
from base64 import b64encode
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from .answers import explained
from .login import Login, known
from .reference import DOCKER_HUB, NotFoundError, Reference, RegistryError

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
ACCEPT = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}


def resolve(reference: str, login: Login | None = None) -> str:
    """The digest of the manifest that `registry/name[:tag][@digest]` names.

    Without a login, the one in Docker's configuration is used. Raises NotFoundError if the registry
    does not have it, RegistryError or LoginError if that cannot be known.
    """
    parsed = Reference.parse(reference)
    tag_or_digest = parsed.digest or parsed.tag or "latest"
    with Repository(parsed.name, login) as repository:
        digest = repository.digest(tag_or_digest)
    if digest is None:
        raise NotFoundError(f"{parsed.name} has no {tag_or_digest}")
    return digest


class Repository:
    """One repository, `host/name`; a context manager that closes its connections.

    Without a login, the one in Docker's configuration is used. Every method raises RegistryError.
    """

    def __init__(self, name: str, login: Login | None = None) -> None:
        self.reference = Reference.parse(name)
        self._login = login or known(self.reference.host)
        host = self.reference.host
        server = "registry-1.docker.io" if host == DOCKER_HUB else host
        scheme = "http" if _speaks_http(server) else "https"
        self._url = f"{scheme}://{server}/v2/{self.reference.repository}/"
        self._session = _session()

    def __enter__(self) -> "Repository":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def digest(self, reference: str) -> str | None:
        """The digest of a tag's or digest's manifest; None if the registry has none."""
        try:
            answer = self._request("HEAD", f"manifests/{reference}")
            if "Docker-Content-Digest" not in answer.headers:  # a registry may leave it out
                answer = self._request("GET", f"manifests/{reference}")
        except NotFoundError:
            return None
        return answer.headers.get("Docker-Content-Digest") or _digest(answer.content)

    def children(self, digest: str) -> list[str]:
        """The digests of the manifests that an index joins; none for an image.

        Raises NotFoundError.
        """
        answer = self._request("GET", f"manifests/{digest}")
        if _digest(answer.content) != digest:
            raise RegistryError(
                f"{self.reference.name} returned other content than {digest}: a proxy or the "
                "registry's storage corrupts it"
            )
        return [str(child["digest"]) for child in json.loads(answer.content).get("manifests", ())]

    def variables(self, reference: str) -> dict[str, str]:
        """The environment variables of an image, or of the first one that an index joins.

        Empty if it is no image. Raises NotFoundError. Source:
        https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
        """
        manifest = self._request("GET", f"manifests/{reference}").json()
        if "manifests" in manifest:
            return self.variables(manifest["manifests"][0]["digest"])
        if "config" not in manifest:
            return {}
        config = self._request("GET", f"blobs/{manifest['config']['digest']}").json()
        entries = config.get("config", {}).get("Env") or ()
        return dict(entry.partition("=")[::2] for entry in entries)

    def tags(self) -> list[str]:
        """All tags; none where the repository does not exist."""
        tags: list[str] = []
        page: str | None = "tags/list?n=1000"
        try:
            while page:
                answer = self._request("GET", page)
                tags += answer.json()["tags"] or ()
                page = answer.links.get("next", {}).get("url")
        except NotFoundError:
            return []
        return tags

    def delete(self, digest: str) -> None:
        """Delete a manifest, which also deletes its tags; nothing happens if it is gone already.

        Raises UnsupportedError where the registry deletes nothing.
        """
        try:
            self._request("DELETE", f"manifests/{digest}")
        except NotFoundError:
            return

    def _request(self, method: str, path: str) -> requests.Response:
        """A request below /v2/<repository>/, repeated once if the registry's challenge requires it.

        Raises RegistryError if a page of a list is on another server, which would get the login.
        Of redirects to others, requests leaves the login out.
        """
        url = urljoin(self._url, path)
        if not self._own(url):
            raise RegistryError(
                f"{self.reference.name} continues its list of tags on another server "
                f"({urlsplit(url).hostname}), which does not get the login"
            )
        with explained(self.reference.name, self._login):
            answer = self._send(method, url)
            challenge = answer.headers.get("WWW-Authenticate", "") if self._own(answer.url) else ""
            if answer.status_code == requests.codes.unauthorized and (
                header := self._authorization(challenge)
            ):
                self._session.headers["Authorization"] = header
                answer = self._send(method, url)
            answer.raise_for_status()
        return answer

    def _own(self, url: str) -> bool:
        """Whether an address is on the registry's server: the same scheme, host and port."""
        return urlsplit(url)[:2] == urlsplit(self._url)[:2]

    def _send(self, method: str, url: str, **arguments: Any) -> requests.Response:
        # Not the session's `verify`: requests lets REQUESTS_CA_BUNDLE take precedence over that.
        return self._session.request(method, url, timeout=60, verify=_authorities(), **arguments)

    def _authorization(self, challenge: str) -> str:
        """The header for a challenge: the login, or a token for one repository and some actions.

        Empty if that needs a login and there is none, or if the challenge requires no known one.
        https://distribution.github.io/distribution/spec/auth/token/
        """
        if self._url.startswith("http:"):
            raise RegistryError(
                f"{self.reference.host} requires a login and speaks plain HTTP, where anybody "
                "could read it. Give the registry a certificate"
            )
        login = f"{self._login.user}:{self._login.password}" if self._login else ""
        basic = f"Basic {b64encode(login.encode()).decode()}" if login else ""
        scheme, _, parameters = challenge.partition(" ")
        if scheme.lower() == "basic":
            return basic
        pairs = [pair for pair in parse_http_list(parameters) if re.match(r"\w+=.", pair)]
        fields = parse_keqv_list(pairs)
        if scheme.lower() != "bearer" or "realm" not in fields:
            return ""
        answer = self._send(
            "GET",
            urlsplit(fields["realm"])._replace(scheme="https").geturl(),
            params={"service": fields.get("service"), "scope": fields.get("scope", "").split()},
            headers={"Authorization": basic or None},
        )
        answer.raise_for_status()
        found = answer.json()
        return f"Bearer {found.get('access_token') or found.get('token', '')}"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _session() -> requests.Session:
    session = requests.Session()
    session.headers.update(ACCEPT)
    session.auth = lambda request: request  # without any, requests takes a login from ~/.netrc
    # Harbor takes a client that returns its cookies for a browser, and demands a CSRF token.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Not 429: its Retry-After can be hours, which the user should know.
    retry = Retry(
        total=3, connect=1, other=0, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504),
        allowed_methods=("GET", "HEAD"), respect_retry_after_header=False, raise_on_status=False,
    )  # fmt: skip
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _authorities() -> str | bool:
    """A file of certificate authorities; True for those that requests brings.

    SSL_CERT_FILE first: buildx and kubectl read it, and requests only its own variable.
    """
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _speaks_http(server: str) -> bool:
    """Whether a registry on this machine speaks HTTP; Docker allows that for loopback alone."""
    if not re.fullmatch(r"(localhost|127(\.\d+){3})(:\d+)?", server):
        return False
    try:
        requests.get(f"https://{server}/v2/", verify=_authorities(), timeout=10)
    except requests.exceptions.SSLError:
        return True
    except requests.exceptions.RequestException:
        return False  # the first real request says what is wrong
    return False
