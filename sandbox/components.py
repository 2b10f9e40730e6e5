"""The processes of the sandbox: what is run, with which arguments, and how to see that it is well.

They start in the order of these functions: what builds and stores images and data, then the API
server, then all that needs it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from . import api, certificates, health, paths, toolchain
from .configuration import file
from .processes import Process

_LOOPBACK = "127.0.0.1"
_ETCD = paths.RUN / "etcd.sock"


def foundation() -> list[Process]:
    """What needs nothing but files."""
    return [
        Process(
            "registry",
            (toolchain.program("registry", "registry"), "serve", file("registry.yaml")),
            health.url(f"https://{paths.REGISTRY_HOST}/v2/"),
        ),
        Process(
            "buildkitd",
            (toolchain.program("buildkit", "buildkitd"), "--config", file("buildkitd.toml")),
            health.unix_socket(paths.BUILDKIT_SOCKET),
        ),
        Process("etcd", _etcd(), health.unix_socket(_ETCD, "/health")),
        Process(
            "containerd",
            (toolchain.program("containerd", "containerd"), "--config", file("containerd.toml")),
            health.unix_socket(paths.CONTAINERD_SOCKET),
        ),
    ]


def api_server() -> Process:
    """The API server, which needs etcd."""
    crt, key = certificates.certificate, certificates.key
    client = "kube-apiserver-kubelet-client"
    flags = {
        # The bridge's address: pods reach it there, and network.py keeps other machines out.
        "bind-address": paths.BRIDGE_ADDRESS,
        "advertise-address": paths.BRIDGE_ADDRESS,
        "secure-port": paths.API_PORT,
        "etcd-servers": f"unix://{_ETCD}",
        "tls-cert-file": crt("kube-apiserver"),
        "tls-private-key-file": key("kube-apiserver"),
        "client-ca-file": paths.CA,
        "kubelet-certificate-authority": paths.CA,
        "kubelet-client-certificate": crt(client),
        "kubelet-client-key": key(client),
        "kubelet-preferred-address-types": "InternalIP",
        # Aggregation: requests for APIs that servers in pods have, such as metrics. The authority
        # is that of clients too, so only the one name may say whose request it passes on.
        "requestheader-client-ca-file": paths.CA,
        "requestheader-allowed-names": certificates.FRONT_PROXY,
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": crt(certificates.FRONT_PROXY),
        "proxy-client-key-file": key(certificates.FRONT_PROXY),
        "service-account-issuer": f"https://kubernetes.default.svc.{paths.CLUSTER_DOMAIN}",
        "service-account-signing-key-file": key("service-account"),
        "service-account-key-file": certificates.SERVICE_ACCOUNT_PUBLIC_KEY,
        "service-cluster-ip-range": paths.SERVICE_NETWORK,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "profiling": "false",
    }
    return Process("kube-apiserver", _kubernetes("kube-apiserver", flags), api.check_ready)


def cluster() -> list[Process]:
    """What needs the API server and its bootstrap roles, and for the kubelet the pause image."""
    manager = {
        "kubeconfig": file("kube-controller-manager.kubeconfig"),
        "bind-address": _LOOPBACK,
        "use-service-account-credentials": "true",
        "service-account-private-key-file": certificates.key("service-account"),
        "root-ca-file": paths.CA,
        "leader-elect": "false",
        "kube-api-qps": "200",
        "kube-api-burst": "400",
        # Retries of volume binding, which otherwise wait up to 15 s.
        "pvclaimbinder-sync-period": "2s",
        "profiling": "false",
    }
    scheduler = {"config": file("kube-scheduler.yaml"), "bind-address": _LOOPBACK}
    kubelet = {
        "config": file("kubelet.yaml"),
        "kubeconfig": file("node.kubeconfig"),
        "hostname-override": paths.NAME,
        "node-ip": paths.BRIDGE_ADDRESS,
        "root-dir": paths.KUBELET,
        "cert-dir": paths.CERTIFICATES,
    }
    proxy = {"config": file("kube-proxy.yaml")}
    return [
        Process(
            "kube-controller-manager",
            _kubernetes("kube-controller-manager", manager),
            health.url("https://127.0.0.1:10257/healthz"),
        ),
        Process(
            "kube-scheduler",
            _kubernetes("kube-scheduler", scheduler),
            health.url("https://127.0.0.1:10259/healthz"),
        ),
        Process(
            "kube-proxy",
            _kubernetes("kube-proxy", proxy),
            health.url("http://127.0.0.1:10256/healthz"),
        ),
        Process(
            "kubelet",
            _kubernetes("kubelet", kubelet),
            health.url("http://127.0.0.1:10248/healthz"),
        ),
        Process(
            "coredns",
            (toolchain.program("coredns", "coredns"), "-conf", file("Corefile")),
            health.url("http://127.0.0.1:10254/health"),
        ),
    ]


def every() -> list[Process]:
    """All of them."""
    return [*foundation(), api_server(), *cluster()]


@dataclass(frozen=True)
class Port:
    """A TCP port that must be free on an address, and whose it is."""

    number: int
    address: str
    owner: str


PORTS = (
    Port(5000, paths.BRIDGE_ADDRESS, "registry"),
    Port(53, paths.BRIDGE_ADDRESS, "coredns"),
    Port(paths.API_PORT, paths.BRIDGE_ADDRESS, "kube-apiserver"),
    Port(10250, paths.BRIDGE_ADDRESS, "kubelet"),
    Port(10248, _LOOPBACK, "kubelet"),
    Port(10249, _LOOPBACK, "kube-proxy"),
    Port(10254, _LOOPBACK, "coredns"),
    Port(10256, _LOOPBACK, "kube-proxy"),
    Port(10257, _LOOPBACK, "kube-controller-manager"),
    Port(10259, _LOOPBACK, "kube-scheduler"),
)


def environment() -> dict[str, str]:
    """Environment of all processes: this process's, the toolchain and the sandbox's authority."""
    return os.environ | {"PATH": search_path(), "SSL_CERT_FILE": str(paths.CA_BUNDLE)} | no_proxy()


def search_path() -> str:
    """A PATH with the toolchain's directories first."""
    tools = [str(toolchain.bin_directory(family)) for family in toolchain.FAMILIES]
    inherited = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([*tools, *(entry for entry in inherited if entry not in tools)])


def no_proxy() -> dict[str, str]:
    """Exceptions for the sandbox's addresses, if any proxy is set."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    if not any(os.environ.get(name) or os.environ.get(name.lower()) for name in proxies):
        return {}
    exceptions = os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",")
    wanted = ["localhost", "127.0.0.1", paths.POD_NETWORK, paths.SERVICE_NETWORK]
    value = ",".join(dict.fromkeys(entry for entry in [*exceptions, *wanted] if entry))
    return {"NO_PROXY": value, "no_proxy": value}


def _etcd() -> tuple[str, ...]:
    # Sockets, because etcd's users control the cluster; only root can open these. fsync
    # stays on: it takes a few milliseconds, and a machine that is switched off without it could
    # lose the Secrets whose passwords the kept volumes need.
    flags = {
        "name": paths.NAME,
        "data-dir": paths.ETCD,
        "listen-client-urls": f"unix://{_ETCD}",
        "listen-peer-urls": "unix://etcd-peer.sock",
        # Nobody listens on these two addresses; etcd demands that they look like one.
        "advertise-client-urls": "http://127.0.0.1:2379",
        "initial-advertise-peer-urls": "http://127.0.0.1:2380",
        "initial-cluster": f"{paths.NAME}=http://127.0.0.1:2380",
        "auto-compaction-retention": "1h",
        "log-level": "warn",
    }
    return (toolchain.program("etcd", "etcd"), *_flags(flags))


def _kubernetes(name: str, flags: Mapping[str, object]) -> tuple[str, ...]:
    return (toolchain.program("kubernetes", name), *_flags(flags))


def _flags(flags: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
