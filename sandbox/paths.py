"""Names, addresses and directories that every other part of the project may rely on."""

from __future__ import annotations

import os
from pathlib import Path


def _xdg(variable: str, fallback: str) -> Path:
    """Our part of a base directory of the XDG specification, which ignores relative values.

    Free of symbolic links, because the kernel's table of mounts is.
    """
    value = os.environ.get(variable, "")
    base = Path(value) if value.startswith("/") else Path.home() / fallback
    return (base / "airflow-kubernetes").resolve()


NAME = "airflow-sandbox"
"""Name of the context, the cluster, the node, the buildx builder and the network bridge (an
interface name may have 15 characters, and this has 15)."""

SOURCE = Path(__file__).resolve().parent

# What can be made again lives in the cache, what cannot in the state, sockets and pid files in
# /run, which a machine restart empties.
CACHE = _xdg("XDG_CACHE_HOME", ".cache")
TOOLCHAIN = CACHE / "toolchain"
STATE = _xdg("XDG_STATE_HOME", ".local/state") / "sandbox"
RUN = Path("/run") / NAME

CERTIFICATES = STATE / "certificates"
CONFIGURATION = STATE / "configuration"
LOGS = STATE / "logs"
VOLUMES = STATE / "volumes"
ETCD = STATE / "etcd"
REGISTRY = STATE / "registry"
BUILDKIT = STATE / "buildkit"
BUILDX = STATE / "buildx"
CONTAINERD = STATE / "containerd"
KUBELET = STATE / "kubelet"

PULUMI = STATE / "pulumi"
KUBECONFIG = STATE / "kubeconfig"
CA = CERTIFICATES / "ca.crt"
CA_BUNDLE = STATE / "ca-bundle.crt"
"""The machine's certificate authorities plus the sandbox's."""

CONTAINERD_SOCKET = RUN / "containerd.sock"
BUILDKIT_SOCKET = RUN / "buildkitd.sock"

BRIDGE = NAME
BRIDGE_ADDRESS = "10.244.0.1"

REGISTRY_HOST = f"{BRIDGE_ADDRESS}:5000"
"""Not a loopback name: for those buildx and the docker-build provider assume plain HTTP,
whatever the options of the builder."""
PAUSE_IMAGE = f"{REGISTRY_HOST}/stand-in/pause:1"

POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
"""First address of the service network: the `kubernetes` Service."""
CLUSTER_DOMAIN = "cluster.local"
API_PORT = 6443
API_SERVER = f"https://{BRIDGE_ADDRESS}:{API_PORT}"

STORAGE_CLASS = "sandbox-local"
CGROUP = NAME
"""Parent of every cgroup that the sandbox makes, in each hierarchy."""
