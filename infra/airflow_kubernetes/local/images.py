"""Images for this machine: built for its platform and loaded into its container engine."""

import json
import subprocess
import tempfile

from ..airflow import image_catalog, task_images
from ..console import say
from ..images import buildx, references
from ..images.failures import BuildError
from ..images.specs import ImageSpec
from ..images.staging import STAGING
from ..settings.schema import Settings
from .engine import Engine

TASK_IMAGES = STAGING / "task-images"


def airflow(settings: Settings, engine: Engine) -> str:
    """Reference of this checkout's Airflow image: pulled if the lock has it, else built.

    The lock names an image by its content, so both are the same. Raises BuildError.
    """
    spec = image_catalog.airflow(settings)
    locked = references.locked(settings, spec)
    if locked is not None and not engine.has(_local_reference(spec)):
        if engine.has(locked):
            return locked
        say(f"{locked}: pulling")
        if engine.show("pull", locked) == 0:
            return locked
        # Docker before 23 cannot read layers compressed with zstd.
        say("the pull failed, for the reason above: building the image on this machine")
    return build(settings, spec, engine)


def write_references(settings: Settings) -> None:
    """Write the file from which DAGs read references to task images; compose.yaml mounts it.

    Without the file those DAGs could not be parsed.
    """
    tags = {spec.name: references.by_tag(settings, spec) for spec in image_catalog.every(settings)}
    names = image_catalog.by_short_name(tags)
    TASK_IMAGES.mkdir(parents=True, exist_ok=True)
    TASK_IMAGES.chmod(0o755)  # readable for the containers' user under every umask
    file = TASK_IMAGES / task_images.FILE
    file.write_text(json.dumps(names, indent=1, sort_keys=True), encoding="utf-8")
    file.chmod(0o644)


def build(settings: Settings, spec: ImageSpec, engine: Engine) -> str:
    """Build an image for the engine's platform and load it; returns `localhost/name:tag`.

    The tag is a hash of the content, so an existing image is not built again. Raises BuildError.
    """
    reference = _local_reference(spec)
    if engine.has(reference):
        return reference
    say(f"{spec.name}: building for {engine.platform}")
    # Uncompressed: Docker before 23 cannot read zstd, and the image stays on this machine.
    output = "type=docker,compression=uncompressed,force-compression=true"
    command = buildx.command(spec, engine.platform, reference)
    if buildx.has_builder(settings):  # else buildx's current one
        command += ["--builder", settings.images.builder.name]
    with tempfile.TemporaryDirectory() as folder:
        tar = f"{folder}/image.tar"
        # buildx can load into Docker only.
        by_tar = engine.program != "docker"
        command += ["--output", f"{output},dest={tar}" if by_tar else output]
        built = subprocess.run(command, stdout=2, check=False).returncode == 0
        if not built or (by_tar and engine.show("load", "--input", tar)):
            raise BuildError(
                f"{spec.name} ({engine.platform}): the build failed; the reason is above"
            )
    return reference


def _local_reference(spec: ImageSpec) -> str:
    return f"localhost/{spec.name}:{spec.tag}"
