"""The two sides of a report: a commit's tree, laid out in a folder, and the checkout as it is."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError

INPUTS = ("infra", "values", "images", "dags", ":(glob)*.yaml")
"""What rendering reads: a new file elsewhere changes nothing, and may be the report itself."""


class CheckoutError(UserError):
    """Git cannot tell what the report compares with; the message says why and what to do."""


@dataclass(frozen=True)
class Base:
    """The commit to compare with: the last one that `asked` (BASE) and the checkout share.

    `behind` are the commits of `asked` that the checkout does not have: not compared, or they
    would look as if they were taken back.
    """

    asked: str
    commit: str
    behind: int


@dataclass(frozen=True)
class Head:
    """The checkout: its commit, and the files that differ from it or are not in it yet."""

    commit: str
    uncommitted: tuple[str, ...]


def base(root: Path, asked: str) -> Base:
    """The commit to compare with. Raises CheckoutError."""
    _git(root, "rev-parse", "--verify", "HEAD", failing="this is no git checkout with a commit")
    shallow = _git(root, "rev-parse", "--is-shallow-repository").strip() == "true"
    more = (
        "This is a shallow clone: get more of the history (git fetch --unshallow; in a workflow, "
        "a greater fetch-depth of actions/checkout)"
    )
    commit = _try(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{asked}^{{commit}}"
    )
    if not commit:
        fetch = f"git fetch {' '.join(asked.split('/', 1))}" if "/" in asked else "git fetch --all"
        raise CheckoutError(
            f"BASE={asked}: git knows no such commit, branch or tag. "
            f"{more if shallow else f'Get it first ({fetch}), or correct the name'}"
        )
    found = _try(root, "merge-base", commit, "HEAD")
    if not found:
        raise CheckoutError(
            f"BASE={asked}: it shares no commit with this checkout. "
            f"{more if shallow else 'Name the branch that this one was made from'}"
        )
    behind = _git(root, "rev-list", "--count", f"{found}..{commit}").strip()
    return Base(asked, found, int(behind))


def head(root: Path) -> Head:
    """The checkout as it is."""
    status = _git(
        root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", *INPUTS
    )
    files = sorted(line[3:] for line in status.split("\0") if line)
    return Head(_git(root, "rev-parse", "HEAD").strip(), tuple(files))


def extract(root: Path, commit: str, folder: Path) -> None:
    """Lay out a commit's tree in an empty folder."""
    archive = subprocess.run(
        ["git", "-C", str(root), "archive", "--format=tar", commit], capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "-xf", "-", "-C", str(folder)], input=archive, check=True)


def _try(root: Path, *arguments: str) -> str:
    """Standard output without its last newline; empty if git says no."""
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _git(root: Path, *arguments: str, failing: str = "git failed") -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="backslashreplace", check=True
        )
    except FileNotFoundError:
        raise CheckoutError("git is not on PATH; the report compares with a commit") from None
    except subprocess.CalledProcessError as error:
        raise CheckoutError(f"{failing}: {error.stderr.strip()}") from None
    return done.stdout
