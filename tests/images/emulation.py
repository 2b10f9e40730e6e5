"""Runs one program of an arm64 image on this machine, by Debian's QEMU.

QEMU gets the program as an argument without a kernel registration (no binfmt_misc): no build
of
the machine can run arm64 programs by accident, and the program that runs here cannot start others.
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox import components, toolchain
from sandbox.progress import Progress
from tests.cluster import docker_host

PROGRAM = "/qemu"  # in the image's file system
USER = "50000:0"
# The mounts are in a namespace of their own and end with the program.
SCRIPT = """
root="$1"; shift
mount --rbind /dev "${root}/dev"
mount -t proc proc "${root}/proc"
exec chroot --userspec="$@"
"""


@dataclass(frozen=True)
class Emulated:
    """An image's file system, and its environment variables."""

    root: Path
    environment: Mapping[str, str]

    def run(
        self, *command: str, timeout: float = 300, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program, as the image's user; the first word is its path in the image."""
        qemu = [str(self.root), USER, str(self.root), PROGRAM, "-0", command[0]]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-euc", SCRIPT, "sh", *qemu, *command],
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def python(
        self, *arguments: str, timeout: float = 300, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the Python of the image's virtual environment."""
        return self.run("/opt/venv/bin/python", *arguments, timeout=timeout, **more)


def emulated(image: str, folder: Path, environment: Mapping[str, str]) -> Emulated:
    """Unpack an image that the registry has into the folder, with QEMU in it."""
    root, tar = folder / "root", folder / "image.tar"
    root.mkdir()
    crane = [toolchain.program("crane", "crane"), "export", image, str(tar)]
    subprocess.run(crane, env=components.environment(), check=True)
    subprocess.run(["tar", "-xf", tar, "-C", root], check=True)
    tar.unlink()
    programs = docker_host.unpacked(("qemu-user-static",), Progress())
    shutil.copy(programs / "usr/bin/qemu-aarch64-static", root / PROGRAM.lstrip("/"))
    return Emulated(root, environment)
