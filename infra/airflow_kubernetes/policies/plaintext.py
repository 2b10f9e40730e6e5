"""What looks like a secret in text that anybody may read who may read the object."""

import json
import re
from collections.abc import Iterator
from typing import Any

SECRET_NAME = re.compile(
    r"PASSW|PWD|SECRET|TOKEN|FERNET|CREDENTIAL|(^|[^A-Z])(API|ACCESS|PRIVATE)?KEYS?($|[^A-Z])",
    re.IGNORECASE,
)
"""Names of variables and options that hold a secret."""

ELSEWHERE = re.compile(r"[_-](CMD|FILE)$", re.IGNORECASE)
"""Names of those that tell where it is: Airflow's and the official images' suffixes."""

NAMES_OF_OBJECTS = {"TASK_PULL_SECRET"}
"""Variables that hold a Secret's name."""

WEAK = {
    "12345", "123456", "admin", "airflow", "changeit", "changeme", "default", "example", "guest",
    "letmein", "mysql", "pass", "passw0rd", "password", "postgres", "qwerty", "redis", "root",
    "secret", "test", "toor", "user",
}  # fmt: skip
"""Passwords that examples and images come with."""

NO_SECRET = re.compile(r"true|false|none|null|\d{1,4}|/[\w./-]+", re.IGNORECASE)
"""Switches, numbers of seconds and paths have such names too: TOKEN_TTL=600, SSL_KEY=/tls/key."""

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:@/]*:([^\s@/]+)@", re.IGNORECASE)
PAIR = re.compile(r"[\w.@-]+:([\w]+)")
FILE_LINE = re.compile(
    r"^[ \t]*[\"']?[\w.-]*(?:passw(?:or)?d|secret(?:_key)?|token|fernet_key|private_key)"
    r"[\"']?[ \t]*[:=][ \t]*[\"']?([^\s\"',]+)",
    re.IGNORECASE | re.MULTILINE,
)
SETTINGS_FILE = re.compile(r"\.(cfg|conf|env|ini|json|properties|toml|ya?ml)$")


def in_variable(name: str, value: str) -> Iterator[str]:
    """What is wrong with a variable's or option's literal value; the value itself is not told."""
    yield from _in_text(value)
    pair = PAIR.fullmatch(value)
    if pair and pair[1].casefold() in WEAK:
        yield "holds a user and a well-known password"
    named = SECRET_NAME.search(name) and not ELSEWHERE.search(name)
    if not named or name in NAMES_OF_OBJECTS or not value or "$(" in value:
        return
    if value.casefold() in WEAK:
        yield "is a well-known password"
    elif not NO_SECRET.fullmatch(value):
        yield "holds a secret as plain text"


def in_file(name: str, text: str) -> Iterator[str]:
    """What is wrong with a file of a ConfigMap; of a settings file, each line is looked at."""
    yield from _in_text(text)
    if SETTINGS_FILE.search(name):
        for value in FILE_LINE.findall(text):
            if not value.startswith(("$", "{", "[")) and not NO_SECRET.fullmatch(value):
                yield "has a line that sets a secret"
                return


def _in_text(text: str) -> Iterator[str]:
    if PRIVATE_KEY.search(text):
        yield "holds a private key"
    if any(not password.startswith("$") for password in URL.findall(text)):
        yield "holds a URL with a password"
    if any(not value.startswith("$") for value in _passwords(text)):
        yield "holds a password in JSON"


def _passwords(text: str) -> Iterator[str]:
    """Of connections that are written as JSON, as Airflow's AIRFLOW_CONN_… may be."""
    if text.lstrip().startswith(("{", "[")):
        try:
            data = json.loads(text)
        except ValueError:
            return
        yield from _below(data)


def _below(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str) and value and SECRET_NAME.search(key):
                if not ELSEWHERE.search(key):
                    yield value
            else:
                yield from _below(value)
    elif isinstance(data, list):
        for item in data:
            yield from _below(item)
