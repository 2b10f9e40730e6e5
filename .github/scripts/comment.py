"""Posts the preview report of a pull request as its one comment.

Runs after the workflow `preview`, with a token that may write comments, so what that run left
behind is untrusted data. The pull request is the one that GitHub knows for the run's commit; the
artifact is not asked. The report is read in memory up to a limit and is never printed, because the
runner executes `::commands::` that a step prints. Needs `gh` and Python alone.
"""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

MARKER = "<!-- airflow-kubernetes-preview -->"
"""First line of the comment, by which the next run finds it."""
BOT = "github-actions[bot]"
"""The author of comments that are written with a workflow's token."""
LARGEST = 4_000_000
"""Bytes of the artifact, and of the report unpacked."""
LONGEST = 65_536
"""Characters of a comment that GitHub accepts."""
CALL = re.compile(
    r"@|&(?=[#a-z])|#(?=[\d<])|GH\\?-(?=\d)|(?:issues|pulls?|discussions)\\?/(?=\d)", re.IGNORECASE
)
"""Beginnings of what calls somebody: mentions, and references to issues and pull requests, which
write into the history of those. A character reference (`&#64;`) may be part of either, and a
backslash may precede punctuation. Commit hashes only link.
"""
BREAK = "\u200b"
"""A zero-width space, after each CALL whatever surrounds it: for GitHub é is no letter."""
DROPPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that no document may hold. A renderer may drop them, and join what they separate."""


def gh(path: str, *options: str, body: str | None = None) -> bytes:
    """The response of GitHub's API; exits if it refuses, after `gh` has printed the reason."""
    data = () if body is None else ("--input=-",)
    call = ["gh", "api", f"repos/{os.environ['GITHUB_REPOSITORY']}/{path}", *options, *data]
    text = None if body is None else json.dumps({"body": body}).encode()
    done = subprocess.run(call, input=text, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"error: GitHub refused {path}; the reason is above")
    return done.stdout


def pull_requests(run: dict[str, Any]) -> list[int]:
    """Numbers of the open pull requests whose head is the run's commit.

    The event does not name those of forks, so they are looked up by the event's repository and
    branch.
    """
    origin = run["head_repository"]
    if origin is None:  # a fork that is deleted
        return []
    head = f"head={origin['owner']['login']}:{run['head_branch']}"
    found = json.loads(gh("pulls", "--method=GET", "--raw-field=state=open", "--raw-field", head))
    return [
        int(pull["number"])
        for pull in found
        if pull["head"]["sha"] == run["head_sha"]
        and (pull["head"]["repo"] or {}).get("id") == origin["id"]
    ]


def report(run: dict[str, Any]) -> str | None:
    """`report.md` of the run's newest artifact, None if there is none; exits if it is unusable."""
    artifacts = json.loads(gh(f"actions/runs/{run['id']}/artifacts?name=preview"))["artifacts"]
    if not artifacts:
        return None
    newest = max(artifacts, key=lambda artifact: int(artifact["id"]))
    if newest["size_in_bytes"] > LARGEST:
        sys.exit(f"error: the artifact is larger than {LARGEST} bytes")
    archive = gh(f"actions/artifacts/{newest['id']}/zip")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            if "report.md" not in files.namelist():
                return None
            with files.open("report.md") as file:
                content = file.read(LARGEST + 1)  # the archive's own word for its size may be false
            text = content.decode()
    except Exception as error:  # a broken archive can raise nearly anything
        sys.exit(f"error: the artifact cannot be read: {type(error).__name__}")
    if len(content) > LARGEST:
        sys.exit(f"error: report.md is larger than {LARGEST} bytes")
    return text


def comment(run: dict[str, Any], text: str | None) -> str:
    """The comment: the marker, the commit and run of the report, the report; at most LONGEST."""
    link, commit = f"[this run]({run['html_url']})", run["head_sha"][:10]
    if text is None:
        return f"{MARKER}\n**No preview of {commit}**: the run ended before its report, see {link}."
    # The bot may notify whole teams, a stranger may not.
    text = DROPPED.sub("", text).removeprefix(MARKER).lstrip()
    text = CALL.sub(lambda call: call[0] + BREAK, text)
    failed = "" if run["conclusion"] == "success" else ", **which failed**"
    head = f"{MARKER}\n<sub>Commit {commit}, from {link}{failed}.</sub>\n\n"
    if len(head) + len(text) > LONGEST:
        # Above the report, whose cut end may be inside a folded block.
        head += f"**Cut off at the end**; the whole report is in the artifact of {link}.\n\n"
    return (head + text)[:LONGEST]


def post(number: int, body: str) -> str:
    """Update the bot's comment, or create it; returns which."""
    pages = json.loads(gh(f"issues/{number}/comments?per_page=100", "--paginate", "--slurp"))
    for page in pages:
        for known in page:
            author = (known["user"] or {}).get("login")
            if author == BOT and (known["body"] or "").startswith(MARKER):
                gh(f"issues/comments/{int(known['id'])}", "--method=PATCH", body=body)
                return "updated"
    gh(f"issues/{number}/comments", "--method=POST", body=body)
    return "created"


def main() -> None:
    """Post the report of the run in the event `workflow_run`."""
    run = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())["workflow_run"]
    match pull_requests(run):
        case [number]:
            print(f"#{number}: comment {post(number, comment(run, report(run)))}")
        case []:
            print(f"no open pull request has the head {run['head_sha']}: nothing posted")
        case several:
            sys.exit(f"error: {several} have the same head; the report is of one, nothing posted")


if __name__ == "__main__":
    main()
