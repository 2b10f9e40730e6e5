"""For every rule an example that complies with it and one that breaks it."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml
from airflow_kubernetes.comparison.changes import compare
from airflow_kubernetes.environment import load
from airflow_kubernetes.kubernetes.manifest import PROTECTED, Manifest
from airflow_kubernetes.policies.rule import Subject
from airflow_kubernetes.render import objects

DIGEST = f"@sha256:{'0' * 64}"
GONE = object()
POD = ("spec", "template", "spec")
FIRST = (*POD, "containers", 0)
SECURITY = (*FIRST, "securityContext")
VALUES = "airflow.executor=CeleryKubernetesExecutor airflow.celery.workers.default.maxReplicas=2"
SETTINGS = load("dev", VALUES)
RENDERED = objects("dev", VALUES)

NAMES = {
    "Deployment": "airflow-scheduler", "Role": "airflow-scheduler",
    "RoleBinding": "airflow-scheduler", "ConfigMap": "airflow-config",
    "Service": "airflow-web", "HorizontalPodAutoscaler": "airflow-worker-default",
    "Namespace": "airflow",
}  # fmt: skip
"""Of each kind the object that examples edit; where there is none, `airflow-mysql`."""


def obj(kind: str, name: str, **content: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **content}


def good() -> list[Manifest]:
    """An environment that breaks no rule, with each kind of object that rules check."""
    return deepcopy(RENDERED)


def example_of(kind: str, manifests: list[Manifest]) -> Manifest:
    name = NAMES.get(kind, "airflow-mysql")
    (found,) = (
        each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


def probe(period: int) -> dict[str, Any]:
    action = {"httpGet": {"path": "/health", "port": 8974}}
    return {**action, "periodSeconds": period, "timeoutSeconds": 10}


def command(period: int) -> dict[str, Any]:
    """A probe with Kubernetes' defaults: it gives up after 3 failures."""
    return {"exec": {"command": ["true"]}, "periodSeconds": period}


def edited(kind: str, path: tuple[str | int, ...], value: Any) -> Subject:
    """The good environment with one field set, or removed (GONE)."""
    manifests = good()
    parent: Any = example_of(kind, manifests)
    for key in path[:-1]:
        parent = parent.setdefault(key, {}) if isinstance(parent, dict) else parent[key]
    if value is GONE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return Subject(manifests, SETTINGS, "dev")


def with_toleration(toleration: dict[str, str]) -> Subject:
    """The good environment with a toleration in the template of task pods."""
    manifests = good()
    (found,) = (each for each in manifests if each["metadata"]["name"] == "airflow-pod-template")
    pod = yaml.safe_load(found["data"]["pod_template.yaml"])
    pod["spec"]["tolerations"] = [toleration]
    found["data"]["pod_template.yaml"] = yaml.safe_dump(pod)
    return Subject(manifests, SETTINGS, "dev")


@dataclass(frozen=True)
class Example:
    """A rule, what complies with it, what breaks it, and the path of that finding."""

    rule: str
    passing: Subject
    failing: Subject
    at: str


def leaf(
    rule: str, kind: str, path: tuple[str | int, ...], good: Any, bad: Any, at: str | None = None
) -> Example:
    """An example in one field; `at` only if the finding is not at the field's own path."""
    names: list[str] = []
    for part in path:
        names = [*names[:-1], f"{names[-1]}[scheduler]"] if part == 0 else [*names, str(part)]
    return Example(
        rule,
        edited(kind, path, good),
        edited(kind, path, bad),
        ".".join(names) if at is None else at,
    )


def allowing(connections: int) -> Subject:
    """The good environment with a number of connections that MySQL allows."""
    settings = load("dev", f"database.cluster.maxConnections={connections}")
    return Subject(good(), settings, "dev")


def env(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def changed(path: tuple[str | int, ...] | None, value: Any = None) -> Subject:
    """A deployment that changes the claim, or deletes it."""
    before = good()
    claim = example_of("PersistentVolumeClaim", before)
    after = [manifest for manifest in before if manifest is not claim]
    if path is not None:
        after = list(edited("PersistentVolumeClaim", path, value).objects)
    return Subject(after, SETTINGS, "dev", compare(before, after))


SPEC = "spec.template.spec"
ROOT = f"{SPEC}.containers[scheduler].securityContext"
CLAIM = ("spec", "resources", "requests", "storage")

APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
SAFE = example_of("Deployment", RENDERED)["spec"]["template"]["spec"]["containers"][0]

EXAMPLES = [
    leaf("host-process", "Deployment", (*SECURITY, "windowsOptions"),
         {}, {"hostProcess": True}, f"{ROOT}.windowsOptions.hostProcess"),
    leaf("host-namespaces", "Deployment", (*POD, "hostNetwork"), False, True),
    leaf("host-namespaces", "Deployment", (*POD, "hostPID"), False, True),
    leaf("privileged", "Deployment", (*SECURITY, "privileged"), False, True),
    leaf("capabilities", "Deployment", (*SECURITY, "capabilities", "drop"), ["ALL"], ["KILL"]),
    leaf("capabilities", "Deployment", (*SECURITY, "capabilities", "add"),
         ["NET_BIND_SERVICE"], ["NET_RAW"]),
    leaf("volume-types", "Deployment", (*POD, "volumes"),
         [{"name": "tmp", "emptyDir": {}}], [{"name": "tmp", "hostPath": {"path": "/"}}],
         f"{SPEC}.volumes[tmp].hostPath"),
    leaf("host-ports", "Deployment", (*FIRST, "ports"),
         [{"containerPort": 80}], [{"containerPort": 80, "hostPort": 80}],
         f"{SPEC}.containers[scheduler].ports[80].hostPort"),
    leaf("probe-hosts", "Deployment", (*FIRST, "livenessProbe"),
         probe(30), {"tcpSocket": {"port": 1, "host": "10.0.0.1"}},
         f"{SPEC}.containers[scheduler].livenessProbe.tcpSocket.host"),
    leaf("apparmor", "Deployment", (*SECURITY, "appArmorProfile"),
         {"type": "RuntimeDefault"}, {"type": "Unconfined"}, f"{ROOT}.appArmorProfile.type"),
    leaf("apparmor-annotation", "Deployment",
         ("spec", "template", "metadata", "annotations", f"{APPARMOR}scheduler"),
         "runtime/default", "unconfined",
         f'spec.template.metadata.annotations["{APPARMOR}scheduler"]'),
    leaf("selinux", "Deployment", (*SECURITY, "seLinuxOptions"),
         {"type": "container_t"}, {"type": "spc_t"}, f"{ROOT}.seLinuxOptions.type"),
    leaf("proc-mount", "Deployment", (*SECURITY, "procMount"), "Default", "Unmasked"),
    leaf("sysctls", "Deployment", (*POD, "securityContext", "sysctls"),
         [{"name": "net.ipv4.tcp_syncookies", "value": "1"}],
         [{"name": "kernel.msgmax", "value": "1"}],
         f"{SPEC}.securityContext.sysctls[kernel.msgmax].name"),
    leaf("privilege-escalation", "Deployment", (*SECURITY, "allowPrivilegeEscalation"),
         False, True),
    leaf("run-as-non-root", "Deployment", (*SECURITY, "runAsNonRoot"), None, False),
    leaf("run-as-user", "Deployment", (*SECURITY, "runAsUser"), 1, 0),
    leaf("seccomp", "Deployment", (*POD, "securityContext", "seccompProfile"),
         {"type": "Localhost"}, GONE, f"{ROOT}.seccompProfile.type"),
    leaf("read-only-root", "Deployment", (*SECURITY, "readOnlyRootFilesystem"), True, False),
    # The same fields of the pod, and of init containers.
    *(
        leaf(rule, "Deployment", (*POD, *field), good, bad)
        for rule, field, good, bad in (
            ("host-process", ("securityContext", "windowsOptions", "hostProcess"), False, True),
            ("host-namespaces", ("hostIPC",), False, True),
            ("apparmor", ("securityContext", "appArmorProfile", "type"), "Localhost", "Unconfined"),
            ("selinux", ("securityContext", "seLinuxOptions", "type"), "", "spc_t"),
            ("selinux", ("securityContext", "seLinuxOptions", "user"), "", "system_u"),
            ("selinux", ("securityContext", "seLinuxOptions", "role"), "", "system_r"),
            ("run-as-non-root", ("securityContext", "runAsNonRoot"), True, False),
            ("run-as-user", ("securityContext", "runAsUser"), 1, 0),
            ("seccomp", ("securityContext", "seccompProfile", "type"), "Localhost", "Unconfined"),
        )
    ),
    leaf("privileged", "Deployment", (*POD, "initContainers"),
         [SAFE], [SAFE | {"securityContext": {"privileged": True}}],
         f"{SPEC}.initContainers[scheduler].securityContext.privileged"),
    leaf("probe-hosts", "Deployment", (*FIRST, "lifecycle", "preStop"),
         {"httpGet": {"port": 1}}, {"httpGet": {"port": 1, "host": "10.0.0.1"}},
         f"{SPEC}.containers[scheduler].lifecycle.preStop.httpGet.host"),
    leaf("namespace-enforces", "Namespace",
         ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "restricted", "baseline",
         'metadata.labels["pod-security.kubernetes.io/enforce"]'),
    leaf("requests-and-limits", "Deployment", (*FIRST, "resources", "limits", "memory"),
         "1Gi", GONE),
    leaf("probes", "Deployment", (*FIRST, "startupProbe"), probe(2), GONE),
    # Readiness gives up after 3 failures, 10 s apart.
    *(
        leaf("liveness-is-not-readiness", "Deployment", (*FIRST, "livenessProbe"),
             patient, strict, f"{SPEC}.containers[scheduler].livenessProbe{at}")
        for patient, strict, at in (
            (probe(20), probe(10), ""),
            (probe(10) | {"failureThreshold": 6}, probe(11), ""),
            (command(20), command(5), ""),
            (command(10) | {"failureThreshold": 6}, command(10), ""),
            (command(60) | {"timeoutSeconds": 1}, probe(60) | {"timeoutSeconds": 1},
             ".timeoutSeconds"),
        )
    ),
    leaf("image-digest", "Deployment", (*FIRST, "image"), f"a:1{DIGEST}", "a:1"),
    leaf("no-secret-in-environment", "Deployment", (*FIRST, "env"),
         [env("A_PASSWORD", "$(PASSWORD)")], [env("A_PASSWORD", "hunter2")],
         f"{SPEC}.containers[scheduler].env[A_PASSWORD].value"),
    leaf("no-secret-in-arguments", "Deployment", (*FIRST, "args"),
         ["--password", "$(PASSWORD)"], ["--password", "hunter2"]),
    leaf("no-secret-in-config-map", "ConfigMap", ("data", "AIRFLOW__SMTP__SMTP_PASSWORD"),
         "", "hunter2"),
    leaf("no-default-secret", "Secret", ("stringData", "password"), "[generated]", "airflow"),
    leaf("protected-data", "PersistentVolumeClaim", ("metadata", "labels", PROTECTED),
         "true", GONE, f'metadata.labels["{PROTECTED}"]'),
    Example("no-loss-of-data", changed(CLAIM, "200Gi"),
            changed(("spec", "storageClassName"), "fast"), "spec.storageClassName"),
    Example("no-loss-of-data", changed(("metadata", "labels"), {PROTECTED: "true"}),
            changed(None), ""),
    leaf("rbac-verbs", "Role", ("rules", 0, "verbs"), ["get", "watch"], ["*"], "rules[0]"),
    leaf("rbac-verbs", "Role", ("rules", 0, "resources"), ["pods"], ["secrets"], "rules[0]"),
    leaf("rbac-verbs", "Role", ("rules", 0, "apiGroups"), [""], ["*"], "rules[0]"),
    leaf("rbac-verbs", "Role", ("metadata", "labels", "app.kubernetes.io/component"),
         "scheduler", "api-server", "rules[0]"),
    leaf("bound-to-accounts", "RoleBinding", ("subjects",),
         [{"kind": "ServiceAccount", "name": "airflow-scheduler", "namespace": "airflow"}],
         [{"kind": "Group", "name": "everybody"}], "subjects[everybody].kind"),
    leaf("own-account", "Deployment", (*POD, "serviceAccountName"), "airflow-scheduler", GONE),
    leaf("no-idle-token", "RoleBinding", ("subjects",),
         [{"kind": "ServiceAccount", "name": "airflow-scheduler", "namespace": "airflow"}], [],
         f"{SPEC}.automountServiceAccountToken"),
    leaf("reference-exists", "Deployment", (*FIRST, "envFrom"),
         [{"configMapRef": {"name": "none", "optional": True}}],
         [{"configMapRef": {"name": "none"}}],
         f"{SPEC}.containers[scheduler].envFrom[0].configMapRef"),
    leaf("reference-exists", "Secret", ("stringData",),
         dict.fromkeys(("username", "database", "password", "root-password"), ""), {"username": ""},
         f"{SPEC}.containers[scheduler].env[DATABASE_PASSWORD].valueFrom.secretKeyRef"),
    leaf("reference-exists", "Deployment", (*POD, "imagePullSecrets"),
         [{"name": "airflow-mysql"}], [{"name": "none"}], f"{SPEC}.imagePullSecrets[none]"),
    leaf("reference-exists", "HorizontalPodAutoscaler", ("spec", "scaleTargetRef", "name"),
         "airflow-scheduler", "worker", "spec.scaleTargetRef"),
    leaf("reference-exists", "RoleBinding", ("roleRef", "name"),
         "airflow-scheduler", "none", "roleRef"),
    leaf("selector-matches", "Service", ("spec", "selector"),
         {"app.kubernetes.io/component": "scheduler"}, {"app.kubernetes.io/component": "none"}),
    leaf("within-budget", "PersistentVolumeClaim", CLAIM, "512Mi", "999Gi", ""),
    Example("enough-connections", allowing(200), allowing(20), ""),
    Example("task-pod-schema", with_toleration({"key": "a"}), with_toleration({"kye": "a"}),
            'data["pod_template.yaml"].spec.tolerations[0]'),
    leaf("object-size", "ConfigMap", ("data", "A"), "x", "x" * 2**20, "data"),
    leaf("object-size", "ConfigMap", ("metadata", "annotations"), {}, {"a": "x" * 2**18}),
]  # fmt: skip
