"""The sandbox's certificate authority and the certificates of its parts, made once.

Who a part is for Kubernetes is written in its certificate: the common name is the user, the
organisation the group (kubernetes.io, "PKI certificates and requirements").
"""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import commands, paths

_TEN_YEARS = "3650"


@dataclass(frozen=True)
class _Certificate:
    """Subject, and for servers the subject alternative names."""

    subject: str
    names: tuple[str, ...] = ()


FRONT_PROXY = "front-proxy-client"
"""The name of the API server for the servers to which it passes requests on."""

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
    # The API server, towards servers that extend it (KEDA, metrics-server).
    "front-proxy-client": _Certificate(f"/CN={FRONT_PROXY}"),
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
    """Makes what is missing or specified differently now; the authority is kept, and so the trust.

    Raises:
        SandboxError: openssl is missing or failed.
    """
    paths.CERTIFICATES.mkdir(parents=True, exist_ok=True)
    paths.CERTIFICATES.chmod(0o700)
    if not paths.CA.exists():
        authority = ["basicConstraints=critical,CA:TRUE"]
        _request(paths.CERTIFICATES / "ca", "/CN=airflow-sandbox CA", authority)
    for name, spec in _CERTIFICATES.items():
        made_from = certificate(name).with_suffix(".spec")
        made = made_from.read_text() if made_from.exists() and certificate(name).exists() else ""
        if made != repr(spec):
            issue(paths.CERTIFICATES / name, spec.subject, spec.names)
            made_from.write_text(repr(spec))
    if not SERVICE_ACCOUNT_PUBLIC_KEY.exists():
        private = str(key("service-account"))
        _openssl(["genpkey", *_CURVE, "-out", private])
        _openssl(["pkey", "-in", private, "-pubout", "-out", str(SERVICE_ACCOUNT_PUBLIC_KEY)])
    _write_bundle()


def issue(stem: Path, subject: str, names: Sequence[str] = ()) -> None:
    """Writes <stem>.crt and <stem>.key, signed by the sandbox's authority; `names` as in the table.

    Raises:
        SandboxError: openssl is missing or failed.
    """
    # Parts verify each other: most of these certificates serve only one direction, and naming
    # both keeps the table free of a column that nothing here depends on.
    extensions = ["extendedKeyUsage=serverAuth,clientAuth"]
    if names:
        extensions.append(f"subjectAltName={','.join(names)}")
    _request(stem, subject, extensions, ["-CA", str(paths.CA), "-CAkey", str(key("ca"))])


def digest() -> str:
    """A digest of all certificates, of which the configuration files only hold the paths."""
    return hashlib.sha256(b"".join(certificate(n).read_bytes() for n in _CERTIFICATES)).hexdigest()


# Elliptic curve keys are made in milliseconds.
_CURVE = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


def _request(stem: Path, subject: str, extensions: list[str], signer: Sequence[str] = ()) -> None:
    private = f"{stem}.key"
    _openssl(["genpkey", *_CURVE, "-out", private])
    # Without a configuration of its own, openssl adds its default one's CA:TRUE to everything.
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as configuration:
        configuration.write("[req]\ndistinguished_name=subject\n[subject]\n")
        configuration.flush()
        arguments = ["req", "-x509", "-config", configuration.name, "-key", private]
        arguments += ["-subj", subject, "-days", _TEN_YEARS, *signer]
        for extension in extensions:
            arguments += ["-addext", extension]
        unfinished = Path(f"{stem}.new")
        _openssl([*arguments, "-out", str(unfinished)])
        unfinished.rename(f"{stem}.crt")


def _openssl(arguments: list[str]) -> None:
    remedy = f"install OpenSSL 3, and see that {paths.CERTIFICATES} can be written to"
    commands.capture(["openssl", *arguments], remedy, umask=0o077)


def _write_bundle() -> None:
    """The machine's authorities plus the sandbox's, for programs that read only one file."""
    machine = _machine_bundle()
    authorities = machine.read_text().rstrip() if machine.exists() else ""
    text = f"{authorities}\n{paths.CA.read_text()}"
    if not paths.CA_BUNDLE.exists() or paths.CA_BUNDLE.read_text() != text:
        paths.CA_BUNDLE.write_text(text)


def _machine_bundle() -> Path:
    """SSL_CERT_FILE, but in a shell with the sandbox's variables what it was before them."""
    given = os.environ.get("SSL_CERT_FILE", "")
    remembered = paths.CERTIFICATES / "machine-bundle"
    if given and Path(given).resolve() == paths.CA_BUNDLE:
        given = remembered.read_text() if remembered.exists() else ""
    else:
        remembered.write_text(given)
    default = ssl.get_default_verify_paths().openssl_cafile
    debian = "/etc/ssl/certs/ca-certificates.crt"
    found = (Path(path) for path in (given, default) if path and Path(path).exists())
    return next(found, Path(debian))
