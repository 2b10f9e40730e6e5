"""Building and pushing an image with buildx, for the kubectl engine and `make images`."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from shutil import which

from ..settings.schema import Settings
from . import lock, references
from .specs import ImageSpec
from .staging import stage


class BuildError(Exception):
    """An image could not be built or pushed; the message names image, platform and last lines."""


def certificates() -> dict[str, str]:
    """Build secrets: the machine's CA bundle, where SSL_CERT_FILE names one.

    Behind a proxy that signs for other hosts, package downloads in RUN steps need it. As a secret
    it is there during those steps only and in no layer.
    """
    file = os.environ.get("SSL_CERT_FILE", "")
    if not file:
        return {}
    try:
        return {"ca": Path(file).read_text(encoding="utf-8")}
    except OSError as error:
        raise BuildError(f"SSL_CERT_FILE: {error}; set it to a readable file or unset it") from None


def reference(settings: Settings, spec: ImageSpec, say: Callable[[str], None]) -> str:
    """`registry/name:tag@digest` of an image that the registry has.

    Where the environment builds, it is built and pushed if the registry lacks it; the lock names
    an image only once its push is done. Raises BuildError if it cannot be had.
    """
    known = references.locked(settings, spec)
    by_tag = references.by_tag(settings, spec)
    if known is not None and in_registry(known):
        say(f"{by_tag}: unchanged")
        return known
    if not settings.images.build:
        raise BuildError(
            references.missing(settings, spec)
            if known is None
            else f"the registry does not give {known}. Check that you can reach it and are logged "
            "in; if it is not there, build it with make images where images.build is true"
        )
    say(f"{by_tag}: building for {', '.join(spec.platforms)}")
    digest = _build(settings, spec, by_tag)
    lock.record(lock.path(settings), spec.name, lock.Entry(spec.tag, digest))
    return f"{by_tag}@{digest}"


def in_registry(reference: str) -> bool:
    """Whether the registry answers for the reference. False also if it cannot be reached."""
    inspect = [*buildx(), "imagetools", "inspect", reference]
    return subprocess.run(inspect, capture_output=True, check=False).returncode == 0


def _build(settings: Settings, spec: ImageSpec, reference: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        metadata = Path(scratch) / "metadata.json"
        command = [
            *buildx(), "build", str(stage(spec)),
            "--builder", settings.images.builder,
            "--platform", ",".join(spec.platforms),
            "--tag", reference,
            "--metadata-file", str(metadata),
            "--provenance=false",
            "--push",
        ]  # fmt: skip
        for name, value in spec.arguments:
            command += ["--build-arg", f"{name}={value}"]
        for name in certificates():
            command += ["--secret", f"id={name},src={os.environ['SSL_CERT_FILE']}"]
        done = subprocess.run(command, check=False)
        if done.returncode:
            raise BuildError(
                f"{reference} ({', '.join(spec.platforms)}): the build failed; its output is "
                "above. Nothing refers to the image: the lock is unchanged"
            )
        digest: str = json.loads(metadata.read_text())["containerimage.digest"]
        return digest


def buildx() -> list[str]:
    """The standalone buildx if there is one (it needs no Docker), else Docker's plugin."""
    if not which("buildx") and not which("docker"):
        raise BuildError("neither buildx nor docker is on PATH; install one of them")
    return ["buildx"] if which("buildx") else ["docker", "buildx"]
