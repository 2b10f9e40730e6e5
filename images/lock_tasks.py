"""Write the hash-pinned requirements of the task images: images/tasks/<name>/requirements.txt.

Each is the closure of the folder's requirements.in for the image's Python version (image.yaml, else
that of the Airflow image), one file for linux/amd64 and linux/arm64. Only wheels are taken: the
images are put together for both platforms on one machine, where nothing could be compiled for the
other.

requirements.in says up to which day packages are known, so that a second run changes nothing:

    # exclude-newer: 2026-11-20

``shared/uv.txt`` pins uv, which installs them in the build.
"""

import re
import time
from pathlib import Path

import yaml
from lock import BUILD_TOOLS, BUILD_TOOLS_CUTOFF, compile_lock

IMAGES = Path(__file__).parent
COMMON = IMAGES.parent / "values" / "common.yaml"
CUTOFF = re.compile(r"^# exclude-newer: (\d{4}-\d\d-\d\d)$", re.MULTILINE)


def python_version(folder: Path) -> str:
    """The Python version of a task image, as in "3.11"."""
    own = folder / "image.yaml"
    settings = yaml.safe_load(own.read_text()) if own.exists() else {}
    default = yaml.safe_load(COMMON.read_text())["images"]["airflow"]["python"]
    return str(settings.get("python", default))


def lock(folder: Path) -> str:
    """Return the text of the folder's requirements.txt.

    The build compares the first line with the Python of its base image. Raises SystemExit if
    requirements.in is missing or names no day, and for what compile_lock raises it.
    """
    source = folder / "requirements.in"
    if not source.exists():
        raise SystemExit(f"{source} is missing: make it, with a line '# exclude-newer: <today>'")
    text = source.read_text()
    if (cutoff := CUTOFF.search(text)) is None:
        raise SystemExit(f"{source}: add a line like '# exclude-newer: {time.strftime('%F')}'")
    python = python_version(folder)
    requirements = tuple(text.splitlines())
    return f"# Python {python}\n" + compile_lock(requirements, (), cutoff.group(1), python)


def main() -> None:
    """Write every lock, with a line of progress for each."""
    (IMAGES / "shared" / "uv.txt").write_text(
        compile_lock(BUILD_TOOLS[:1], (), BUILD_TOOLS_CUTOFF, "3.11")
    )
    for folder in sorted(path for path in (IMAGES / "tasks").iterdir() if path.is_dir()):
        started = time.monotonic()
        text = lock(folder)
        (folder / "requirements.txt").write_text(text)
        packages = sum(1 for line in text.splitlines() if "==" in line and line[0].isalnum())
        print(f"{folder.name}: {packages} packages ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
