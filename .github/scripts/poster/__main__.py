"""`python3 -m poster`: in a job of the event `workflow_run`, after a preview."""

import json
import os
import sys
from pathlib import Path

from . import comment, report
from .api import Api, ApiError


def main() -> int:
    """Post the preview of the run that has ended; 0 if it is there or outdated, else 1."""
    run = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())["workflow_run"]
    repository = os.environ["GITHUB_REPOSITORY"]
    api = Api(os.environ["GITHUB_API_URL"], os.environ["GITHUB_TOKEN"])
    try:
        found = report.of_run(api, repository, run)
        pull = api.get(f"/repos/{repository}/pulls/{found.number}")
        if not report.is_head(run, pull):
            print(f"#{found.number} has moved on from {run['head_sha']}: nothing posted")
            return 0
        done = comment.write(api, repository, found.number, comment.body(found, run))
    except (ApiError, report.ReportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"#{found.number}: comment {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
