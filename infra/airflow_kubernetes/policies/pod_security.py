"""Pod Security Standards, profile `restricted`, which includes `baseline`: a table of controls.

The namespace makes the API server enforce the standard; these rules report a violation before
anything is deployed, and name the field. Beyond the standard: read-only-root.
Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from collections.abc import Iterator
from functools import partial

from .rule import HARDENING, Finding, Subject, rule
from .workloads import UNSET, Allowed, field_rule, one_of, workloads

POD_SECURITY = "Pod Security Standards, restricted"
ENFORCE = "pod-security.kubernetes.io/enforce"
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
POD, CONTAINER = "securityContext", "containers[*].securityContext"
HANDLERS = (
    "livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop",
)  # fmt: skip
VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
)  # fmt: skip
SYSCTLS = (
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_syncookies",
)  # fmt: skip
SELINUX_TYPES = ("container_t", "container_init_t", "container_kvm_t", "container_engine_t")
PROFILES = ("RuntimeDefault", "Localhost")


def _both(field: str, allowed: Allowed) -> dict[str, Allowed]:
    """A field of the securityContext of pods and of containers."""
    return {f"{POD}.{field}": allowed, f"{CONTAINER}.{field}": allowed}


@rule(fix="remove the annotation, or set runtime/default or localhost/…", source=POD_SECURITY)
def apparmor_annotation(subject: Subject) -> Iterator[Finding]:
    """Up to Kubernetes 1.29 an annotation set the AppArmor profile; the standard includes it."""
    for workload in workloads(subject.objects):
        for key, value in (workload.metadata.get("annotations") or {}).items():
            allowed = value == "runtime/default" or value.startswith("localhost/")
            if key.startswith(APPARMOR) and not allowed:
                path = (*workload.path, "metadata", "annotations", key)
                yield Finding(workload.obj, path, f"is {value}")


@rule(fix=f"label the Namespace {ENFORCE}: restricted", source=POD_SECURITY)
def namespace_enforces(subject: Subject) -> Iterator[Finding]:
    """Only with this label does the API server refuse pods that are created by other means."""
    for obj in subject.of_kind("Namespace"):
        value = (obj["metadata"].get("labels") or {}).get(ENFORCE)
        if value != "restricted":
            yield Finding(obj, ("metadata", "labels", ENFORCE), f"is {value or 'not set'}")


control = partial(field_rule, source=POD_SECURITY)

# fmt: off
control("host-process", "A host process is not isolated from its Windows node at all.",
        "remove windowsOptions.hostProcess", _both("windowsOptions.hostProcess", UNSET))
control("host-namespaces", "In a node's namespace a pod sees others' traffic and processes.",
        "remove hostNetwork, hostPID and hostIPC",
        {"hostNetwork": UNSET, "hostPID": UNSET, "hostIPC": UNSET})
control("privileged", "A privileged container is root on its node.",
        "remove privileged", {f"{CONTAINER}.privileged": UNSET})
control("capabilities", "Capabilities are parts of root's power; no component needs any.",
        "set capabilities: {drop: [ALL]} and add nothing but NET_BIND_SERVICE",
        {f"{CONTAINER}.capabilities.drop": lambda names: "ALL" in (names or []),
         f"{CONTAINER}.capabilities.add": one_of(None, [], ["NET_BIND_SERVICE"])})
control("volume-types", "Other volumes, first of all hostPath, lead to the node's own files.",
        "use a claim, an emptyDir, a ConfigMap, a Secret or a projected volume",
        {"volumes[*].*": one_of("name", *VOLUMES)})
control("host-ports", "A port of the node bypasses the Service and everything that guards it.",
        "remove hostPort and use a Service", {"containers[*].ports[*].hostPort": UNSET})
control("probe-hosts", "A probe or hook with a host lets the kubelet call any address.",
        "remove host: without it, the kubelet calls the pod itself",
        {f"containers[*].{handler}.{action}.host": UNSET
         for handler in HANDLERS for action in ("httpGet", "tcpSocket")})
control("apparmor", "Another profile permits what the node's default profile forbids.",
        "remove appArmorProfile, or set RuntimeDefault or Localhost",
        _both("appArmorProfile.type", one_of(None, *PROFILES)))
control("selinux", "Another SELinux type, user or role removes the confinement of containers.",
        "remove user and role from seLinuxOptions; remove type, or set a container's type",
        _both("seLinuxOptions.type", one_of(None, "", *SELINUX_TYPES))
        | _both("seLinuxOptions.user", UNSET) | _both("seLinuxOptions.role", UNSET))
control("proc-mount", "An unmasked /proc shows and changes settings of the kernel.",
        "remove procMount", {f"{CONTAINER}.procMount": one_of(None, "Default")})
control("sysctls", "A sysctl without a namespace changes the node for every pod on it.",
        "remove the sysctl, or set it on the node",
        {f"{POD}.sysctls[*].name": one_of(*SYSCTLS)})
control("privilege-escalation", "A set-user-id program could make a process root.",
        "set allowPrivilegeEscalation: false",
        {f"{CONTAINER}.allowPrivilegeEscalation": one_of(False)})
control("run-as-non-root", "Only with it does the kubelet refuse an image that runs as root.",
        "set runAsNonRoot: true on the pod", inherited=True, fields={
            f"{POD}.runAsNonRoot": one_of(None, True),
            f"{CONTAINER}.runAsNonRoot": one_of(True)})
control("run-as-user", "Root in a container is root on the node as soon as it breaks out.",
        "set runAsUser to a number above 0, on the pod",
        _both("runAsUser", lambda uid: uid != 0))
control("seccomp", "Without a profile a container reaches every system call of the kernel.",
        "set seccompProfile: {type: RuntimeDefault} on the pod", inherited=True, fields={
            f"{POD}.seccompProfile.type": one_of(None, *PROFILES),
            f"{CONTAINER}.seccompProfile.type": one_of(*PROFILES)})
field_rule("read-only-root", "An intruder can neither change the program nor leave one behind.",
           "set readOnlyRootFilesystem: true, and mount an emptyDir where it writes",
           {f"{CONTAINER}.readOnlyRootFilesystem": one_of(True)}, source=HARDENING)
# fmt: on
