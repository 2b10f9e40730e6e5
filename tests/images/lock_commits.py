"""A Git repository with an images.lock.yaml of commits of any age."""

import subprocess
from pathlib import Path

import yaml


def new_lock(folder: Path) -> Path:
    """The path of the lock in a new repository there."""
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder / "images.lock.yaml"


def git(folder: Path, *arguments: str, days_ago: int = 0) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    date = subprocess.run(
        ["date", "--iso-8601=seconds", f"--date={days_ago} days ago"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run(
        ["git", "-C", str(folder), *who, *arguments],
        check=True,
        env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date},
    )


def write(file: Path, name: str, tag: str, days_ago: int) -> None:
    entry = {"tag": tag, "digest": f"sha256:{tag[::-1] * 4}"}
    file.write_text(yaml.safe_dump({"images": {name: entry}, "bases": {}}))
    commit(file, days_ago)


def commit(file: Path, days_ago: int) -> None:
    git(file.parent, "add", ".", days_ago=days_ago)
    git(file.parent, "commit", "--quiet", "--message=x", days_ago=days_ago)
