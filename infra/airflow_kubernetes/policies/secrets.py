"""Rules about secrets: none where anyone reads it who may read pods or ConfigMaps, no default."""

import re
from collections.abc import Iterator

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


@rule(fix=USE_A_SECRET, source=HARDENING)
def no_secret_in_arguments(subject: Subject) -> Iterator[Finding]:
    """Arguments are in the pod's spec and, on the node, in the list of processes."""
    lists = ("containers[*].command", "containers[*].args")
    for workload, path, arguments in pod_fields(subject.objects, *lists):
        for _, name, value in plaintext.arguments(map(str, arguments or [])):
            for message in plaintext.in_variable(name, value):
                yield workload.finding(message, *path)


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
