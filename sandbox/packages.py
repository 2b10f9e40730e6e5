"""The machine's apt: Debian packages that the sandbox needs, and where stand-ins come from."""

from __future__ import annotations

import os
import re
import shutil

from . import commands
from .errors import SandboxError
from .progress import Progress

# A command that shows that the package is there, and the package.
_PACKAGES = {
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "modprobe": "kmod",
    "openssl": "openssl",
    "update-ca-certificates": "ca-certificates",
    "mmdebstrap": "mmdebstrap",
}

_REMEDY = "make `apt-get update` work; the sandbox runs on Debian only"


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
    try:
        _apt_get(install, progress)
    except SandboxError:
        progress("apt-get could not install them, refreshing its package lists first")
        _apt_get(["update"], progress)
        _apt_get(install, progress)


def ensure_lists(progress: Progress) -> None:
    """Fetches apt's package lists if there are none, as in Debian's own container images.

    Raises:
        SandboxError: apt-get is missing or failed.
    """
    if not _targets():
        progress("apt has no package lists, fetching them")
        _apt_get(["update"], progress)


def sources(suite: str) -> list[str]:
    """The machine's own Debian sources, for another suite, as lines of a sources.list.

    They also serve the builds that start from the image, so they are in no file of this project.

    Raises:
        SandboxError: apt has none, or none that works outside of this machine.
    """
    return _sources(_targets(), suite)


def date_options() -> list[str]:
    """What the machine's apt says about the age of indices holds for its mirror, so for us too."""
    options = ["Acquire::Check-Valid-Until", "Acquire::Check-Date"]
    return commands.capture(["apt-config", "dump", *options], _REMEDY).splitlines()


def _sources(targets: str, suite: str) -> list[str]:
    uris: dict[str, str] = {}
    for line in targets.splitlines():
        uri, _, label = line.partition("\t")
        uris.setdefault(label, uri)
    if "Debian" not in uris:
        raise SandboxError(
            f"apt knows no Debian mirror to make the stand-in base images from. Remedy: {_REMEDY}"
        )
    lines = []
    for label, name in (("Debian", suite), ("Debian-Security", f"{suite}-security")):
        if label not in uris or name == "sid-security":
            continue
        uri = uris[label]
        if not re.match(r"https?://", uri):
            raise SandboxError(
                f"apt's {label} source {uri} is of no use in the stand-in base images. Remedy: "
                f"write an http or https mirror into /etc/apt/sources.list, `apt-get update`"
            )
        lines.append(f"deb {uri} {name} main")
    return lines


def _targets() -> str:
    """URI and label of every package list that apt has; one a line, with a tab between them."""
    form = "$(REPO_URI)\t$(LABEL)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    return commands.capture(command, _REMEDY)


def _apt_get(arguments: list[str], progress: Progress) -> None:
    # Another apt at work, such as the machine's daily update, is waited for.
    command = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300", *arguments]
    commands.run(
        command,
        f"apt-get {arguments[0]}",
        progress,
        remedy=f"make `apt-get {' '.join(arguments)}` work, then run it again",
        environment=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )
