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
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import commands, components, locks, packages, paths, processes, toolchain
from .errors import SandboxError
from .progress import Progress

REPOSITORY = f"{paths.REGISTRY_HOST}/stand-in"
RECIPE_LABEL = "io.airflow-kubernetes.stand-in.recipe"
DESCRIPTION_LABEL = "org.opencontainers.image.description"
ARCHITECTURE = "amd64"
CACHE = paths.CACHE / "bases"

# Hooks for a root file system whose packages are only unpacked. Debian links /bin to /usr/bin in a
# maintainer script; dpkg's list of packages is made as dpkg would make it.
_MERGE_USR = 'for name in bin lib sbin; do mkdir -p "$1/usr/$name"; ln -s usr/$name "$1/"; done'
_RECORD_PACKAGES = (
    'for deb in "$1"/var/cache/apt/archives/*.deb; do'
    " dpkg-deb --field \"$deb\" | sed '/^Package:/a Status: install ok installed'; echo;"
    ' done > "$1/var/lib/dpkg/status"'
)
# What maintainer scripts and the base's hooks make, without a trace of an architecture.
_CONFIGURED = (
    "./etc/ca-certificates.conf", "./etc/group", "./etc/passwd", "./etc/ssl/certs", "./usr/local",
)  # fmt: skip


@dataclass(frozen=True)
class Base:
    """One stand-in.

    `variant` is mmdebstrap's: "apt" and "essential" install Debian's essential packages (and apt)
    first, "extract" only unpacks the named packages. `hooks` are shell commands that run at the end
    with the new root file system as "$1"; `unpack_hooks` are run for every architecture, so they
    run nothing that is in it. `others` are architectures other than the machine's own.
    """

    # Not in repr, which is what makes the machine's own root file system.
    tag: str = field(repr=False)
    stands_in_for: str
    suite: str
    variant: str
    packages: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    unpack_hooks: tuple[str, ...] = field(default=(), repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Its folder in bases/."""
        return self.tag.partition(":")[0].rpartition("/")[2]

    @property
    def folder(self) -> Path:
        """The Dockerfile and the files that it copies."""
        return paths.SOURCE / "bases" / self.name

    @property
    def image(self) -> str:
        """Reference by which the image is pulled."""
        return f"{REPOSITORY}/{self.tag}"


def _python(version: str, suite: str) -> Base:
    return Base(
        tag=f"python:{version}",
        stands_in_for=f"python:{version}-slim-{suite}",
        suite=suite,
        variant="apt",
        packages=(
            *("ca-certificates", "netbase", f"python{version}", f"python{version}-venv", "tzdata"),
        ),
        hooks=(
            # An environment in /usr/local gives python, python3 and pip the official image's
            # paths, and is not "externally managed" as Debian's own Python is.
            f'chroot "$1" python{version} -m venv /usr/local',
            # The official image has no bytecode of the standard library.
            f'find "$1/usr/lib/python{version}" "$1/usr/local/lib" -name __pycache__ -prune'
            " -exec rm -r {} +",
        ),
        unpack_hooks=(
            # The official image has Python's headers. Their package depends on 30 MB of others.
            'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; export APT_CONFIG; cd "$1/tmp"'
            f" && apt-get download -q libpython{version}-dev && dpkg-deb --extract *.deb dev"
            ' && cp -a dev/usr/include "$1/usr/" && rm -r dev *.deb',
        ),
    )


BASES = (
    Base(
        tag="pause:1",
        stands_in_for="registry.k8s.io/pause",
        suite="bookworm",
        variant="extract",
        packages=("catatonit",),
    ),
    _python("3.11", "bookworm"),
    _python("3.13", "trixie"),
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


MULTI_PLATFORM = tuple(
    replace(base, tag=f"multi-platform/{base.tag}", others=("arm64",))
    for base in BASES
    if base.name == "python"
)
"""For tests of images for another machine; made when a test needs them."""


def check(progress: Progress) -> None:
    """Raises SandboxError if a root file system must be made and apt has no source for it."""
    missing = [base for base in BASES if not _cached(base).is_file()]
    if missing:
        packages.ensure_lists(progress)
    for base in missing:
        packages.sources(base.suite)


def prepare(progress: Progress) -> None:
    """Make the root file systems that the cache lacks, while the tools are compiled.

    Raises:
        SandboxError: mmdebstrap is missing or failed, or the machine's apt has no Debian source.
    """
    for index, base in enumerate(BASES, 1):
        _rootfs(base, ARCHITECTURE, f"stand-in {index}/{len(BASES)} {base.tag}", progress)


def ensure(progress: Progress, bases: Sequence[Base] = BASES) -> None:
    """Make every stand-in that the registry lacks; needs the registry and BuildKit to run.

    Raises:
        SandboxError: mmdebstrap is missing, the machine's apt has no Debian source, the registry
            does not answer, or a build failed.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with locks.held(CACHE / ".lock", "another build of the base images", progress):
        for index, base in enumerate(bases, 1):
            recipe = _recipe(base)
            if _recipe_in_registry(base) != recipe:
                label = f"stand-in {index}/{len(bases)} {base.tag}"
                architectures = (ARCHITECTURE, *base.others)
                rootfs = {one: _rootfs(base, one, label, progress) for one in architectures}
                _build(base, recipe, rootfs, label, progress)


def _recipe(base: Base) -> str:
    """Hash of everything that makes the image, except for what Debian holds that day."""
    key = hashlib.sha256(_rootfs_recipe(base))
    key.update("".join(base.others).encode())
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


def _rootfs_recipe(base: Base) -> bytes:
    return (repr(base) + "".join(base.unpack_hooks)).encode()


def _cached(base: Base, architecture: str = ARCHITECTURE) -> Path:
    recipe = hashlib.sha256(_rootfs_recipe(base)).hexdigest()[:16]
    suffix = "" if architecture == ARCHITECTURE else f"-{architecture}"
    return CACHE / f"{base.name}-{recipe}{suffix}.tar"


def _rootfs(base: Base, architecture: str, label: str, progress: Progress) -> Path:
    """The root file system's tar in the cache, made if it is not there.

    That of another architecture needs the machine's own to be there.
    """
    target = _cached(base, architecture)
    if not target.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=f".{base.name}-") as temporary:
            # It appears by a rename, so that one that exists is complete.
            tar = Path(temporary) / "rootfs.tar"
            _bootstrap(base, architecture, tar, label, progress)
            tar.rename(target)
    return target


def _bootstrap(base: Base, architecture: str, tar: Path, label: str, progress: Progress) -> None:
    if shutil.which("mmdebstrap") is None:
        raise SandboxError(
            "there is no `mmdebstrap` on the PATH, which makes the stand-in base images. "
            "Remedy: apt-get install mmdebstrap"
        )
    command = ["mmdebstrap", f"--architectures={architecture}"]
    if architecture == ARCHITECTURE:
        command += [f"--variant={base.variant}"]
        command += [f"--customize-hook={hook}" for hook in (*base.hooks, *base.unpack_hooks)]
    else:
        command += ["--variant=extract", "--include=?essential", "--include=apt"]
        command += [f"--setup-hook={_MERGE_USR}", f"--extract-hook={_RECORD_PACKAGES}"]
        command += [f'--extract-hook=tar -xf {_cached(base)} -C "$1" {" ".join(_CONFIGURED)}']
        command += [f"--extract-hook={hook}" for hook in base.unpack_hooks]
    command += [f"--include={','.join(base.packages)}"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{kind}/*" for kind in ("doc", "locale", "man")]
    command += [f"--aptopt={option}" for option in packages.date_options()]
    progress(f"{label}: {architecture} root file system from Debian {base.suite}, about a minute")
    command += [base.suite, str(tar), *packages.sources(base.suite)]
    commands.run(command, f"{label}: mmdebstrap", progress)


def _build(
    base: Base, recipe: str, rootfs: dict[str, Path], label: str, progress: Progress
) -> None:
    description = f"Stand-in for {base.stands_in_for}, made from Debian {base.suite} packages"
    command = [toolchain.program("buildkit", "buildctl")]
    command += ["--addr", f"unix://{paths.BUILDKIT_SOCKET}", "build", "--progress=plain"]
    command += ["--frontend=dockerfile.v0", f"--local=dockerfile={base.folder}"]
    command += ["--opt", f"platform={','.join(f'linux/{one}' for one in rootfs)}"]
    command += ["--opt", f"label:{RECIPE_LABEL}={recipe}"]
    command += ["--opt", f"label:{DESCRIPTION_LABEL}={description}"]
    command += ["--output", f"type=image,name={base.image},push=true,compression=zstd"]
    started = progress.elapsed
    progress(f"{label}: image")
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=f".{base.name}-") as temporary:
        context = Path(temporary) / "context"
        shutil.copytree(base.folder, context)
        os.link(rootfs[ARCHITECTURE], context / "rootfs.tar")
        for architecture, tar in rootfs.items():
            os.link(tar, context / f"rootfs-{architecture}.tar")
        commands.run([*command, f"--local=context={context}"], f"{label}: buildctl", progress)
    progress(f"{label}: pushed after {progress.elapsed - started:.0f} s")
