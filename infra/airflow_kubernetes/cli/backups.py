"""`make backups`: the complete backups on the volume."""

import argparse

from ..database.backup import list_job
from .backup import job_name, run_job
from .target import Target
from .target import add_arguments as add_arguments

TABLE = "{:34} {:14} {:>8} {:>7} {:>11} {:>11}  {:12}"


def run(arguments: argparse.Namespace) -> None:
    """Print them, oldest first."""
    target = Target.load(arguments.environment, arguments.set)
    target.kubectl.reach()
    log = run_job(target, list_job(target.settings, job_name("list")), quiet=True)
    rows = [line.split("\t") for line in log.splitlines()]
    if not rows:
        print(f"no backup yet: make backup ENV={target.environment}")
        return
    print(TABLE.format("NAME", "KIND", "RELEASE", "TABLES", "ROWS", "SIZE", "SHA256"))
    for name, release, tables, count, size, sha256 in rows:
        kind = name.partition("-")[2]
        print(TABLE.format(name, kind, release, tables, count, _size(int(size)), sha256[:12]))


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"
