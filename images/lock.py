"""Write the hash-pinned requirements of the Airflow image.

One file per (Airflow release, Python version), valid for linux/amd64 and
linux/arm64: ``airflow/locks/<release>-py<version>.txt``. A requirements file is
used rather than ``uv.lock`` or ``pylock.toml`` because those record download
addresses, which differ from mirror to mirror; hashes do not.

``airflow/locks/build.txt`` pins what builds the image: uv, and the build
backend of the two dependencies that publish no wheel.

The result depends only on this file and on what the index held on each
release's cut-off day, so a second run changes nothing. To move to another
release, add a row to RELEASES and run it again.
"""

import subprocess
import time
from pathlib import Path

LOCKS = Path(__file__).parent / "airflow" / "locks"
PYTHONS = ("3.11",)

# Each release with its cut-off: packages uploaded after the day that follows the release are
# ignored, because nobody has tested the release with them.
RELEASES = {"2.11.2": "2026-03-15", "3.3.2": "2026-09-18"}
BUILD_TOOLS = ("uv==0.13.9", "setuptools")
BUILD_TOOLS_CUTOFF = "2026-11-20"

EXTRAS = "celery,cncf-kubernetes,docker,fab,git,mysql,statsd"
BESIDE_AIRFLOW = (
    "celery<5.7",  # CeleryExecutor fails at import with 5.7: cannot import name 'retry'
    # With these, Airflow 2.11 sends tasks by a name that its workers do not know (apache/airflow
    # issues 63043 and 63729) or ends at the first task (61913).
    "apache-airflow-providers-celery!=3.16.*,!=3.17.0,!=3.17.1",
    "dumb-init",  # the init process of entrypoint.sh; a wheel, so every base has the same one
)
# 63 to 101 MB that only the MySQL operator with client="mysql-connector-python" would use.
DROPPED = ("mysql-connector-python",)

# The oldest C library among the bases is buster's, glibc 2.28.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")


def compile_lock(
    requirements: tuple[str, ...], overrides: tuple[str, ...], cutoff: str, python: str
) -> str:
    """Return the pinned closure of the requirements as the text of a requirements file.

    Raises SystemExit if uv fails, or if the two platforms would need different packages.
    """
    texts = {
        platform: _uv_compile(requirements, overrides, cutoff, python, platform)
        for platform in PLATFORMS
    }
    if len(set(texts.values())) > 1:
        raise SystemExit(f"{requirements[0]}: {' and '.join(PLATFORMS)} need different packages")
    return texts[PLATFORMS[0]]


def _uv_compile(
    requirements: tuple[str, ...],
    overrides: tuple[str, ...],
    cutoff: str,
    python: str,
    platform: str,
) -> str:
    # Overrides can only come from a file; uv reads the requirements from standard input.
    override_file = LOCKS / ".overrides.txt"
    override_file.write_text("\n".join(overrides))
    command = ["uv", "pip", "compile", "-", "--quiet", "--generate-hashes"]
    command += ["--override", str(override_file), "--exclude-newer", cutoff]
    command += ["--python-version", python, "--python-platform", platform]
    command += ["--custom-compile-command", "make lock"]
    try:
        return subprocess.run(
            command, input="\n".join(requirements), text=True, check=True, stdout=subprocess.PIPE
        ).stdout
    except FileNotFoundError:
        raise SystemExit(f"uv is not installed: pip install {BUILD_TOOLS[0]}") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{requirements[0]}: uv pip compile failed, see above") from error
    finally:
        override_file.unlink()


def main() -> None:
    """Write every lock, with a line of progress for each."""
    overrides = tuple(f"{name} ; sys_platform == 'never'" for name in DROPPED)
    jobs: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, str]] = {
        f"{release}-py{python}": (
            (f"apache-airflow[{EXTRAS}]=={release}", *BESIDE_AIRFLOW),
            overrides,
            cutoff,
            python,
        )
        for release, cutoff in RELEASES.items()
        for python in PYTHONS
    }
    jobs["build"] = (BUILD_TOOLS, (), BUILD_TOOLS_CUTOFF, PYTHONS[0])
    for number, (name, job) in enumerate(jobs.items(), start=1):
        started = time.monotonic()
        text = compile_lock(*job)
        path = LOCKS / f"{name}.txt"
        path.write_text(text)
        packages = sum(1 for line in text.splitlines() if "==" in line and line[0].isalnum())
        print(
            f"[{number}/{len(jobs)}] {path.name}: {packages} packages"
            f" ({time.monotonic() - started:.1f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
