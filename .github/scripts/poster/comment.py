"""The one comment of a pull request: found by its first line, updated in place."""

import re
from typing import Any

from .api import Api, UncertainError
from .report import Report

MARKER = "<!-- airflow-kubernetes-preview -->"
LONGEST = 65_536
"""Characters of a comment that GitHub takes."""
BOT = "github-actions[bot]"
"""Who writes with a workflow's own token."""
MENTION = re.compile(r"(?<!\w)(?:@|&(?:#0*64|#[xX]0*40|commat);)(?=\w)")


def body(report: Report, run: dict[str, Any]) -> str:
    """The comment's text: the marker, which run of which commit it is of, the report."""
    where = f"[this run]({run['html_url']})"
    commit = run["head_sha"][:10]
    if report.markdown is None:
        return (
            f"{MARKER}\n**No preview of {commit}**: it ended before there was one, see {where}.\n"
        )
    # The bot may call whole teams, a stranger may not: a space of no width makes it a plain word.
    text = MENTION.sub("@\u200b", report.markdown.removeprefix(MARKER).lstrip())
    failed = "" if run["conclusion"] == "success" else ", **which failed**"
    head = f"{MARKER}\n<sub>Commit {commit}, from {where}{failed}.</sub>\n"
    if len(head) + len(text) + 1 > LONGEST:
        # Above the text, because its end may be inside a block that hides what comes after it.
        head += f"\n**Cut off at the end**; the whole report is in the artifact of {where}.\n"
        text = text[: LONGEST - len(head) - 1]
    return f"{head}\n{text}"


def write(api: Api, repository: str, number: int, text: str) -> str:
    """Update the comment, or create it; says which. Raises ApiError.

    Several, as two runs at a time may leave them, become one: the oldest stays where people have
    seen it, the others would go on showing an outdated preview and are deleted.
    """
    for _ in range(2):
        mine = _own(api, repository, number)
        if mine:
            return _update(api, repository, mine, text)
        try:
            api.send("POST", f"/repos/{repository}/issues/{number}/comments", {"body": text})
        except UncertainError as error:
            print(f"{error}; looking whether it was created", flush=True)
            lost = error
        else:
            return "created"
    mine = _own(api, repository, number)
    if mine:
        return _update(api, repository, mine, text)
    raise lost


def _update(api: Api, repository: str, mine: list[int], text: str) -> str:
    comments = f"/repos/{repository}/issues/comments"
    oldest, *others = mine
    api.send("PATCH", f"{comments}/{oldest}", {"body": text})
    for other in others:
        api.send("DELETE", f"{comments}/{other}")
    return f"updated, {len(others)} others deleted" if others else "updated"


def _own(api: Api, repository: str, number: int) -> list[int]:
    """Ids of the bot's comments with the marker, oldest first."""
    path = f"/repos/{repository}/issues/{number}/comments?per_page=100"
    return sorted(
        int(comment["id"])
        for page in api.pages(path)
        for comment in page
        if comment["user"] is not None  # whose account is gone
        and comment["user"]["login"] == BOT
        and (comment["body"] or "").startswith(MARKER)
    )
