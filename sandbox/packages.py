"""Debian packages that the sandbox needs besides its own toolchain."""

from __future__ import annotations

import os
import shutil
import subprocess

from .errors import SandboxError
from .progress import Progress

# A command that shows that the package is there, and the package.
_PACKAGES = {
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "sysctl": "procps",
    "openssl": "openssl",
    "mmdebstrap": "mmdebstrap",
}


def ensure(progress: Progress) -> None:
    """Installs what is missing.

    Raises:
        SandboxError: apt-get is missing or failed.
    """
    missing = sorted(name for command, name in _PACKAGES.items() if not shutil.which(command))
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None:
        raise SandboxError(
            f"missing programs, and there is no apt-get to install them. "
            f"Remedy: install what your distribution calls these Debian packages: {names}"
        )
    progress(f"installing Debian packages: {names}")
    install = ["install", "--yes", "--no-install-recommends", *missing]
    if _apt_get(install).returncode:
        progress("apt-get could not install them, refreshing its package lists first")
        _apt_get(["update"])
        result = _apt_get(install)
        if result.returncode:
            raise SandboxError(
                f"apt-get could not install {names}:\n{result.stdout[-2000:]}\n"
                f"Remedy: make `apt-get install {names}` work, then run it again"
            )


def _apt_get(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["apt-get", "--quiet", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
