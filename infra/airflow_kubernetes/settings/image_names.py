"""Names of images: what is wrong with a text, in words; None if nothing is.

Source: https://github.com/distribution/reference, by which Docker, BuildKit and the kubelet read
them.
"""

import re

from .addresses import authority
from .texts import unprintable

_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLACEHOLDER = re.compile(r"\{(?:python|base)\}")

LONGEST = 255
"""Characters of a name without its tag."""


def image(text: str) -> str | None:
    """`[host[:port]/]name[:tag][@digest]`."""
    if problem := unprintable(text):
        return problem
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return "should have sha256: and 64 hexadecimal digits after the @"
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, colon = rest, ""
    if colon and not _TAG.fullmatch(tag):
        return "should have a tag of up to 128 letters, digits, _, . and -, without . or - first"
    if "://" in text:
        return "should be the name of an image without a scheme, such as mysql:8.4"
    return _name(name)


def template(text: str) -> str | None:
    """The name of an image with {python} for its Python series and {base} for a Debian release."""
    if "{python}" not in text:
        return "should have {python} for the Python version, such as python:{python}-slim-{base}"
    filled = _PLACEHOLDER.sub("3", text)
    if "{" in filled or "}" in filled:
        return "should have no other braces than {python} and {base}"
    if "@" in filled:
        return "should have no digest: each Python version has its own"
    return image(filled)


def registry(text: str) -> str | None:
    """`host[:port][/path]`, to which `/name:tag` is added."""
    if problem := unprintable(text):
        return problem
    if "://" in text:
        return "should be a registry without a scheme, such as ghcr.io/team"
    if text.endswith("/"):
        return "should end without a slash"
    if "@" in text or ":" in text.partition("/")[2]:
        return "should be a registry without a tag, such as ghcr.io/team"
    host, _, path = text.partition("/")
    if host != host.lower():
        return "should have small letters only"
    return authority(host) or (_name(text) if path else None)


def _name(text: str) -> str | None:
    """Of `host/path` or `path`; Docker takes the first part for a host if it looks like one."""
    first, slash, rest = text.partition("/")
    path = text
    if slash and ("." in first or ":" in first or first == "localhost"):
        if (problem := authority(first)) is not None:
            return problem
        path = rest
    if len(text) > LONGEST:
        return f"should have at most {LONGEST} characters before the tag"
    if path != path.lower():
        return "should have a name in small letters"
    if ":" in path:
        return "should have one tag"
    if not all(map(_PART.fullmatch, path.split("/"))):
        return (
            "should have a name of a-z, 0-9, and single ., _ or - inside, with one slash between "
            "its parts, such as mysql:8.4"
        )
    return None
