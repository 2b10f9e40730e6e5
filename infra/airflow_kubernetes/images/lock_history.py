"""The images.lock.yaml of earlier commits: any environment may still run what they name."""

import subprocess
from pathlib import Path

import yaml

from ..errors import UserError


class HistoryError(UserError):
    """The Git history does not show which images are still needed; the message says why."""


def fetch(file: Path) -> None:
    """Fetch the commits of all remotes. Raises HistoryError."""
    _git(file, "fetch", "--all", "--tags", "--quiet")


def texts(file: Path, days: int) -> list[str]:
    """Every content that the lock had within the last `days`, on any branch or tag.

    That is: at the tip of each branch, remote branch and tag, however old, and before and after
    each change since. Raises HistoryError, also for a shallow clone, which lacks older commits.
    """
    if _git(file, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise HistoryError(
            "this is a shallow clone: it lacks the locks of older commits, which environments may "
            "run. Run git fetch --unshallow --all first"
        )
    tips = _git(file, "for-each-ref", "--format=%(objectname)").split()
    blobs = {f"{tip}:./{file.name}" for tip in [*tips, "HEAD"]}
    blobs |= _changes(file, f"--since={days} days ago")
    return _contents(file, sorted(blobs))


def names(file: Path) -> set[str]:
    """The names of all images that the lock ever had, to find their repositories."""
    result: set[str] = set()
    for text in _contents(file, sorted(_changes(file))):
        result |= set((yaml.safe_load(text) or {}).get("images", {}))
    return result


def _changes(file: Path, *since: str) -> set[str]:
    """The blob IDs of the file before and after each of its changes."""
    raw = _git(
        file, "log", "--all", "-m", "--full-history", "--raw", "--no-abbrev", "--format=", *since,
        "--", file.name,
    )  # fmt: skip
    # :100644 100644 <before> <after> M<tab>images.lock.yaml
    blobs = {blob for line in raw.splitlines() if line for blob in line.split()[2:4]}
    return {blob for blob in blobs if blob.strip("0")}


def _contents(file: Path, objects: list[str]) -> list[str]:
    """The texts of the objects that exist, read by one process."""
    output = _git(file, "cat-file", "--batch", text="".join(f"{name}\n" for name in objects))
    result, rest = [], output.encode()
    for _ in objects:
        header, _, rest = rest.partition(b"\n")
        if header.endswith((b" missing", b" ambiguous")):
            continue
        size = int(header.split()[2])
        result.append(rest[:size].decode())
        rest = rest[size + 1 :]
    return result


def _git(file: Path, *arguments: str, text: str = "") -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise HistoryError("git is not on PATH; make prune reads the lock's history") from None
    except subprocess.CalledProcessError as error:
        raise HistoryError(
            f"the history of {file.name} cannot be read, and it shows what environments run: "
            f"{error.stderr.strip()}"
        ) from None
    return done.stdout
