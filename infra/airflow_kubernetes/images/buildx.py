"""The commands of buildx: builders, builds for one platform, indexes."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which

from ..errors import UserError
from ..registry.login import for_docker, given
from ..registry.repository import resolve
from ..settings.schema import Settings
from . import outputs
from .failures import explain
from .specs import ImageSpec
from .staging import stage

Say = Callable[[str], None]


class BuildError(UserError):
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


def prepare(settings: Settings, say: Say) -> None:
    """Make the builder where the values ask for it and Pulumi does not. Raises BuildError."""
    wanted = settings.images.builder
    if has_builder(settings):
        return
    if wanted.driver is None or settings.engine == "pulumi":
        remedy = "docker buildx create --name with it"
        if wanted.driver:
            remedy = "make up makes it; or " + remedy
        raise BuildError(f"there is no buildx builder {wanted.name} (images.builder): {remedy}")
    say(f"builder {wanted.name}: creating ({wanted.driver})")
    create = ["create", "--name", wanted.name, "--driver", wanted.driver, "--bootstrap"]
    done = subprocess.run(
        [*program(), *create, *([wanted.endpoint] if wanted.endpoint else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"builder {wanted.name}: {done.stderr.strip()}")


def has_builder(settings: Settings) -> bool:
    """Whether this machine has the environment's builder."""
    inspect = [*program(), "inspect", settings.images.builder.name]
    return subprocess.run(inspect, capture_output=True, check=False).returncode == 0


def proxies() -> list[str]:
    """Options of a build for the proxies of this machine; BuildKit keeps them out of layers.

    By name alone: the value, which may hold a password, is not on the command line.
    """
    return [
        f"--build-arg={name}"
        for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
        for name in (proxy, proxy.lower())
        if os.environ.get(name)
    ]


def build(settings: Settings, spec: ImageSpec, platform: str, say: Say) -> str:
    """Build for one platform and push; gives `registry/name:tag-architecture@digest`.

    Raises BuildError with the step that failed, its last lines and what to do.
    """
    name, started = outputs.tag(settings, spec, platform), time.monotonic()
    say(f"{name}: building")
    with tempfile.TemporaryDirectory() as scratch:
        metadata = Path(scratch) / "metadata.json"
        command = [
            *program(), "build", str(stage(spec)),
            "--builder", settings.images.builder.name,
            "--platform", platform,
            "--tag", name,
            "--output", outputs.export(settings, spec),
            "--metadata-file", str(metadata),
            "--provenance=false",
            "--progress=plain",
            *proxies(),
        ]  # fmt: skip
        for argument, value in spec.arguments:
            command += ["--build-arg", f"{argument}={value}"]
        for secret in certificates():
            command += ["--secret", f"id={secret},src={os.environ['SSL_CERT_FILE']}"]
        for option, cache in zip(
            ("--cache-from", "--cache-to"), outputs.cache(settings, spec, platform), strict=False
        ):
            command += [option, cache]
        with for_docker(settings.images.registry, given()) as extra:
            output = _run(command, extra)
        if output is not None:
            raise BuildError(explain(name, platform, output))
        digest: str = json.loads(metadata.read_text())["containerimage.digest"]
    say(f"{name}: pushed after {time.monotonic() - started:.0f} s")
    return f"{name}@{digest}"


def _run(command: list[str], variables: dict[str, str]) -> str | None:
    """Run a build, its output passed on; all of that if the build fails, else None."""
    lines: list[str] = []
    environment = {**os.environ, **variables}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        for line in process.stderr or ():
            sys.stderr.write(line)
            lines.append(line)
    return "".join(lines) if process.returncode else None


def join(settings: Settings, by_tag: str, images: list[str]) -> str:
    """Push an index of one image a platform; gives its digest. Raises BuildError."""
    create = [*program(), "imagetools", "create", "--tag", by_tag, *images]
    with for_docker(settings.images.registry, given()) as extra:
        done = subprocess.run(
            create, env={**os.environ, **extra}, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise BuildError(f"{by_tag}: the index could not be pushed: {done.stderr.strip()}")
    return resolve(by_tag, given())


def program() -> list[str]:
    """The standalone buildx if there is one (it needs no Docker), else Docker's plugin."""
    if not which("buildx") and not which("docker"):
        raise BuildError("neither buildx nor docker is on PATH; install one of them")
    return ["buildx"] if which("buildx") else ["docker", "buildx"]
