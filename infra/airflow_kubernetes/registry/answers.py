"""What a registry's refusal or a failed connection means, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from .login import PASSWORD, USER, Login
from .reference import DOCKER_HUB, NotFoundError, RegistryError, UnsupportedError


@contextmanager
def explained(name: str, login: Login | None) -> Iterator[None]:
    """Turns errors of requests to the repository `name` into RegistryError."""
    host = name.partition("/")[0]
    try:
        yield
    except requests.exceptions.HTTPError as error:
        raise _explained(name, login, error.response) from None
    except requests.exceptions.SSLError as error:
        raise RegistryError(
            f"the certificate of {host} is not trusted ({_cause(error)}). Set SSL_CERT_FILE to a "
            "file with the authorities of this machine and the registry's"
        ) from None
    except requests.exceptions.InvalidURL:  # not quoted: a proxy's address may have a password
        raise RegistryError(
            f"the address of {host}, or of the proxy to it, is not valid. Check HTTPS_PROXY: "
            "http://host:port, and in a password other characters than letters and digits as %.."
        ) from None
    except requests.exceptions.ProxyError as error:
        raise RegistryError(
            f"the proxy cannot reach {host} ({_cause(error)}). Check HTTPS_PROXY, and NO_PROXY for "
            "a registry that needs no proxy"
        ) from None
    except requests.exceptions.RequestException as error:
        raise RegistryError(
            f"{host} cannot be reached ({_cause(error)}). Check images.registry, the network, and "
            "HTTPS_PROXY if connections need a proxy"
        ) from None


def _explained(name: str, login: Login | None, answer: requests.Response) -> RegistryError:
    """The meaning of a status code (distribution specification, "Error Codes")."""
    host, message = name.partition("/")[0], _message(answer)
    if answer.status_code == requests.codes.not_found:
        return NotFoundError(f"{name}: {message}")
    if answer.status_code == requests.codes.method_not_allowed:
        return UnsupportedError(f"{name}: {message}")
    if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
        if login is None:
            return RegistryError(
                f"{name} requires a login ({message}), and there is none for {host}: run docker "
                f"login {host}, or set {USER} and {PASSWORD}"
            )
        return RegistryError(
            f"{name} refuses the login of {login.user} ({message}): check the password, and that "
            "this user may do this in that repository"
        )
    if answer.status_code == requests.codes.too_many_requests:
        after = answer.headers.get("Retry-After", "")
        wait = f" for {after} s" if after.isdigit() else ""
        return RegistryError(f"{host} has had too many requests; {rate_limit(host, wait)}")
    return RegistryError(f"{name}: {message}")


def rate_limit(host: str, wait: str = "") -> str:
    """What to do about answer 429."""
    if host == DOCKER_HUB:
        return (
            f"wait{wait}, or log in (docker login): Docker Hub counts pulls without a login by "
            "address, all of a network together. Keep images that are pulled often in a registry "
            "of your own: set images.pythonBaseImage to a mirror"
        )
    return f"wait{wait or ' a few minutes'} and run it again: what is done already is kept"


def _message(answer: requests.Response) -> str:
    """The status, and the first message of a body as the specification has them."""
    status = f"{answer.status_code} {answer.reason}"
    try:
        return f"{status}: {answer.json()['errors'][0]['message']}"
    except (ValueError, LookupError, TypeError):
        return status


def _cause(error: Exception) -> str:
    """The innermost cause: what urllib3 and requests wrap around it repeats the address."""
    inner: Any = error
    while inner.args and isinstance(inner.args[0], Exception):
        inner = inner.args[0]
    reason = getattr(inner, "reason", None)
    if isinstance(reason, Exception):
        return _cause(reason)
    return str(inner).rpartition(": ")[2]
