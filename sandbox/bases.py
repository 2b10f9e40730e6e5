"""Stand-ins for the base images that an air-gapped machine cannot pull, from Debian packages.

Each has a folder in bases/ with a Dockerfile, and a row in BASES with the packages of its root file
system. mmdebstrap makes that file system into the cache, once per recipe; BuildKit turns it into an
image and pushes it to the sandbox's registry, where the recipe's hash is a label.

They carry what the sandbox needs, not what the real images carry: nothing but values/sandbox.yaml
refers to them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import commands, components, packages, paths, processes, toolchain
from .errors import SandboxError
from .progress import Progress

REPOSITORY = f"{paths.REGISTRY_HOST}/stand-in"
RECIPE_LABEL = "io.airflow-kubernetes.stand-in.recipe"
DESCRIPTION_LABEL = "org.opencontainers.image.description"
ARCHITECTURE = "amd64"
CACHE = paths.CACHE / "bases"


@dataclass(frozen=True)
class Base:
    """One stand-in.

    `variant` is mmdebstrap's: "apt" and "essential" install Debian's essential packages (and apt)
    first, "extract" only unpacks the named packages. `hooks` are shell commands that run at the end
    with the new root file system as "$1".
    """

    tag: str
    stands_in_for: str
    suite: str
    variant: str
    packages: tuple[str, ...]
    hooks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Folder in bases/ and name in the registry."""
        return self.tag.partition(":")[0]

    @property
    def folder(self) -> Path:
        """The Dockerfile and the files that it copies."""
        return paths.SOURCE / "bases" / self.name

    @property
    def image(self) -> str:
        """Reference by which the image is pulled."""
        return f"{REPOSITORY}/{self.tag}"


BASES = (
    Base(
        tag="pause:1",
        stands_in_for="registry.k8s.io/pause",
        suite="bookworm",
        variant="extract",
        packages=("catatonit",),
    ),
    Base(
        tag="python:3.11-bookworm",
        stands_in_for="python:3.11-slim-bookworm",
        suite="bookworm",
        variant="apt",
        packages=("ca-certificates", "netbase", "python3.11", "python3.11-venv", "tzdata"),
        hooks=(
            # An environment in /usr/local gives python, python3 and pip the official image's
            # paths, and is not "externally managed" as Debian's own Python is.
            'chroot "$1" python3.11 -m venv /usr/local',
            # The official image has Python's headers. Their package depends on 30 MB of others.
            'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; export APT_CONFIG; cd "$1/tmp"'
            " && apt-get download -q libpython3.11-dev && dpkg-deb --extract *.deb dev"
            ' && cp -a dev/usr/include "$1/usr/" && rm -r dev *.deb',
            # The official image has no bytecode of the standard library.
            'find "$1/usr/lib/python3.11" "$1/usr/local/lib" -name __pycache__ -prune'
            " -exec rm -r {} +",
        ),
    ),
    Base(
        tag="mysql:9.7",
        stands_in_for="mysql:8.4",
        suite="sid",  # no other suite has MySQL, and it has this version only
        variant="essential",
        packages=("mysql-client-core", "mysql-server-core", "tzdata"),
    ),
    Base(
        tag="redis:7",
        stands_in_for="redis:7",
        suite="bookworm",
        variant="essential",
        packages=("redis-server",),
    ),
    Base(
        tag="utility:1",
        stands_in_for="busybox",
        suite="bookworm",
        variant="extract",
        packages=("busybox-static",),
    ),
)


def check(progress: Progress) -> None:
    """Raises SandboxError if a root file system must be made and apt has no source for it."""
    missing = [base for base in BASES if not _cached(base).is_file()]
    if missing:
        packages.ensure_lists(progress)
    for base in missing:
        packages.sources(base.suite)


def ensure(progress: Progress) -> None:
    """Make every stand-in that the registry lacks; needs the registry and BuildKit to run.

    Raises:
        SandboxError: mmdebstrap is missing, the machine's apt has no Debian source, the registry
            does not answer, or a build failed.
    """
    for index, base in enumerate(BASES, 1):
        recipe = _recipe(base)
        if _recipe_in_registry(base) != recipe:
            label = f"stand-in {index}/{len(BASES)} {base.tag}"
            rootfs = _rootfs(base, label, progress)
            _build(base, recipe, rootfs, label, progress)


def _recipe(base: Base) -> str:
    """Hash of everything that makes the image, except for what Debian holds that day."""
    key = hashlib.sha256(repr(base).encode())
    for file in sorted(base.folder.iterdir()):
        key.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return key.hexdigest()[:16]


def _recipe_in_registry(base: Base) -> str:
    """Recipe of the image that the registry has under the tag; empty if it has none."""
    crane = [toolchain.program("crane", "crane"), "config", base.image]
    result = subprocess.run(crane, env=components.environment(), capture_output=True, text=True)
    if result.returncode:
        # MANIFEST_UNKNOWN and the like (the distribution specification's error codes).
        if re.search(r"\b[A-Z]+_UNKNOWN\b", result.stderr):
            return ""
        raise SandboxError(
            f"the registry does not say whether it has {base.image}: {result.stderr.strip()}. "
            f"Remedy: see {processes.log_file('registry')}"
        )
    labels = json.loads(result.stdout)["config"].get("Labels") or {}
    return str(labels.get(RECIPE_LABEL, ""))


def _cached(base: Base) -> Path:
    return CACHE / f"{base.name}-{hashlib.sha256(repr(base).encode()).hexdigest()[:16]}.tar"


def _rootfs(base: Base, label: str, progress: Progress) -> Path:
    """The root file system's tar in the cache, made if it is not there."""
    target = _cached(base)
    if not target.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=f".{base.name}-") as temporary:
            # It appears by a rename, so that one that exists is complete.
            tar = Path(temporary) / "rootfs.tar"
            _bootstrap(base, tar, label, progress)
            tar.rename(target)
    return target


def _bootstrap(base: Base, tar: Path, label: str, progress: Progress) -> None:
    if shutil.which("mmdebstrap") is None:
        raise SandboxError(
            "there is no `mmdebstrap` on the PATH, which makes the stand-in base images. "
            "Remedy: apt-get install mmdebstrap"
        )
    command = ["mmdebstrap", f"--variant={base.variant}", f"--architectures={ARCHITECTURE}"]
    command += [f"--include={','.join(base.packages)}"]
    command += [f"--customize-hook={hook}" for hook in base.hooks]
    command += [f"--dpkgopt=path-exclude=/usr/share/{kind}/*" for kind in ("doc", "locale", "man")]
    command += [f"--aptopt={option}" for option in packages.date_options()]
    progress(f"{label}: root file system from Debian {base.suite}, about a minute")
    command += [base.suite, str(tar), *packages.sources(base.suite)]
    commands.run(command, f"{label}: mmdebstrap", progress)


def _build(base: Base, recipe: str, rootfs: Path, label: str, progress: Progress) -> None:
    description = f"Stand-in for {base.stands_in_for}, made from Debian {base.suite} packages"
    command = [toolchain.program("buildkit", "buildctl")]
    command += ["--addr", f"unix://{paths.BUILDKIT_SOCKET}", "build", "--progress=plain"]
    command += ["--frontend=dockerfile.v0", f"--local=dockerfile={base.folder}"]
    command += ["--opt", f"label:{RECIPE_LABEL}={recipe}"]
    command += ["--opt", f"label:{DESCRIPTION_LABEL}={description}"]
    command += ["--output", f"type=image,name={base.image},push=true,compression=zstd"]
    started = progress.elapsed
    progress(f"{label}: image")
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=f".{base.name}-") as temporary:
        context = Path(temporary) / "context"
        shutil.copytree(base.folder, context)
        os.link(rootfs, context / "rootfs.tar")
        commands.run([*command, f"--local=context={context}"], f"{label}: buildctl", progress)
    progress(f"{label}: pushed after {progress.elapsed - started:.0f} s")
