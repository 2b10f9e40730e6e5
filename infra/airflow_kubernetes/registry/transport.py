"""The client of the distribution API: the `dxf` package on one session, with errors that help.

dxf answers challenges, asks for tokens, uploads and mounts. Added here: which login, which
authorities, and what to do about a refusal.
"""

import ipaddress
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from dxf import DXF, DXFBase
from dxf.exceptions import DXFAuthInsecureError, DXFDigestMismatchError, DXFUnauthorizedError
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from .login import PASSWORD, USER, Login
from .oci import DOCKER_HUB, NotFoundError, Reference, RegistryError, UnsupportedError


class Client(DXF):
    """dxf on one session, with our errors."""

    def __init__(self, reference: Reference, login: Login | None) -> None:
        host = "registry-1.docker.io" if reference.host == DOCKER_HUB else reference.host
        self.session = _session()
        super().__init__(
            host,
            reference.repository,
            auth=self._authenticate,
            insecure=_plain(host),
            tlsverify=_authorities(),
            timeout=60,
        )
        self._place, self._login = reference, login
        self._sessions = [self.session]

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """A request below /v2/<repository>/."""
        answer: requests.Response = self._request(method, path, **arguments)  # type: ignore[no-untyped-call]
        return answer

    def _authenticate(self, client: DXFBase, response: requests.Response) -> None:
        user, password = (self._login.user, self._login.password) if self._login else (None, None)
        client.authenticate(user, password, response=response)

    def _base_request(self, method: str, path: str, **arguments: Any) -> Any:
        with translated(self._place.name, self._login):
            return super()._base_request(method, path, **arguments)  # type: ignore[no-untyped-call]


def _session() -> requests.Session:
    session = requests.Session()
    # Harbor takes whoever returns its cookies for a browser, and asks for more.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Not 429: its Retry-After can be hours, which the user should know.
    again = Retry(
        total=3, connect=1, other=0, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504),
        allowed_methods=("GET", "HEAD"), respect_retry_after_header=False, raise_on_status=False,
    )  # fmt: skip
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    return session


def _authorities() -> str | bool:
    """A file of them; True for those that requests brings.

    SSL_CERT_FILE first: all other programs here read it, and requests only its own variable.
    """
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _plain(host: str) -> bool:
    """Whether a registry on this machine speaks HTTP; Docker allows that for loopback alone."""
    name = host.rpartition(":")[0] or host
    try:
        loopback = name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
    if not loopback:
        return False
    try:
        requests.get(f"https://{host}/v2/", verify=_authorities(), timeout=10)
    except requests.exceptions.SSLError:
        return True
    except requests.exceptions.RequestException:
        return False  # the first real request tells what is wrong
    return False


@contextmanager
def translated(name: str, login: Login | None = None) -> Iterator[None]:
    """Turns what dxf and requests raise about the repository `name` into RegistryError."""
    host = name.partition("/")[0]
    try:
        yield
    except DXFUnauthorizedError:
        raise RegistryError(_refused(name, login)) from None
    except DXFAuthInsecureError:
        raise RegistryError(
            f"{host} wants a login and speaks plain HTTP, where anybody could read it. Give the "
            "registry a certificate"
        ) from None
    except DXFDigestMismatchError as error:
        raise RegistryError(f"{name} gave a spoilt blob: {error}. Run it again") from None
    except requests.exceptions.HTTPError as error:
        raise _answered(name, login, error.response) from None
    except requests.exceptions.SSLError as error:
        raise RegistryError(
            f"the certificate of {host} is not trusted ({_reason(error)}). Set SSL_CERT_FILE to a "
            "file with the authorities of this machine and the registry's"
        ) from None
    except requests.exceptions.ProxyError as error:
        raise RegistryError(
            f"the proxy gives no way to {host} ({_reason(error)}). Check HTTPS_PROXY, and NO_PROXY "
            "for a registry that needs none"
        ) from None
    except requests.exceptions.RequestException as error:
        raise RegistryError(
            f"{host} cannot be reached ({_reason(error)}). Check images.registry, the network, and "
            "HTTPS_PROXY if the way out is a proxy"
        ) from None


def _answered(name: str, login: Login | None, answer: requests.Response) -> RegistryError:
    """What a status code means (distribution specification, "Error Codes")."""
    host = name.partition("/")[0]
    if answer.status_code == requests.codes.not_found:
        return NotFoundError(f"{name}: {_message(answer)}")
    if answer.status_code == requests.codes.method_not_allowed:
        return UnsupportedError(f"{name}: {_message(answer)}")
    if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
        return RegistryError(_refused(name, login, _message(answer)))
    if answer.status_code == requests.codes.too_many_requests:
        after = answer.headers.get("Retry-After", "")
        wait = f" for {after} s" if after.isdigit() else ""
        return RegistryError(f"{host} has had too many requests; {rate_limit(host, wait)}")
    return RegistryError(f"{name}: {_message(answer)}")


def rate_limit(host: str, wait: str = "") -> str:
    """What to do about answer 429."""
    if host == DOCKER_HUB:
        return (
            f"wait{wait}, or log in: Docker Hub counts pulls without a login per address, all of a "
            "network together (docker login). What is pulled often belongs into a registry of "
            "your own: set images.pythonBaseImage to a mirror"
        )
    return f"wait{wait or ' a few minutes'} and run it again: what is done already is kept"


def _refused(name: str, login: Login | None, message: str = "") -> str:
    host = name.partition("/")[0]
    said = f" ({message})" if message else ""
    if login is None:
        return (
            f"{name} wants a login{said}, and there is none for {host}: run docker login {host}, "
            f"or set {USER} and {PASSWORD}"
        )
    return (
        f"{name} refuses the login of {login.user}{said}: check the password, and that this user "
        "may do this in that repository"
    )


def _message(answer: requests.Response) -> str:
    """The status, and the first message of a body as the specification has them."""
    status = f"{answer.status_code} {answer.reason}"
    try:
        return f"{status}: {answer.json()['errors'][0]['message']}"
    except (ValueError, LookupError, TypeError):
        return status


def _reason(error: Exception) -> str:
    """The innermost cause: what urllib3 and requests wrap around it repeats the address."""
    inner: Any = error
    while inner.args and isinstance(inner.args[0], Exception):
        inner = inner.args[0]
    reason = getattr(inner, "reason", None)
    if isinstance(reason, Exception):
        return _reason(reason)
    return str(inner).rpartition(": ")[2]


class Body:
    """A blob on its way: its length is known, so that it is sent with a Content-Length."""

    def __init__(self, size: int, chunks: Iterable[bytes]) -> None:
        self._size, self._chunks = size, chunks

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)
