"""Detection of secrets in plain text: variables, options and files that many may read."""

import re
from collections.abc import Iterable, Iterator

SECRET_NAME = re.compile(
    r"PASSW|PWD|SECRET|TOKEN|FERNET|CREDENTIAL|(^|[^A-Z])(API|ACCESS|PRIVATE)?KEYS?($|[^A-Z])",
    re.IGNORECASE,
)
"""Names of variables and options that hold a secret."""

INDIRECT = re.compile(r"[_-](CMD|FILE)$", re.IGNORECASE)
"""Names of those that say where the secret is: Airflow's and the official images' suffixes."""

NAMES_OF_OBJECTS = {"TASK_PULL_SECRETS"}
"""Variables that hold names of Secrets."""

WEAK = {
    "12345", "123456", "admin", "airflow", "changeit", "changeme", "default", "example", "guest",
    "letmein", "mysql", "pass", "passw0rd", "password", "postgres", "qwerty", "redis", "root",
    "secret", "test", "toor", "user",
}  # fmt: skip
"""Passwords of examples and images."""

NO_SECRET = re.compile(r"true|false|none|null|\d{1,4}|/[\w./-]+", re.IGNORECASE)
"""Values that are no secret under such a name: TOKEN_TTL=600, EXPOSE_SECRET=true, KEY=/tls/key."""

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:@/]*:([^\s@/]+)@", re.IGNORECASE)
PAIR = re.compile(r"[\w.@-]+:([\w]+)")
FILE_LINE = re.compile(
    r"^[ \t]*[\"']?[\w.-]*(?:passw(?:or)?d|secret(?:_key)?|token|fernet_key|private_key)"
    r"[\"']?[ \t]*[:=][ \t]*[\"']?([^\s\"',]+)",
    re.IGNORECASE | re.MULTILINE,
)
JSON_PAIR = re.compile(r'"([^"\\]+)"\s*:\s*"([^"]+)"')
OPTION = re.compile(r"-\S+")
SETTINGS_FILE = re.compile(r"\.(cfg|conf|env|ini|json|properties|toml|ya?ml)$")


def in_variable(name: str, value: str) -> Iterator[str]:
    """Problems of the literal value of a variable or option; no message contains the value."""
    yield from _in_text(value)
    pair = PAIR.fullmatch(value)
    if pair and pair[1].casefold() in WEAK:
        yield "holds a user and a well-known password"
    if not _names_a_secret(name) or name in NAMES_OF_OBJECTS or not value or "$(" in value:
        return
    if value.casefold() in WEAK:
        yield "is a well-known password"
    elif not NO_SECRET.fullmatch(value):
        yield "holds a secret as plain text"


def arguments(values: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Of each argument its beginning `--option=`, the option's name, and the value.

    The beginning is empty for `--option` and for the argument after it, which has that name.
    """
    name = ""
    for argument in values:
        option, equals, value = argument.partition("=")
        if not OPTION.fullmatch(option):
            yield "", name, argument
            name = ""
        elif equals:
            yield f"{option}=", option.lstrip("-"), value
            name = ""
        else:
            yield "", "", argument
            name = option.lstrip("-")


def in_file(name: str, text: str) -> Iterator[str]:
    """Problems of a file in a ConfigMap; each line of a settings file is checked."""
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
    # A form that Airflow's connections may have: AIRFLOW_CONN_….
    pairs = JSON_PAIR.findall(text) if text.lstrip().startswith(("{", "[")) else ()
    secrets = (value for key, value in pairs if _names_a_secret(key))
    if any(not value.startswith("$") for value in secrets):
        yield "holds a password in JSON"


def _names_a_secret(name: str) -> bool:
    return bool(SECRET_NAME.search(name)) and not INDIRECT.search(name)
