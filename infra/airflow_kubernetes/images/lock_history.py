"""The images.lock.yaml of earlier commits: any environment may still run what they name."""

import re
import subprocess
from pathlib import Path

from ..errors import UserError


class HistoryError(UserError):
    """The Git history does not show which images are still needed; the message says why."""


def fetch(file: Path) -> None:
    """Fetch the commits of all remotes. Raises HistoryError."""
    _git(file, "fetch", "--all", "--tags", "--quiet")


def text(file: Path, days: int) -> str:
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
    at_tips = {f"{tip}:./{file.name}" for tip in [*tips, "HEAD"]}
    return _contents(file, at_tips | _changes(file, f"--since={days} days ago"))


def names(file: Path) -> set[str]:
    """The names of all images that the lock ever had, to find their repositories."""
    return set(re.findall(r"^  (\S+):$", _contents(file, _changes(file)), re.MULTILINE))


def _changes(file: Path, *since: str) -> set[str]:
    """The blob IDs of the file before and after each of its changes."""
    raw = _git(
        file, "log", "--all", "-m", "--full-history", "--raw", "--no-abbrev", "--format=", *since,
        "--", file.name,
    )  # fmt: skip
    # :100644 100644 <before> <after> M<tab>images.lock.yaml
    return {blob for line in raw.splitlines() if line for blob in line.split()[2:4]}


def _contents(file: Path, objects: set[str]) -> str:
    """The contents of the objects that exist, each after a line about the object."""
    return _git(file, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in objects))


def _git(file: Path, *arguments: str, stdin: str = "") -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise HistoryError("git is not on PATH; make prune reads the lock's history") from None
    except subprocess.CalledProcessError as error:
        raise HistoryError(
            f"the history of {file.name} cannot be read, and it shows what environments run: "
            f"{error.stderr.strip()}"
        ) from None
    return done.stdout
