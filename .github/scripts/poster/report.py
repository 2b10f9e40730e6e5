"""What a run of the preview left behind: an artifact that anybody may have written."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

from .api import Api

ARTIFACT = "preview"
LARGEST = 4_000_000
"""Bytes of the artifact, and of any file in it."""


class ReportError(Exception):
    """The artifact is not what the workflow makes; nothing was posted."""


@dataclass(frozen=True)
class Report:
    """The pull request's number, and the report in Markdown unless the run made none."""

    number: int
    markdown: str | None


def of_run(api: Api, repository: str, run: dict[str, Any]) -> Report:
    """Read `number` and `report.md` from the run's artifact. Raises ApiError, ReportError."""
    path = f"/repos/{repository}/actions/runs/{run['id']}/artifacts?name={ARTIFACT}"
    found = api.get(path)["artifacts"]
    if not found:
        raise ReportError(f"run {run['id']} has no artifact {ARTIFACT}")
    # A second attempt of a run leaves a second one.
    last = max(found, key=lambda artifact: int(artifact["id"]))
    if last["size_in_bytes"] > LARGEST:
        raise ReportError(f"the artifact has {last['size_in_bytes']} bytes, {LARGEST} are allowed")
    archive = api.send("GET", f"/repos/{repository}/actions/artifacts/{last['id']}/zip").content
    return unpack(archive)


def unpack(archive: bytes) -> Report:
    """The two files, read in memory; all others stay packed. Raises ReportError."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            number = _text(files, "number")
            markdown = _text(files, "report.md")
    # A broken archive can raise nearly anything.
    except Exception as error:
        raise ReportError(f"the artifact cannot be read: {error}") from error
    digits = (number or "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise ReportError(f"the artifact's file `number` holds no number: {digits[:40]!r}")
    return Report(int(digits), markdown)


def _text(files: zipfile.ZipFile, name: str) -> str | None:
    if name not in files.namelist():
        return None
    with files.open(name) as file:
        # Not what the archive says that it holds, but what comes out of it.
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ReportError(f"{name} has more than {LARGEST} bytes")
    return content.decode().replace("\0", "")


def is_head(run: dict[str, Any], pull: dict[str, Any]) -> bool:
    """Whether the run was of what the pull request is now.

    The number comes from the artifact, commit and repository of the run from GitHub. Raises
    ReportError if the run's repository is another than the pull request's: somebody else's number.
    """
    head, origin = pull["head"], run["head_repository"]
    # Either is null once the fork is deleted.
    if head["repo"] is None or origin is None or head["repo"]["id"] != origin["id"]:
        raise ReportError(
            f"pull request {pull['number']} does not come from the repository that the run is of, "
            f"{origin and origin['full_name']}"
        )
    return bool(pull["state"] == "open" and head["sha"] == run["head_sha"])
