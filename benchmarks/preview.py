"""The part of `make bench` about the report of a pull request: seconds, and sizes. Asserts nothing.

In a clone of the checkout's last commit, whose values are edited as people do.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]

EDITS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "nothing": (),
    "small: the database's memory": (("values/prod.yaml", "bufferPool: 4G", "bufferPool: 5G"),),
    "a DAG": (("dags/smoke.py", '"""', '"""Edited. '),),
    "large: executor and release": (
        ("values/common.yaml", "executor: KubernetesExecutor", "executor: CeleryExecutor"),
        ("values/common.yaml", "version: 3.3.2", "version: 2.11.2"),
    ),
    "destructive: the namespace": (("values/common.yaml", "namespace: airflow", "namespace: a2"),),
}
"""By name: file, old and new text (its first occurrence)."""


@contextmanager
def clone() -> Iterator[Path]:
    """The last commit of this checkout, with its Python packages."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        root = Path(temporary, "checkout")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(root)], check=True)
        (root / ".venv").symlink_to((ROOT / ".venv").resolve())
        preview(root)  # compiles
        yield root


def preview(root: Path, environment: str | None = None) -> tuple[float, str]:
    """Seconds and report of `make preview BASE=HEAD`, also if the report says no."""
    only = [f"ENV={environment}"] if environment else []
    start = time.perf_counter()
    done = subprocess.run(
        ["make", "-s", "-C", str(root), "preview", "BASE=HEAD", *only],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if not done.stdout:
        sys.exit(done.stderr)
    return seconds, done.stdout


def main() -> None:
    """Print the table."""
    with clone() as root:
        print(f"{'report of a pull request':<48}{'seconds':>10}{'bytes':>10}", flush=True)
        for name, edits in EDITS.items():
            for file, old, new in edits:
                path = root / file
                path.write_text(path.read_text().replace(old, new, 1))
            row(name, *preview(root))
            subprocess.run(["git", "-C", str(root), "checkout", "--quiet", "."], check=True)
        row("nothing, of one environment", *preview(root, "prod"))
        for file in ("values/sandbox.yaml", "Pulumi.sandbox.yaml"):
            (root / file).unlink()
        commit = ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet")
        subprocess.run(["git", "-C", str(root), *commit, "--all", "--message=two"], check=True)
        row("nothing, of dev and prod with their parity", *preview(root))
        for goal in ("parity", "policies"):
            start = time.perf_counter()
            done = subprocess.run(
                ["make", "-s", "-C", str(root), goal],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
            )
            row(f"make {goal} of the same", time.perf_counter() - start, done.stdout)


def row(name: str, seconds: float, text: str) -> None:
    """One line of the table."""
    print(f"  {name:<46}{seconds:>10.2f}{len(text.encode()):>10}", flush=True)


if __name__ == "__main__":
    main()
