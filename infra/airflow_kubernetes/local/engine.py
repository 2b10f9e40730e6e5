"""The container engine of this machine: Docker or Podman."""

import subprocess
from dataclasses import dataclass
from shutil import which
from types import MappingProxyType

from ..errors import UserError

PLATFORM = MappingProxyType(
    {
        "docker": ("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"),
        "podman": ("info", "--format", "{{.Host.OS}}/{{.Host.Arch}}"),
    }
)
"""Engines, the preferred one first, and what tells the platform of their containers."""


class EngineError(UserError):
    """No container engine answers; the message says what to do."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers. `platform` is like "linux/amd64"."""

    program: str
    platform: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its command line; the caller looks at the exit code."""
        command = [self.program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def show(self, *arguments: str) -> int:
        """Run its command line, all output to standard error; gives the exit code."""
        command = [self.program, *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode

    def has(self, reference: str) -> bool:
        """Whether it has the image already."""
        return self.run("image", "inspect", reference).returncode == 0


def engine(*programs: str) -> Engine:
    """The first of these programs that answers; by default Docker, else Podman.

    Raises EngineError, with what those said that are there.
    """
    refusals = []
    for program in programs or PLATFORM:
        if not which(program):
            continue
        command = [program, *PLATFORM[program]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Engine(program, done.stdout.strip())
        refusals.append(f"{program}: {done.stderr.strip() or 'no answer'}")
    if refusals:
        raise EngineError(f"{'; '.join(refusals)}\nStart it, and see that you may use it")
    names = " or ".join(programs or PLATFORM)
    raise EngineError(f"{names} is not on PATH; install it (Debian: docker.io or podman)")
