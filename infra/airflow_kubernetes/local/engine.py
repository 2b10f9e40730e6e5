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
"""Engines in order of preference, each with the arguments that print its containers' platform."""


class EngineError(UserError):
    """No container engine responds; the message says what to do."""


@dataclass(frozen=True)
class Engine:
    """An engine that responds. `platform` is like "linux/amd64"."""

    program: str
    platform: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its command line with captured output; the caller checks the exit code."""
        command = [self.program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def show(self, *arguments: str) -> int:
        """Run its command line with all output on standard error; returns the exit code."""
        command = [self.program, *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode

    def has(self, reference: str) -> bool:
        """Whether the image is in its local store."""
        return self.run("image", "inspect", reference).returncode == 0


def find_engine(*programs: str) -> Engine:
    """The first of the programs that responds; by default Docker, then Podman.

    Raises EngineError with the error output of each installed one.
    """
    refusals = []
    for program in programs or PLATFORM:
        if not which(program):
            continue
        command = [program, *PLATFORM[program]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Engine(program, done.stdout.strip())
        refusals.append(f"{program}: {done.stderr.strip() or 'no response'}")
    if refusals:
        raise EngineError(
            f"{'; '.join(refusals)}\nStart the engine and check that your user may use it"
        )
    names = " or ".join(programs or PLATFORM)
    raise EngineError(f"{names} is not on PATH; install it (Debian: docker.io or podman)")
