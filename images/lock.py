"""Write the hash-pinned requirements of the Airflow images.

One file per (Airflow release, Python version), valid for linux/amd64 and
linux/arm64: ``airflow/locks/<release>-py<version>.txt``, and for the image of
KubernetesExecutor's pods ``airflow/locks/<release>-worker-py<version>.txt``. A
requirements file is used rather than ``uv.lock`` or ``pylock.toml`` because
those record download addresses, which differ from mirror to mirror; hashes do
not.

``shared/build.txt`` pins what builds every image: uv, the build backend of the
dependencies that publish no wheel, and what writes the bill of materials.

The result depends only on this file and on what the index held on each
release's cut-off day, so a second run changes nothing. To add a release, add
its row to ``RELEASES`` in ``infra/airflow_kubernetes/airflow/releases.py`` and
its day to CUTOFFS, and run ``make lock``.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from airflow_kubernetes.airflow.releases import RELEASES

IMAGES = Path(__file__).parent
LOCKS = IMAGES / "airflow" / "locks"

# Of each release the day after it: packages uploaded later are ignored, because nobody has tested
# the release with them.
CUTOFFS = {"2.11.2": "2026-03-15", "3.3.2": "2026-09-18"}
BUILD_TOOLS = ("uv==0.13.9", "setuptools", "cyclonedx-python-lib")
BUILD_TOOLS_CUTOFF = "2026-11-20"

EXTRAS = "celery,cncf-kubernetes,docker,fab,git,mysql,statsd"
ALONGSIDE_AIRFLOW = (
    "celery<5.7",  # CeleryExecutor fails at import with 5.7: cannot import name 'retry'
    # With these, Airflow 2.11 sends tasks by a name that its workers do not know (apache/airflow
    # issues 63043 and 63729) or ends at the first task (61913).
    "apache-airflow-providers-celery!=3.16.*,!=3.17.0,!=3.17.1",
    "dumb-init",  # the init process of entrypoint.sh; a wheel, so every base has the same one
)
# 63 to 101 MB that only the MySQL operator with client="mysql-connector-python" would use.
DROPPED = ("mysql-connector-python",)

# A pod of KubernetesExecutor runs one task with Airflow 3's task SDK: it talks to the API server,
# so it needs no database driver, no web interface and no other executor.
WORKER = (
    "apache-airflow-providers-cncf-kubernetes",
    "apache-airflow-providers-docker",
    "apache-airflow-providers-git",
    "dumb-init",
)

# What a team's DAGs import, for both images.
REQUIREMENTS = IMAGES / "airflow" / "requirements.in"

# The oldest C library among the bases is buster's, glibc 2.28.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")


@dataclass(frozen=True)
class Lock:
    """A file to write, and what it is made from.

    `cutoff` is a day (YYYY-MM-DD): later uploads are ignored. `constraints` is another lock, whose
    versions are taken. `universal` makes a file for every Python from `python` on.
    """

    file: Path
    requirements: tuple[str, ...]
    cutoff: str
    python: str
    overrides: tuple[str, ...] = ()
    constraints: Path | None = None
    universal: bool = False

    def compile(self) -> str:
        """Return the pinned closure of the requirements as the text of a requirements file.

        Raises SystemExit if uv fails, or if the two platforms would need different packages.
        """
        texts = {platform: self._compile(platform) for platform in PLATFORMS}
        if len(set(texts.values())) > 1:
            raise SystemExit(f"{self.file.name}: {' and '.join(PLATFORMS)} need different packages")
        return texts[PLATFORMS[0]]

    def _compile(self, platform: str) -> str:
        command = ["uv", "pip", "compile", "-", "--quiet", "--generate-hashes"]
        command += ["--python", sys.executable]  # else uv asks every Python that it finds
        command += ["--exclude-newer", self.cutoff, "--python-version", self.python]
        command += ["--universal"] if self.universal else ["--python-platform", platform]
        command += ["--constraint", str(self.constraints)] if self.constraints else []
        command += ["--no-annotate"] if self.universal else []
        command += ["--custom-compile-command", "make lock"]
        # Overrides can only come from a file; uv reads the requirements from standard input.
        with NamedTemporaryFile("w", suffix=".txt") as overrides:
            overrides.write("\n".join(self.overrides))
            overrides.flush()
            try:
                return subprocess.run(
                    [*command, "--override", overrides.name],
                    input="\n".join(self.requirements),
                    text=True,
                    check=True,
                    stdout=subprocess.PIPE,
                ).stdout
            except FileNotFoundError:
                raise SystemExit(f"uv is not installed: pip install {BUILD_TOOLS[0]}") from None
            except subprocess.CalledProcessError as error:
                raise SystemExit(f"{self.file.name}: uv pip compile failed, see above") from error


def locks() -> Iterator[Lock]:
    """Every lock; each comes after the lock that constrains it.

    Raises SystemExit for a release without a cut-off day.
    """
    overrides = tuple(f"{name} ; sys_platform == 'never'" for name in DROPPED)
    own = tuple(REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    for version, release in RELEASES.items():
        if version not in CUTOFFS:
            raise SystemExit(f"{__file__}: CUTOFFS has no day for Airflow {version}: add it")
        for python in release.pythons:
            common = (CUTOFFS[version], python, overrides)
            full = LOCKS / f"{version}-py{python}.txt"
            airflow = f"apache-airflow[{EXTRAS}]=={version}"
            yield Lock(full, (airflow, *ALONGSIDE_AIRFLOW, *own), *common)
            if release.slim_tasks:
                core = f"apache-airflow-core[statsd]=={version}"
                worker = LOCKS / f"{version}-worker-py{python}.txt"
                yield Lock(worker, (core, *WORKER, *own), *common, full)
    tools = IMAGES / "shared" / "build.txt"
    yield Lock(tools, BUILD_TOOLS, BUILD_TOOLS_CUTOFF, "3.10", universal=True)


def main() -> None:
    """Write every lock, with a line of progress for each."""
    jobs = list(locks())
    for number, lock in enumerate(jobs, start=1):
        started = time.monotonic()
        text = lock.compile()
        lock.file.write_text(text)
        packages = sum(1 for line in text.splitlines() if "==" in line and line[0].isalnum())
        print(
            f"[{number}/{len(jobs)}] {lock.file.name}: {packages} packages"
            f" ({time.monotonic() - started:.1f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
