"""buildx: builders, builds for one platform, indexes, and copies between registries."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which

from ..console import say
from ..registry.client import resolve
from ..registry.login import for_docker, given
from ..settings.schema import Settings
from . import build_options
from .failures import BuildError, explain, failure, reason
from .specs import ON_IMAGE, ImageSpec
from .staging import stage


def program() -> list[str]:
    """The standalone buildx if there is one (it needs no Docker), else Docker's plugin."""
    if not which("buildx") and not which("docker"):
        raise BuildError("neither buildx nor docker is on PATH; install one of them")
    return ["buildx"] if which("buildx") else ["docker", "buildx"]


def has_builder(settings: Settings) -> bool:
    """Whether this machine has the environment's builder."""
    inspect = [*program(), "inspect", settings.images.builder.name]
    return subprocess.run(inspect, capture_output=True, check=False).returncode == 0


def prepare(settings: Settings) -> None:
    """Make the builder if it is missing, unless that is Pulumi's work. Raises BuildError."""
    builder = settings.images.builder
    if has_builder(settings):
        return
    if builder.driver is None or settings.engine == "pulumi":
        remedy = f"docker buildx create --name {builder.name}"
        if builder.driver:
            remedy = "make up makes it; or " + remedy
        raise BuildError(f"there is no buildx builder {builder.name} (images.builder): {remedy}")
    say(f"builder {builder.name}: creating ({builder.driver})")
    create = ["create", "--name", builder.name, "--driver", builder.driver, "--bootstrap"]
    done = subprocess.run(
        [*program(), *create, *([builder.endpoint] if builder.endpoint else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"builder {builder.name}: {done.stderr.strip()}")


def command(spec: ImageSpec, platform: str, tag: str, on: str | None = None) -> list[str]:
    """The `buildx build` of one platform's image; `on` is the reference of `spec.on`.

    Raises BuildError.
    """
    return [*_command(spec, on), "--platform", platform, "--tag", tag]


def _command(spec: ImageSpec, on: str | None) -> list[str]:
    """The `buildx build` of any of an image's targets.

    Proxies are by name: their values may be secret, and BuildKit keeps them out of layers.
    """
    proxies = [
        name
        for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
        for name in (proxy, proxy.lower())
        if os.environ.get(name)
    ]
    secrets = [f"--secret=id=ca,src={file}"] if (file := build_options.ca_file()) else []
    return [
        *program(), "build", str(stage(spec)),
        "--provenance=false",
        *(f"--build-arg={name}={value}" for name, value in spec.arguments),
        *([f"--build-arg={ON_IMAGE}={on}"] if on else []),
        *(f"--build-arg={name}" for name in proxies),
        *secrets,
    ]  # fmt: skip


def build(settings: Settings, spec: ImageSpec, platform: str, on: str | None = None) -> str:
    """Build for one platform and push; returns `registry/name:tag-architecture@digest`.

    `on` is the reference by digest of `spec.on`, which the registry has.
    Raises BuildError with the step that failed, its last lines and what to do.
    """
    name, started = build_options.tag(settings, spec, platform), time.monotonic()
    say(f"{name}: building")
    with tempfile.TemporaryDirectory() as scratch:
        metadata = Path(scratch) / "metadata.json"
        caches = build_options.cache(settings, spec, platform)
        options = [
            "--builder", settings.images.builder.name,
            "--output", build_options.export(settings, spec),
            "--metadata-file", str(metadata),
            "--progress=plain",
            *(f"--cache-from={cache}" for cache in caches[:1]),
            *(f"--cache-to={cache}" for cache in caches[1:]),
        ]  # fmt: skip
        with for_docker(settings.images.registry, given()) as variables:
            output = _run([*command(spec, platform, name, on), *options], variables)
        if output is not None:
            raise BuildError(explain(name, platform, output))
        digest: str = json.loads(metadata.read_text())["containerimage.digest"]
    say(f"{name}: pushed after {time.monotonic() - started:.0f} s")
    return f"{name}@{digest}"


def export(
    settings: Settings, spec: ImageSpec, on: str, target: str, folder: Path, *, fresh: str
) -> None:
    """Write the files of one target of the Dockerfile into `folder`; nothing is pushed.

    It is of the builder's own platform, so that what it runs needs no emulation. The stage `fresh`
    is not taken from the builder's cache. Raises BuildError.
    """
    command = [*_target(settings, spec, on, target), f"--no-cache-filter={fresh}"]
    command += [f"--output=type=local,dest={folder}"]
    with for_docker(settings.images.registry, given()) as variables:
        output = _run(command, variables, _nothing)
    if output is not None:
        raise BuildError(explain(spec.name, "the builder's platform", output))


def run(
    settings: Settings, spec: ImageSpec, on: str, target: str, arguments: dict[str, str]
) -> bool:
    """Run the last step of one target, with its output on standard output as it comes; returns
    whether it succeeded. `arguments` are build arguments, in addition to the image's own.

    Raises BuildError if another step fails.
    """
    step = re.compile(rf"#(\d+) \[{target} (\d+)/\2\] RUN ")
    number: list[str] = []

    def show(line: str) -> None:
        if match := step.match(line):
            number[:] = [match[1]]
        elif number and (match := re.match(rf"#{number[0]} \d+\.\d+ (.*\n)", line)):
            sys.stdout.write(match[1])
            sys.stdout.flush()

    command = _target(settings, spec, on, target)
    command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    with for_docker(settings.images.registry, given()) as variables:
        output = _run([*command, f"--no-cache-filter={target}"], variables, show)
    if output is None:
        return True
    if step.match(f"#0 {failure(output).step}"):
        return False
    raise BuildError(explain(spec.name, "the builder's platform", output))


def _nothing(_: str) -> None:
    """Show no line."""


def _target(settings: Settings, spec: ImageSpec, on: str, target: str) -> list[str]:
    builder = f"--builder={settings.images.builder.name}"
    return [*_command(spec, on), builder, f"--target={target}", "--progress=plain"]


def push_index(target: str, sources: list[str]) -> str:
    """Push an index of these images as `registry/name:tag`; returns its digest. Raises BuildError.

    A single source that is an index is copied as it is, so its digest stays the same. What the
    target has is skipped, within one registry layers are mounted, and the tag comes last.
    """
    create = [*program(), "imagetools", "create", "--tag", target, *sources]
    with for_docker(target, given()) as variables:
        done = subprocess.run(
            create, env={**os.environ, **variables}, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise BuildError(f"{target} could not be pushed: {reason(done.stderr)}")
    return resolve(target, given())


def _run(
    command: list[str], variables: dict[str, str], show: Callable[[str], object] | None = None
) -> str | None:
    """Run a build and show each line of its output, by default on standard error; returns all of
    that if the build fails, else None.
    """
    show = show or sys.stderr.write
    lines: list[str] = []
    environment = {**os.environ, **variables}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        for line in process.stderr or ():
            show(line)
            lines.append(line)
    return "".join(lines) if process.returncode else None
