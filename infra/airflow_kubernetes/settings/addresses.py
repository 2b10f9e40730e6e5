"""Addresses of servers and repositories: what is wrong with one, in words; None if nothing is."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from .texts import expanded, unprintable

_HOST_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PATH = re.compile(r"(?:[A-Za-z0-9._~!&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_REPOSITORY_PATH = re.compile(r"(?:[\w.~!&'()*+,;=:@/$-]|%[0-9A-Fa-f]{2})*")
_SCP = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[^:/@]+):(?P<path>/*[^:/][^:]*)")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.%+:-]*")

REPOSITORY = (
    "should be the address of a Git repository: https://host/path, ssh://git@host/path or "
    "git@host:path"
)


def url(text: str) -> str | None:
    """The address of a web server, perhaps below a path, without a slash at its end."""
    scheme, separator, rest = text.partition("://")
    if problem := unprintable(text):
        return problem
    if not separator or scheme not in ("http", "https"):
        return "should begin with http:// or https://, in small letters"
    if problem := _more_than_a_path(rest):
        return problem
    server, slash, path = rest.partition("/")
    if rest.endswith("/"):
        return "should end without a slash"
    if slash and (not _PATH.fullmatch(path) or {"", ".", ".."} & {*path.split("/")}):
        return "should have a path of names with one slash between them, such as /team/airflow"
    if "@" in server:
        return "should have no user and no password"
    return authority(server)


def host(text: str) -> str | None:
    """The host of a server that pods reach, as it is pasted into URLs: no port, no IPv6 address."""
    form = "should be a host name or an IPv4 address"
    name, colon, number = text.partition(":")
    if colon and number.isdecimal() and hostname(name) is None:
        return f"{form}, without a port, which has a setting of its own"
    if text.strip("[]").count(":") > 1:
        return f"{form}: for an IPv6 address, write a name that has it"
    if (problem := hostname(text)) is not None:
        return f"{form}: {problem.removeprefix('should have ')}"
    if text.lower().removesuffix(".") == "localhost" or _of_itself(text):
        return f"{form} that pods reach: this one is each pod itself"
    return None


def ip(text: str) -> str | None:
    """An IPv4 or IPv6 address."""
    if _is_ipv4(text) or (_is_ipv6(text) and IPv6Address(text).ipv4_mapped is None):
        return None
    return "should be an IP address, such as 10.0.0.5 or 2001:db8::5"


def hostname(text: str) -> str | None:
    """A host name (RFC 1123), perhaps with a dot at its end, or an IPv4 address."""
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or not all(map(_HOST_LABEL.fullmatch, labels)):
        return "should have a host name of letters, digits and - between dots"
    if _NUMBER.fullmatch(labels[-1]) and not _is_ipv4(text):
        return "should have a host name that does not end in a number, or an IPv4 address"
    return None


def repository(text: str) -> str | None:
    """The address of a Git repository, as git reads it; a password is refused elsewhere."""
    if problem := unprintable(text) or expanded(text):
        return problem
    scheme, separator, rest = text.partition("://")
    if not separator:
        match = _SCP.fullmatch(text)
        return REPOSITORY if match is None else hostname(match["host"])
    if scheme not in ("http", "https", "ssh"):
        return REPOSITORY
    if problem := _more_than_a_path(rest):
        return problem
    server, _, path = rest.partition("/")
    user, at, address = server.rpartition("@")
    if at and not _USER.fullmatch(user):
        return REPOSITORY
    if not path.strip("/"):
        return "should name a repository after the host"
    if not _REPOSITORY_PATH.fullmatch(path) or {".", ".."} & {*path.split("/")}:
        return "should have a path as in an address: no . or .. alone, %20 for a space"
    return authority(address)


def endpoint(text: str) -> str | None:
    """The address of buildkitd (https://docs.docker.com/build/builders/drivers/remote/)."""
    scheme, _, rest = text.partition("://")
    if problem := unprintable(text):
        return problem
    if scheme == "tcp":
        if ":" not in rest.rpartition("]")[2]:
            return "should have a port, as in tcp://buildkit:1234"
        return authority(rest)
    known = scheme in ("unix", "docker-container", "kube-pod", "podman-container")
    if not known or not rest or (scheme == "unix" and not rest.startswith("/")):
        return "should be the address of buildkitd, such as tcp://buildkit:1234"
    return None


def authority(text: str) -> str | None:
    """A host, perhaps with a port: `ghcr.io`, `localhost:5000`, `[::1]:5000`."""
    if text.startswith("["):
        address, bracket, after = text[1:].partition("]")
        if not bracket:
            return "should close the bracket of its IPv6 address, as in http://[::1]:8080"
        if not _is_ipv6(address):
            return "should have an IPv6 address in its brackets"
        colon, port = after[:1], after[1:]
        if colon not in ("", ":"):
            return "should have nothing but a port after the bracket"
    else:
        name, colon, port = text.partition(":")
        if not name:
            return "should name a host"
        if ":" in port:
            return "should have one port; an IPv6 address is written in brackets, as in [::1]"
        if (problem := hostname(name)) is not None:
            return problem
    if colon and not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65535):
        return "should have a port from 1 to 65535 after the colon"
    return None


def _more_than_a_path(rest: str) -> str | None:
    """What is wrong with the part of a URL after its scheme."""
    if "?" in rest:
        return "should have no query: remove the ? and what follows"
    return "should have no fragment: remove the # and what follows" if "#" in rest else None


def _is_ipv4(text: str) -> bool:
    try:
        return bool(IPv4Address(text))
    except AddressValueError:
        return False


def _is_ipv6(text: str) -> bool:
    try:
        return not IPv6Address(text).scope_id
    except AddressValueError:
        return False


def _of_itself(text: str) -> bool:
    """Whether a host is an address by which a machine reaches itself."""
    return _is_ipv4(text) and (IPv4Address(text).is_loopback or IPv4Address(text).is_unspecified)
