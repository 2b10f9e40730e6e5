"""Writes the configuration files of the sandbox's processes."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from . import certificates, paths, toolchain

_CLIENTS = ("node", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns")

CONTAINERD_SERVICE = paths.RUN / "containerd"


def file(name: str) -> str:
    """Absolute path of a configuration file."""
    return str(paths.CONFIGURATION / name)


def digest() -> str:
    """A digest of all files as they would be written now, and of the certificates."""
    return hashlib.sha256(repr((_files(), certificates.digest())).encode()).hexdigest()


def write() -> None:
    """Writes the files that are new or changed."""
    for name, text in _files().items():
        _write(paths.CONFIGURATION / name, text)
    _write(paths.KUBECONFIG, _yaml(_kubeconfig("admin")))


def _files() -> dict[str, str]:
    return {
        "registry.yaml": _yaml(_registry()),
        "buildkitd.toml": _buildkitd(),
        "containerd.toml": _containerd(),
        f"hosts/{paths.REGISTRY_HOST}/hosts.toml": _hosts(),
        "cni/10-sandbox.conflist": json.dumps(_cni(), indent=2),
        "kubelet.yaml": _yaml(_kubelet()),
        "kube-proxy.yaml": _yaml(_kube_proxy()),
        "kube-scheduler.yaml": _yaml(_kube_scheduler()),
        "Corefile": _corefile(),
        # Pods that request the node's resolver get the cluster's.
        "resolv.conf": f"nameserver {paths.BRIDGE_ADDRESS}\n",
        **{f"{part}.kubeconfig": _yaml(_kubeconfig(part)) for part in _CLIENTS},
    }


def _write(path: Path, text: str) -> None:
    # kube-proxy ends itself when its file is written to, even with the same content.
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False)


def _kubeconfig(user: str) -> dict[str, Any]:
    def data(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": paths.NAME,
                "cluster": {
                    "server": paths.API_SERVER,
                    "certificate-authority-data": data(paths.CA),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": data(certificates.certificate(user)),
                    "client-key-data": data(certificates.key(user)),
                },
            }
        ],
        "contexts": [{"name": paths.NAME, "context": {"cluster": paths.NAME, "user": user}}],
        "current-context": paths.NAME,
    }


def _registry() -> dict[str, Any]:
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(paths.REGISTRY)},
            "delete": {"enabled": True},
        },
        "http": {
            # It asks nobody for a password: the bridge is for this machine and its pods only.
            "addr": paths.REGISTRY_HOST,
            "tls": {
                "certificate": str(certificates.certificate("registry")),
                "key": str(certificates.key("registry")),
            },
        },
    }


def _buildkitd() -> str:
    # RUN steps use the host's network: they fetch packages, and pods' network leads nowhere.
    return f"""\
root = "{paths.BUILDKIT}"

[grpc]
address = ["unix://{paths.BUILDKIT_SOCKET}"]

[otel]
socketPath = "{paths.RUN}/buildkit-otel.sock"

[cdi]
disabled = true

[worker.oci]
networkMode = "host"
defaultCgroupParent = "{paths.CGROUP}"
gc = true
reservedSpace = "5GB"
maxUsedSpace = "12GB"
minFreeSpace = "8GB"

[worker.containerd]
enabled = false

[registry."{paths.REGISTRY_HOST}"]
ca = ["{paths.CA}"]
"""


def _containerd() -> str:
    cni = toolchain.bin_directory("cni")
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE a lower score cannot be set, and runc fails.
    return f"""\
version = 3
root = "{paths.CONTAINERD}"
state = "{CONTAINERD_SERVICE}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
address = "{paths.CONTAINERD_SOCKET}"

[ttrpc]
address = "{paths.CONTAINERD_SOCKET}.ttrpc"

[plugins."io.containerd.nri.v1.nri"]
disable = true

[plugins."io.containerd.shim.v1.manager"]
socket_dir = "{paths.RUN}/s"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{paths.PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "{paths.CONFIGURATION}/hosts"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{cni}"]
conf_dir = "{paths.CONFIGURATION}/cni"
use_internal_loopback = true

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = false
Root = "{paths.RUN}/runc"
"""


def _hosts() -> str:
    address = f"https://{paths.REGISTRY_HOST}"
    return f"""\
server = "{address}"

[host."{address}"]
capabilities = ["pull", "resolve"]
ca = "{paths.CA}"
"""


def _cni() -> dict[str, Any]:
    return {
        "cniVersion": "1.0.0",
        "name": paths.NAME,
        "plugins": [
            {
                "type": "bridge",
                "bridge": paths.BRIDGE,
                # A pod that reaches itself through a Service needs its packets sent back.
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": paths.POD_NETWORK, "gateway": paths.BRIDGE_ADDRESS}]],
                    "routes": [{"dst": "0.0.0.0/0", "gw": paths.BRIDGE_ADDRESS}],
                    "dataDir": str(paths.RUN / "addresses"),
                },
            }
        ],
    }


def _kubelet() -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": paths.BRIDGE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(paths.CA)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificates.certificate("kubelet")),
        "tlsPrivateKeyFile": str(certificates.key("kubelet")),
        "containerRuntimeEndpoint": f"unix://{paths.CONTAINERD_SOCKET}",
        "clusterDNS": [paths.BRIDGE_ADDRESS],
        "clusterDomain": paths.CLUSTER_DOMAIN,
        "resolvConf": file("resolv.conf"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{paths.CGROUP}",
        "failCgroupV1": False,
        "failSwapOn": False,
        # Lowering it takes CAP_SYS_RESOURCE, which containers and small machines may lack.
        "oomScoreAdj": 0,
        # One small machine of one user: no throttling, quick reactions.
        "syncFrequency": "10s",
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "serializeImagePulls": False,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "crashLoopBackOff": {"maxContainerRestartPeriod": "10s"},
        "maxPods": 200,
        # Development disks are rather full: neither evict pods nor delete images before the end.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def _kube_proxy() -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": file("kube-proxy.kubeconfig")},
        "hostnameOverride": paths.NAME,
        "clusterCIDR": paths.POD_NETWORK,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Node ports are for this machine only, nothing of the sandbox is offered to the network.
        "nodePortAddresses": ["127.0.0.0/8"],
        "iptables": {"localhostNodePorts": True, "minSyncPeriod": "0.1s"},
        "oomScoreAdj": 0,
        # The kernel's own limits stay: they are the machine's, not the sandbox's.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _kube_scheduler() -> dict[str, Any]:
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {
            "kubeconfig": file("kube-scheduler.kubeconfig"),
            "qps": 200,
            "burst": 400,
        },
        "leaderElection": {"leaderElect": False},
        "podMaxBackoffSeconds": 2,
    }


def _corefile() -> str:
    # Other names get a quick "does not exist" instead of a wait for a resolver that pods, whose
    # network ends at this machine, cannot use anyway.
    return f"""\
{paths.CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
    bind {paths.BRIDGE_ADDRESS}
    errors
    health 127.0.0.1:10254
    kubernetes {paths.CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {file("coredns.kubeconfig")} {paths.NAME}
        ttl 5
    }}
}}

. {{
    bind {paths.BRIDGE_ADDRESS}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
