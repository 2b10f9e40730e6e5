"""Write the hash-pinned requirements of the task images: images/tasks/<name>/requirements.txt.

Each is the closure of the folder's requirements.in, or of the file that its image.yaml names, for
the image's Python version (image.yaml, else that of the Airflow image), one file for linux/amd64
and linux/arm64. Only wheels are taken: the images of both platforms are put together on one
machine, where nothing could be compiled for the other.

That file names the day after which packages are ignored, so that a second run changes
nothing:

    # exclude-newer: 2026-11-20
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import UserError
from airflow_kubernetes.images.tasks import merged, requirements
from airflow_kubernetes.settings.load import environments
from lock import IMAGES, Lock

TASKS = IMAGES / "tasks"
T = TypeVar("T")
CUTOFF = re.compile(r"^# exclude-newer: (\d{4}-\d\d-\d\d)$", re.MULTILINE)


def lock(folder: Path) -> str:
    """Return the text of the folder's requirements.txt.

    The build compares its first line with the Python of the base image. Raises SystemExit if the
    requirements are missing or name no day, and for what Lock.compile raises it.
    """
    source = of_image(requirements, folder)
    if not source.exists():
        raise SystemExit(
            f"{source} is missing: create it with the line '# exclude-newer: {time.strftime('%F')}'"
        )
    text = source.read_text()
    if (cutoff := CUTOFF.search(text)) is None:
        raise SystemExit(f"{source}: add the line '# exclude-newer: {time.strftime('%F')}'")
    # The Airflow image's Python, which an image.yaml may change, is the same in every environment.
    python = of_image(merged, load(environments()[0]), folder).python
    wanted = ("--only-binary :all:", *text.splitlines())
    shown = Path(folder.name, "requirements.txt")
    return f"# Python {python}\n{Lock(shown, wanted, cutoff[1], python).compile()}"


def of_image(function: Callable[..., T], *arguments: Any) -> T:
    """What a function says of a task image. Raises SystemExit for a bad image.yaml."""
    try:
        return function(*arguments)
    except UserError as error:
        raise SystemExit(f"error: {error}") from None


def main() -> None:
    """Write every lock, with a line of progress for each."""
    folders = sorted(path for path in TASKS.iterdir() if path.is_dir())
    for number, folder in enumerate(folders, start=1):
        started = time.monotonic()
        (folder / "requirements.txt").write_text(lock(folder))
        seconds = time.monotonic() - started
        print(f"[{number}/{len(folders)}] {folder.name} ({seconds:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
