"""Images for this machine alone: built for its platform and given to its container engine."""

import json
import subprocess
import tempfile
from pathlib import Path

from ..airflow import task_images
from ..console import say
from ..images import build_options, buildx, catalog, references, tasks
from ..images.failures import BuildError
from ..images.specs import ImageSpec
from ..images.staging import STAGING, stage
from ..settings.schema import Settings
from .engine import Engine

TASK_IMAGES = STAGING / "task-images"


def airflow(settings: Settings, here: Engine) -> str:
    """The Airflow image of this checkout: as the lock names it if that can be had, else built.

    Both are the same: the lock knows the content. Raises BuildError.
    """
    spec = catalog.airflow(settings)
    known, built = references.locked(settings, spec), _here(spec)
    if known is not None and not here.has(built):
        if here.has(known):
            return known
        say(f"{known}: pulling")
        if here.show("pull", known) == 0:
            return known
        # Docker before 23 reads no zstd, which layers may have.
        say("it cannot be pulled (the reason is above), so it is built here")
    return build(settings, spec, here)


def write_references(settings: Settings) -> None:
    """The file from which DAGs get references to task images; compose.yaml mounts its folder.

    Without it they could not even be parsed.
    """
    specs = catalog.every(settings)
    names = {tasks.short(spec.name): references.by_tag(settings, spec) for spec in specs}
    TASK_IMAGES.mkdir(parents=True, exist_ok=True)
    TASK_IMAGES.chmod(0o755)  # the containers' user reads it, whatever the umask here
    file = TASK_IMAGES / task_images.FILE
    file.write_text(json.dumps(names, indent=1, sort_keys=True), encoding="utf-8")
    file.chmod(0o644)


def build(settings: Settings, spec: ImageSpec, here: Engine) -> str:
    """`localhost/name:tag` of an image, built for the engine's platform and loaded into it.

    The content tag is the image's own, so one that is there is not built again. Raises BuildError.
    """
    reference = _here(spec)
    if here.has(reference):
        return reference
    say(f"{spec.name}: building for {here.platform}")
    # Docker before 23 reads no zstd, which a base's layers may have; and nothing is gained by
    # compressing what stays on this machine.
    output = "type=docker,compression=uncompressed,force-compression=true"
    command = [*buildx.program(), "build", str(stage(spec)), "--platform", here.platform]
    command += ["--tag", reference, "--provenance=false", *_builder(settings), *buildx.proxies()]
    for name, value in spec.arguments:
        command += ["--build-arg", f"{name}={value}"]
    with tempfile.TemporaryDirectory() as folder:
        for name, content in build_options.certificates().items():
            secret = Path(folder) / name
            secret.write_text(content, encoding="utf-8")
            command += ["--secret", f"id={name},src={secret}"]
        tar = f"{folder}/image.tar"
        # buildx itself loads into Docker alone.
        by_tar = here.program != "docker"
        command += ["--output", f"{output},dest={tar}" if by_tar else output]
        built = subprocess.run(command, stdout=2, check=False).returncode == 0
        if not built or (by_tar and here.show("load", "--input", tar)):
            raise BuildError(f"{spec.name} ({here.platform}): no image; the reason is above")
    return reference


def _here(spec: ImageSpec) -> str:
    return f"localhost/{spec.name}:{spec.tag}"


def _builder(settings: Settings) -> list[str]:
    """The environment's builder where this machine has it, else buildx's current one."""
    there = buildx.has_builder(settings)
    return ["--builder", settings.images.builder.name] if there else []
