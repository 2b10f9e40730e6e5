"""Rules about secrets: none where anyone reads it who may read pods or ConfigMaps, no default."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from . import plaintext
from .rule import HARDENING, Finding, Subject, rule
from .workloads import UNKNOWN, pod_fields, workloads

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
USE_A_SECRET = "put the value into a Secret and refer to it: secretKeyRef, $(NAME), …_CMD, …_FILE"


@rule(fix=USE_A_SECRET, source=HARDENING)
def no_secret_in_environment(subject: Subject) -> Iterator[Finding]:
    """Anyone who may read a pod reads its variables; so do logs, previews and crash reports."""
    for workload, path, variable in pod_fields(subject.objects, "containers[*].env[*]"):
        value = variable.get("value")
        if isinstance(value, str) and value != UNKNOWN:
            for message in plaintext.in_variable(variable["name"], value):
                yield workload.finding(message, *path, "value")


@rule(
    fix="let the program read a variable or a file that comes from a Secret: secretKeyRef, …_FILE",
    source=HARDENING,
)
def no_secret_in_arguments(subject: Subject) -> Iterator[Finding]:
    """Arguments are in the pod's spec and, on the node, in the list of processes."""
    for workload, path, container in pod_fields(subject.objects, "containers[*]"):
        references = tuple(f"$({name})" for name in _from_secrets(container.get("env") or ()))
        for field in ("command", "args"):
            values = [str(value) for value in container.get(field) or ()]
            for _, name, value in plaintext.arguments(values):
                for message in plaintext.in_variable(name, value):
                    yield workload.finding(message, *path, field)
            if any(reference in value for value in values for reference in references):
                message = "holds a variable that comes from a Secret, which the kubelet expands"
                yield workload.finding(message, *path, field)


def _from_secrets(env: Iterable[dict[str, Any]]) -> list[str]:
    """Variables whose value comes from a Secret, or from such a variable before it."""
    found: list[str] = []
    for variable in env:
        value = str(variable.get("value"))
        if "secretKeyRef" in (variable.get("valueFrom") or {}) or any(
            f"$({name})" in value for name in found
        ):
            found.append(variable["name"])
    return found


@rule(fix=USE_A_SECRET, source=HARDENING)
def no_secret_in_config_map(subject: Subject) -> Iterator[Finding]:
    """The cluster neither encrypts a ConfigMap nor restricts its readers as it does for Secrets."""
    templates = [workload.obj for workload in workloads(subject.objects) if workload.template]
    for obj in subject.of_kind("ConfigMap"):
        entries = {} if obj in templates else obj.get("data") or {}  # those are checked as pods
        for key, value in entries.items():
            check = plaintext.in_variable if VARIABLE.fullmatch(key) else plaintext.in_file
            for message in check(key, value) if value != UNKNOWN else ():
                yield Finding(obj, ("data", key), message)


@rule(fix="let it be generated (secrets.py), or create the Secret manually")
def no_default_secret(subject: Subject) -> Iterator[Finding]:
    """An intruder first tries the passwords that examples and images come with."""
    for obj in subject.of_kind("Secret"):
        # The program gives values in this form only; `data` is what the server makes of it.
        for key, value in (obj.get("stringData") or {}).items():
            if plaintext.SECRET_NAME.search(key) and value.casefold() in plaintext.WEAK:
                yield Finding(obj, ("stringData", key), "is a well-known password")
