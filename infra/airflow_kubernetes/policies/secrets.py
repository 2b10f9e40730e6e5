"""No secret where it can be read by whoever may read pods and ConfigMaps, and no default one."""

import base64
import re
from collections.abc import Iterator
from itertools import pairwise

from ..kubernetes.manifest import Manifest
from . import plaintext
from .rule import HARDENING, Finding, Subject, rule
from .workloads import UNKNOWN, Container, containers, workloads

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
TO_A_SECRET = "put the value into a Secret and take it by secretKeyRef, $(NAME), …_CMD or …_FILE"


@rule(fix=TO_A_SECRET, source=HARDENING)
def no_secret_in_environment(subject: Subject) -> Iterator[Finding]:
    """Who may read a pod reads its variables, and so do logs, previews and crash reports."""
    for container in containers(subject.objects):
        for item in container.spec.get("env") or []:
            value = item.get("value")
            if isinstance(value, str) and value != UNKNOWN:
                for message in plaintext.in_variable(item["name"], value):
                    yield container.finding(message, "env", f"[{item['name']}]", "value")


@rule(fix=TO_A_SECRET, source=HARDENING)
def no_secret_in_arguments(subject: Subject) -> Iterator[Finding]:
    """Arguments are in the pod's spec and, on the node, in the list of processes."""
    for container in containers(subject.objects):
        for key in ("command", "args"):
            for message in _in_arguments(container, key):
                yield container.finding(message, key)


@rule(fix=TO_A_SECRET, source=HARDENING)
def no_secret_in_config_map(subject: Subject) -> Iterator[Finding]:
    """A ConfigMap is neither encrypted by the cluster nor kept from readers as a Secret is."""
    templates = [one.obj for one in workloads(subject.objects) if one.template]
    for obj in subject.objects:
        if obj["kind"] == "ConfigMap" and obj not in templates:  # those are looked into as pods
            for key, value in (obj.get("data") or {}).items():
                look = plaintext.in_variable if VARIABLE.fullmatch(key) else plaintext.in_file
                for message in look(key, value) if value != UNKNOWN else ():
                    yield Finding(obj, ("data", key), message)


@rule(fix="let it be generated (secrets.py), or make the Secret by hand")
def no_default_secret(subject: Subject) -> Iterator[Finding]:
    """A password that an example or an image comes with is tried first by whoever breaks in."""
    for obj in subject.objects:
        if obj["kind"] == "Secret":
            for field, key, value in _values(obj):
                if plaintext.SECRET_NAME.search(key) and value.casefold() in plaintext.WEAK:
                    yield Finding(obj, (field, key), "is a well-known password")


def _in_arguments(container: Container, key: str) -> Iterator[str]:
    arguments = [str(argument) for argument in container.spec.get(key) or []]
    for argument, following in pairwise([*arguments, ""]):
        option, equals, value = argument.partition("=")
        if argument.startswith("-") and not re.search(r"\s", option):
            value = value if equals else following
            if equals or not following.startswith("-"):
                yield from plaintext.in_variable(option.lstrip("-"), value)
        else:
            yield from plaintext.in_variable("", argument)


def _values(obj: Manifest) -> Iterator[tuple[str, str, str]]:
    """Field, key and value of what a Secret holds."""
    for key, value in (obj.get("stringData") or {}).items():
        yield "stringData", key, value
    for key, value in (obj.get("data") or {}).items():
        try:
            yield "data", key, base64.b64decode(value).decode()
        except ValueError:
            continue  # binary, or not known yet: no password of an example


RULES = (
    no_secret_in_environment,
    no_secret_in_arguments,
    no_secret_in_config_map,
    no_default_secret,
)
