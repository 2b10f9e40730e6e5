"""Texts that programs read: what is wrong with one, in words; None if nothing is."""

import re

_LABEL = r"[^\W_]([\w-]*[^\W_])?"
_EMAIL = re.compile(rf"""[^@\s<>()[\]\\,;:"]+@{_LABEL}(\.{_LABEL})*""")


def unprintable(text: str) -> str | None:
    """A text with spaces or with characters that no terminal shows."""
    if text.isprintable() and " " not in text:
        return None
    return "should have no spaces, line breaks or other characters that cannot be seen"


def expanded(text: str) -> str | None:
    """A text in which the kubelet replaces `$(NAME)` by the variable, and `$$` by `$`: it does so
    in arguments.
    """
    if "$(" in text or "$$" in text:
        return "should have no $( and no $$, which Kubernetes replaces in arguments"
    return None


def argument(text: str, most: int) -> str | None:
    """A text that is an argument of a command and a value in a column of `most` characters.

    A hyphen in front would make an option of it.
    """
    if not text.strip() or text != text.strip():
        return "should be a text without spaces at its ends"
    if not text.isprintable():
        return "should have no line breaks or other characters that cannot be seen"
    if text.startswith("-"):
        return "should not begin with -, which makes an option of a command of it"
    if len(text) > most:
        return f"should have at most {most} characters, as Airflow's database"
    return expanded(text)


def username(text: str) -> str | None:
    """The name of a user, also in basic authentication, where `:` and `,` separate."""
    if ":" in text or "," in text:
        return "should have no : and no comma, which separate names and passwords"
    return argument(text, 256)


def email(text: str) -> str | None:
    """An email address, of which only the form is checked; letters may be of any language."""
    if not _EMAIL.fullmatch(text):
        return "should be an email address, such as admin@example.com"
    return argument(text, 512)


def mount_path(text: str) -> str | None:
    """The absolute path of a folder in a container; Docker separates paths by colons."""
    if not text.startswith("/") or not text.strip("/."):
        return "should be an absolute path, such as /data"
    if ".." in text.split("/") or ":" in text or not text.isprintable() or text.endswith(" "):
        return "should be a path without .., colons, a space at its end and unseen characters"
    return None


def sub_path(text: str) -> str | None:
    """The path of a file or folder in a volume."""
    if not text or text.startswith("/") or ".." in text.split("/") or not text.isprintable():
        return "should be a path inside the volume, without .. and without a slash at its beginning"
    return None


def http_path(text: str) -> str | None:
    """The path of a request."""
    return unprintable(text) if text.startswith("/") else "should begin with /, as in /healthz"
