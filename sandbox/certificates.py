"""The sandbox's certificate authority and the certificates of its parts, made once.

Who a part is for Kubernetes is written in its certificate: the common name is the user, the
organisation the group (kubernetes.io, "PKI certificates and requirements").
"""

from __future__ import annotations

import os
import ssl
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import paths

_TEN_YEARS = "3650"


@dataclass(frozen=True)
class _Certificate:
    """Subject, and for servers the subject alternative names."""

    subject: str
    names: tuple[str, ...] = ()


_LOOPBACK = ("DNS:localhost", "IP:127.0.0.1")
_BRIDGE = f"IP:{paths.BRIDGE_ADDRESS}"

_CERTIFICATES = {
    "registry": _Certificate("/CN=registry", (*_LOOPBACK, _BRIDGE)),
    "kube-apiserver": _Certificate(
        "/CN=kube-apiserver",
        (
            *_LOOPBACK,
            _BRIDGE,
            f"IP:{paths.SERVICE_ADDRESS}",
            "DNS:kubernetes",
            "DNS:kubernetes.default",
            "DNS:kubernetes.default.svc",
            f"DNS:kubernetes.default.svc.{paths.CLUSTER_DOMAIN}",
        ),
    ),
    "kubelet": _Certificate(f"/CN={paths.NAME}", (f"DNS:{paths.NAME}", _BRIDGE)),
    # As a member of system:masters the API server may read logs from the kubelet without a binding.
    "kube-apiserver-kubelet-client": _Certificate("/O=system:masters/CN=kube-apiserver"),
    "admin": _Certificate("/O=system:masters/CN=sandbox-admin"),
    "node": _Certificate(f"/O=system:nodes/CN=system:node:{paths.NAME}"),
    "kube-controller-manager": _Certificate("/CN=system:kube-controller-manager"),
    "kube-scheduler": _Certificate("/CN=system:kube-scheduler"),
    "kube-proxy": _Certificate("/CN=system:kube-proxy"),
    "coredns": _Certificate("/CN=system:coredns"),
}


def certificate(name: str) -> Path:
    """The PEM certificate of a part."""
    return paths.CERTIFICATES / f"{name}.crt"


def key(name: str) -> Path:
    """The PEM private key of a part."""
    return paths.CERTIFICATES / f"{name}.key"


SERVICE_ACCOUNT_PUBLIC_KEY = paths.CERTIFICATES / "service-account.pub"


def ensure() -> None:
    """Makes what is missing; what exists is kept, so that clients keep their trust."""
    paths.CERTIFICATES.mkdir(parents=True, exist_ok=True)
    paths.CERTIFICATES.chmod(0o700)
    if not paths.CA.exists():
        _request("ca", "/CN=airflow-sandbox CA", ["basicConstraints=critical,CA:TRUE"])
    for name, spec in _CERTIFICATES.items():
        if not certificate(name).exists():
            # Parts verify each other: most of these certificates serve only one direction, and
            # naming both keeps the table free of a column that nothing here depends on.
            extensions = ["extendedKeyUsage=serverAuth,clientAuth"]
            if spec.names:
                extensions.append(f"subjectAltName={','.join(spec.names)}")
            _request(name, spec.subject, extensions, ["-CA", str(paths.CA), "-CAkey", _ca_key()])
    if not SERVICE_ACCOUNT_PUBLIC_KEY.exists():
        private = str(key("service-account"))
        _openssl(["genpkey", *_CURVE, "-out", private])
        _openssl(["pkey", "-in", private, "-pubout", "-out", str(SERVICE_ACCOUNT_PUBLIC_KEY)])
    _write_bundle()


# Elliptic curve keys are made in milliseconds.
_CURVE = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


def _ca_key() -> str:
    return str(key("ca"))


def _request(name: str, subject: str, extensions: list[str], signer: Sequence[str] = ()) -> None:
    _openssl(["genpkey", *_CURVE, "-out", str(key(name))])
    # Without a configuration of its own, openssl adds its default one's CA:TRUE to everything.
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as configuration:
        configuration.write("[req]\ndistinguished_name=subject\n[subject]\n")
        configuration.flush()
        arguments = ["req", "-x509", "-config", configuration.name, "-key", str(key(name))]
        arguments += ["-subj", subject, "-days", _TEN_YEARS, *signer]
        for extension in extensions:
            arguments += ["-addext", extension]
        unfinished = certificate(name).with_suffix(".new")
        _openssl([*arguments, "-out", str(unfinished)])
        unfinished.rename(certificate(name))


def _openssl(arguments: list[str]) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, umask=0o077, text=True)


def _write_bundle() -> None:
    """The machine's authorities plus ours, for programs that read only one file."""
    machine = os.environ.get("SSL_CERT_FILE", "")
    if not machine or Path(machine) == paths.CA_BUNDLE:
        machine = ssl.get_default_verify_paths().openssl_cafile
        for candidate in (machine, "/etc/ssl/certs/ca-certificates.crt"):
            if Path(candidate).exists():
                machine = candidate
                break
    authorities = Path(machine).read_text() if Path(machine).exists() else ""
    text = f"{authorities.rstrip()}\n{paths.CA.read_text()}"
    if not paths.CA_BUNDLE.exists() or paths.CA_BUNDLE.read_text() != text:
        paths.CA_BUNDLE.write_text(text)
