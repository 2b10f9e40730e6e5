"""Pods that run with Secrets as they were are found by the times in the cluster."""

from typing import Any

from airflow_kubernetes.kubectl.restart import outdated

Obj = dict[str, Any]

LABELS = {"app": "redis"}
BEFORE, START, AFTER = (f"2026-01-01T00:00:0{second}Z" for second in (1, 2, 3))


def workload() -> Obj:
    spec = {"selector": {"matchLabels": LABELS}}
    return {"kind": "StatefulSet", "metadata": {"name": "redis"}, "spec": spec}


def pod(*, ready: bool = True, state: Obj | None = None, **more: Any) -> Obj:
    """A pod with the Secret `env` in a variable, `file` in a volume and `pull` as its login."""
    variable = {"valueFrom": {"secretKeyRef": {"name": "env", "key": "password"}}}
    state = {"running": {"startedAt": START}} if state is None else state
    return {
        "kind": "Pod",
        "metadata": {"name": "redis-0", "labels": {**LABELS, "more": "x"}, **more},
        "spec": {
            "containers": [{"env": [variable]}],
            "volumes": [{"secret": {"secretName": "file"}}],
            "imagePullSecrets": [{"name": "pull"}],
        },
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"state": state}],
        },
    }


def secret(name: str, made: str, changed: str = "") -> Obj:
    fields = [{"time": changed}] if changed else []
    return {"metadata": {"name": name, "creationTimestamp": made, "managedFields": fields}}


def test_workloads_restart_whose_secrets_are_newer_than_their_pods() -> None:
    changed = secret("env", BEFORE, AFTER)
    cases = [
        (pod(), secret("env", AFTER), True),
        (pod(), secret("file", AFTER), True),
        (pod(), secret("env", BEFORE), False),
        (pod(), secret("another", AFTER), False),
        (pod(), secret("pull", AFTER), False),
        # A container that has not started will read the Secret as it is.
        (pod(state={"waiting": {}}), secret("env", AFTER), False),
        # A change of the user's takes effect with secrets.revision, unless nothing works before.
        (pod(), changed, False),
        (pod(ready=False), changed, True),
        (pod(ready=False), secret("env", BEFORE, BEFORE), False),
        (pod() | {"metadata": {"name": "other-0", "labels": {}}}, secret("env", AFTER), False),
    ]
    for number, (found, newer, restarts) in enumerate(cases):
        names = [one["metadata"]["name"] for one, _ in outdated([workload(), found], [newer])]
        assert names == (["redis"] if restarts else []), number


def test_the_reason_names_the_secret_and_the_pod() -> None:
    ((_, reason),) = outdated([workload(), pod()], [secret("env", AFTER)])
    assert reason == "the Secret env is newer than Pod redis-0"
