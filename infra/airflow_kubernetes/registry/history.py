"""Locks of the past: what any environment may run now is what some commit's lock named."""

import subprocess
from pathlib import Path

import yaml

from ..errors import UserError


class HistoryError(UserError):
    """The repository's history cannot tell what is still needed; the message says why."""


def fetch(file: Path) -> None:
    """Get what others committed, on all remotes. Raises HistoryError."""
    _git(file, "fetch", "--all", "--tags", "--quiet")


def locks(file: Path, days: int) -> list[str]:
    """Every text of a lock that was in force in the last `days`, on any branch or tag.

    That is: at the tip of each branch, remote branch and tag, however old, and before and after
    each change since. Raises HistoryError, also for a shallow clone, which has forgotten some.
    """
    if _git(file, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise HistoryError(
            "this is a shallow clone: the locks of older commits, which environments may run, are "
            "not in it. Run git fetch --unshallow --all first"
        )
    tips = _git(file, "for-each-ref", "--format=%(objectname)").split()
    blobs = {f"{tip}:./{file.name}" for tip in [*tips, "HEAD"]}
    blobs |= _changes(file, f"--since={days} days ago")
    return _contents(file, sorted(blobs))


def names(file: Path) -> set[str]:
    """The names of all images that a lock ever had, to find their repositories."""
    found: set[str] = set()
    for text in _contents(file, sorted(_changes(file))):
        found |= set((yaml.safe_load(text) or {}).get("images", {}))
    return found


def _changes(file: Path, *since: str) -> set[str]:
    """Git's names of the file's contents before and after each of its changes."""
    raw = _git(
        file, "log", "--all", "-m", "--full-history", "--raw", "--no-abbrev", "--format=", *since,
        "--", file.name,
    )  # fmt: skip
    # :100644 100644 <before> <after> M<tab>images.lock.yaml
    blobs = {blob for line in raw.splitlines() if line for blob in line.split()[2:4]}
    return {blob for blob in blobs if blob.strip("0")}


def _contents(file: Path, objects: list[str]) -> list[str]:
    """The texts of those that exist; one process for all."""
    output = _git(file, "cat-file", "--batch", text="".join(f"{name}\n" for name in objects))
    texts, rest = [], output.encode()
    for _ in objects:
        header, _, rest = rest.partition(b"\n")
        if header.endswith((b" missing", b" ambiguous")):
            continue
        size = int(header.split()[2])
        texts.append(rest[:size].decode())
        rest = rest[size + 1 :]
    return texts


def _git(file: Path, *arguments: str, text: str = "") -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise HistoryError("git is not on PATH; clean-up reads the lock's history") from None
    except subprocess.CalledProcessError as error:
        raise HistoryError(
            f"the history of {file.name} cannot be read, and what environments run is in it: "
            f"{error.stderr.strip()}"
        ) from None
    return done.stdout
