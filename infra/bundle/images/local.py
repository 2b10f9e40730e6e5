"""Images for this machine alone: built for its platform and given to its container engine."""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from ..settings.schema import Settings
from .build import BuildError, buildx, certificates
from .specs import ImageSpec
from .staging import stage

PROGRAMS = {
    "docker": ("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"),
    "podman": ("info", "--format", "{{.Host.OS}}/{{.Host.Arch}}"),
}
"""Container engines, the preferred one first, and what tells the platform of their containers."""


class EngineError(Exception):
    """No container engine answers; the message says what to do."""


@dataclass(frozen=True)
class Engine:
    """A container engine that answers: Docker or Podman. `platform` is like "linux/amd64"."""

    program: str
    platform: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its command line; the caller looks at the exit code."""
        command = [self.program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def has(self, reference: str) -> bool:
        """Whether it has the image already."""
        return self.run("image", "inspect", reference).returncode == 0


def engine(*programs: str) -> Engine:
    """The first of these programs that answers; by default Docker, else Podman.

    Raises EngineError, with what those said that are there.
    """
    refusals = []
    for program in programs or PROGRAMS:
        if not which(program):
            continue
        command = [program, *PROGRAMS[program]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Engine(program, done.stdout.strip())
        refusals.append(f"{program} does not answer: {_last_line(done.stderr)}")
    if refusals:
        raise EngineError(f"{'; '.join(refusals)}. Start it, and see that you may use it")
    raise EngineError(
        f"no {' or '.join(programs or PROGRAMS)} on PATH; install one (Debian: docker.io)"
    )


def load(settings: Settings, spec: ImageSpec, here: Engine, say: Callable[[str], None]) -> str:
    """`localhost/name:tag` of the image, built for the engine's platform and loaded into it.

    The content tag is the image's own, so one that is there is not built again. Raises BuildError.
    """
    reference = f"localhost/{spec.name}:{spec.tag}"
    if here.has(reference):
        return reference
    say(f"{spec.name}: building for {here.platform}")
    # Docker before 23 reads no zstd, which a base's layers may have; nothing is gained by
    # compressing what stays on this machine.
    output = "type=docker,compression=uncompressed,force-compression=true"
    command = [*buildx(), "build", str(stage(spec)), "--platform", here.platform]
    command += ["--tag", reference, "--provenance=false", *_builder(settings.images.builder)]
    for name, value in spec.arguments:
        command += ["--build-arg", f"{name}={value}"]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in certificates().items():
            (Path(folder) / name).write_text(content, encoding="utf-8")
            command += ["--secret", f"id={name},src={folder}/{name}"]
        if here.program == "docker":
            _run([*command, "--output", output], reference, here)
        else:
            _run([*command, "--output", f"{output},dest={folder}/image.tar"], reference, here)
            _run([here.program, "load", "--input", f"{folder}/image.tar"], reference, here)
    return reference


def _builder(name: str) -> list[str]:
    """The environment's builder where this machine has it, else buildx's current one."""
    inspect = [*buildx(), "inspect", name]
    there = subprocess.run(inspect, capture_output=True, check=False).returncode == 0
    return ["--builder", name] if there else []


def _run(command: list[str], reference: str, here: Engine) -> None:
    # Standard output is the caller's.
    if subprocess.run(command, stdout=2, check=False).returncode:
        raise BuildError(f"{reference} ({here.platform}): the build failed; its output is above")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["(no message)"])[-1]
