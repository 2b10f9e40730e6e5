"""Checks of single endpoints: they return nothing, or raise OSError."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.request
from collections.abc import Callable
from pathlib import Path

_TIMEOUT = 10.0

# Two servers on loopback show certificates that they made for themselves, and say no more than ok.
_ANY_CERTIFICATE = ssl.create_default_context()
_ANY_CERTIFICATE.check_hostname = False
_ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE

# An HTTP proxy of the environment must not see these requests.
_OPENER = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_ANY_CERTIFICATE)
)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def url(address: str) -> Callable[[], None]:
    """A check that the address answers with success."""

    def check() -> None:
        with _OPENER.open(address, timeout=_TIMEOUT):
            pass

    return check


def unix_socket(path: Path, request: str = "") -> Callable[[], None]:
    """A check that the socket accepts connections and, if given, answers a request with 200."""

    def check() -> None:
        connection = _UnixConnection(path)
        try:
            connection.connect()
            if request:
                connection.request("GET", request)
                status = connection.getresponse().status
                if status != http.client.OK:
                    raise OSError(f"{path}{request} answered {status}")
        except http.client.HTTPException as error:
            raise OSError(f"{path}{request}: {error}") from error
        finally:
            connection.close()

    return check
