"""Pod Security `restricted`, one rule a control; the baseline's controls are part of it.

The API server has the last word, for the namespace enforces the standard; here it is said before
anything is deployed, and where.
Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator
from typing import Any

from ..comparison.leaves import Path
from .rule import HARDENING, POD_SECURITY, Finding, Subject, rule
from .workloads import Container, Workload, containers, workloads

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_syncookies",
}  # fmt: skip
SELINUX_TYPES = {
    None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t",
}  # fmt: skip
PROFILES = ("RuntimeDefault", "Localhost")
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def _contexts(subject: Subject) -> Iterator[tuple[Workload | Container, dict[str, Any]]]:
    """Every securityContext, of pods and of containers."""
    for workload in workloads(subject.objects):
        yield workload, workload.security
        for container in workload.containers():
            yield container, container.security


def _effective(container: Container, key: str) -> Any:
    """What holds for a container: its own setting goes before its pod's."""
    own = container.security.get(key)
    return container.workload.security.get(key) if own is None else own


@rule(fix="leave windowsOptions.hostProcess out", source=POD_SECURITY)
def host_process(subject: Subject) -> Iterator[Finding]:
    """A host process is not isolated from its Windows node at all."""
    for place, context in _contexts(subject):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            path = ("securityContext", "windowsOptions", "hostProcess")
            yield place.finding("is a host process", *path)


@rule(fix="leave hostNetwork, hostPID and hostIPC out", source=POD_SECURITY)
def host_namespaces(subject: Subject) -> Iterator[Finding]:
    """In a namespace of its node a pod sees the traffic or the processes of others."""
    for workload in workloads(subject.objects):
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if workload.pod.get(key):
                yield workload.finding("shares a namespace of the node", key)


@rule(fix="leave privileged out", source=POD_SECURITY)
def privileged(subject: Subject) -> Iterator[Finding]:
    """A privileged container is root on its node."""
    for container in containers(subject.objects):
        if container.security.get("privileged"):
            yield container.finding("is privileged", "securityContext", "privileged")


@rule(
    fix="set capabilities: {drop: [ALL]} and add nothing but NET_BIND_SERVICE", source=POD_SECURITY
)
def capabilities(subject: Subject) -> Iterator[Finding]:
    """Capabilities are parts of root's power; nothing here needs one."""
    for container in containers(subject.objects):
        wanted = container.security.get("capabilities") or {}
        path = ("securityContext", "capabilities")
        if "ALL" not in (wanted.get("drop") or []):
            yield container.finding("does not drop ALL", *path, "drop")
        for name in wanted.get("add") or []:
            if name != "NET_BIND_SERVICE":
                yield container.finding(f"adds {name}", *path, "add")


@rule(
    fix="take a claim, an emptyDir, a ConfigMap, a Secret or a projected volume",
    source=POD_SECURITY,
)
def volume_types(subject: Subject) -> Iterator[Finding]:
    """Other volumes, first of all hostPath, lead to the node's own files."""
    for workload in workloads(subject.objects):
        for volume in workload.pod.get("volumes") or []:
            for kind in sorted(set(volume) - {"name"} - VOLUMES):
                path = ("volumes", f"[{volume['name']}]", kind)
                yield workload.finding(f"is a {kind}", *path)


@rule(fix="leave hostPort out and take a Service", source=POD_SECURITY)
def host_ports(subject: Subject) -> Iterator[Finding]:
    """A port of the node goes around the Service and whatever guards it."""
    for container in containers(subject.objects):
        for port in container.spec.get("ports") or []:
            if port.get("hostPort"):
                name = f"[{port.get('name', port['containerPort'])}]"
                yield container.finding("opens a port of the node", "ports", name, "hostPort")


@rule(fix="leave host out: the kubelet asks the pod itself", source=POD_SECURITY)
def probe_hosts(subject: Subject) -> Iterator[Finding]:
    """A probe or hook with a host makes the kubelet send requests to any address."""
    for container in containers(subject.objects):
        hooks = container.spec.get("lifecycle") or {}
        actions: dict[Path, Any] = {(key,): container.spec.get(key) or {} for key in PROBES}
        actions |= {("lifecycle", key): hook or {} for key, hook in hooks.items()}
        for path, action in actions.items():
            for kind in ("httpGet", "tcpSocket"):
                if (action.get(kind) or {}).get("host"):
                    yield container.finding("names a host", *path, kind, "host")


@rule(fix="leave appArmorProfile out, or set RuntimeDefault or Localhost", source=POD_SECURITY)
def apparmor(subject: Subject) -> Iterator[Finding]:
    """Without its profile a container may do what the distribution's default forbids."""
    for place, context in _contexts(subject):
        kind = (context.get("appArmorProfile") or {}).get("type")
        if kind not in (None, *PROFILES):
            yield place.finding(f"is {kind}", "securityContext", "appArmorProfile", "type")
    for workload in workloads(subject.objects):
        for key, value in (workload.metadata.get("annotations") or {}).items():
            allowed = value == "runtime/default" or value.startswith("localhost/")
            if key.startswith(APPARMOR) and not allowed:
                path = (*workload.path, "metadata", "annotations", key)
                yield Finding(workload.obj, path, f"is {value}")


@rule(
    fix="leave seLinuxOptions' user and role out, and type too, or take a container's type",
    source=POD_SECURITY,
)
def selinux(subject: Subject) -> Iterator[Finding]:
    """Another SELinux type, user or role takes the node's confinement of containers away."""
    for place, context in _contexts(subject):
        options = context.get("seLinuxOptions") or {}
        path = ("securityContext", "seLinuxOptions")
        if options.get("type") not in SELINUX_TYPES:
            yield place.finding(f"is {options['type']}", *path, "type")
        for key in ("user", "role"):
            if options.get(key):
                yield place.finding("is set", *path, key)


@rule(fix="leave procMount out", source=POD_SECURITY)
def proc_mount(subject: Subject) -> Iterator[Finding]:
    """An unmasked /proc shows and changes settings of the kernel."""
    for container in containers(subject.objects):
        if container.security.get("procMount") not in (None, "Default"):
            yield container.finding("is not Default", "securityContext", "procMount")


@rule(fix="leave the sysctl out, or set it on the node", source=POD_SECURITY)
def sysctls(subject: Subject) -> Iterator[Finding]:
    """A sysctl that has no namespace of its own changes the node for every pod on it."""
    for workload in workloads(subject.objects):
        for one in workload.security.get("sysctls") or []:
            if one["name"] not in SYSCTLS:
                path = ("securityContext", "sysctls", f"[{one['name']}]")
                yield workload.finding("is not among the safe ones", *path)


@rule(fix="set allowPrivilegeEscalation: false", source=POD_SECURITY)
def privilege_escalation(subject: Subject) -> Iterator[Finding]:
    """Otherwise a set-user-id program in the image makes a process root."""
    for container in containers(subject.objects):
        if container.security.get("allowPrivilegeEscalation") is not False:
            path = ("securityContext", "allowPrivilegeEscalation")
            yield container.finding("is not false", *path)


@rule(fix="set runAsNonRoot: true on the pod", source=POD_SECURITY)
def run_as_non_root(subject: Subject) -> Iterator[Finding]:
    """The kubelet refuses an image that would run as root only where it is told to."""
    for container in containers(subject.objects):
        if _effective(container, "runAsNonRoot") is not True:
            yield container.finding("is not true", "securityContext", "runAsNonRoot")


@rule(fix="set runAsUser to a number above 0, on the pod", source=POD_SECURITY)
def run_as_user(subject: Subject) -> Iterator[Finding]:
    """Root in a container is root on the node as soon as it breaks out."""
    for place, context in _contexts(subject):
        if context.get("runAsUser") == 0:
            yield place.finding("is 0", "securityContext", "runAsUser")


@rule(fix="set seccompProfile: {type: RuntimeDefault} on the pod", source=POD_SECURITY)
def seccomp(subject: Subject) -> Iterator[Finding]:
    """Without a profile a container reaches every system call of its node's kernel."""
    for container in containers(subject.objects):
        kind = (_effective(container, "seccompProfile") or {}).get("type")
        if kind not in PROFILES:
            path = ("securityContext", "seccompProfile", "type")
            yield container.finding(f"is {kind or 'not set'}", *path)


@rule(
    fix="set readOnlyRootFilesystem: true, and mount an emptyDir where it writes", source=HARDENING
)
def read_only_root(subject: Subject) -> Iterator[Finding]:
    """Who breaks in can neither change the program nor leave one behind."""
    for container in containers(subject.objects):
        if container.security.get("readOnlyRootFilesystem") is not True:
            path = ("securityContext", "readOnlyRootFilesystem")
            yield container.finding("is not true", *path)


@rule(fix="label the Namespace pod-security.kubernetes.io/enforce: restricted", source=POD_SECURITY)
def namespace_enforces(subject: Subject) -> Iterator[Finding]:
    """The API server refuses other people's pods too, where the Namespace asks it to."""
    key = "pod-security.kubernetes.io/enforce"
    for obj in subject.objects:
        if obj["kind"] == "Namespace":
            value = (obj["metadata"].get("labels") or {}).get(key)
            if value != "restricted":
                path = ("metadata", "labels", key)
                yield Finding(obj, path, f"is {value or 'not set'}")


RULES = (
    host_process, host_namespaces, privileged, capabilities, volume_types, host_ports, probe_hosts,
    apparmor, selinux, proc_mount, sysctls, privilege_escalation, run_as_non_root, run_as_user,
    seccomp, read_only_root, namespace_enforces,
)  # fmt: skip
