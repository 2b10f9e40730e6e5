"""The comment of a pull request: the real script, with a `gh` that answers from a file."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import comment
import pytest
from markdown_it import MarkdownIt

HEAD = "b1946ac92492d2347c6235b4d2611184"
FORK = {"id": 77, "owner": {"login": "stranger"}}
RUN: dict[str, Any] = {
    "id": 9,
    "head_sha": HEAD,
    "head_branch": "topic",
    "head_repository": FORK,
    "html_url": "https://github.test/team/data/actions/runs/9",
    "conclusion": "success",
    "pull_requests": [],  # as GitHub sends it for forks
}
REPORT = f"{comment.MARKER}\n# Changes in prod\n"

GH = """#!{python}
import json, pathlib, sys
state = pathlib.Path({state!r})
data = json.loads(state.read_text())
method = next((word[9:] for word in sys.argv if word.startswith("--method=")), "GET")
path = sys.argv[2].partition("?")[0].removeprefix("repos/team/data/")
data["calls"].append([method, path, *sys.argv[3:]])
if data["refuses"] == method:
    print("gh: no (HTTP 403)", file=sys.stderr)
    sys.exit(1)
match method, path.split("/"):
    case "GET", ["pulls"]:
        print(json.dumps(data["pulls"]))
    case "GET", ["actions", "runs", "9", "artifacts"]:
        print(json.dumps({{"artifacts": data["artifacts"]}}))
    case "GET", ["actions", "artifacts", "4", "zip"]:
        sys.stdout.buffer.write(state.with_name("artifact").read_bytes())
    case "GET", ["issues", "12", "comments"]:
        pages = data["comments"]
        print(json.dumps([pages[:2], pages[2:]] if "--paginate" in sys.argv else [pages[:2]]))
    case "POST", ["issues", "12", "comments"]:
        bot = {{"login": "github-actions[bot]"}}
        data["comments"].append({{"id": 99, "user": bot, **json.load(sys.stdin)}})
    case "PATCH", ["issues", "comments", number]:
        (known,) = (one for one in data["comments"] if one["id"] == int(number))
        known |= json.load(sys.stdin)
    case _:
        sys.exit(2)
state.write_text(json.dumps(data))
"""


def pull(number: int, sha: str = HEAD, repository: dict[str, Any] | None = FORK) -> dict[str, Any]:
    return {"number": number, "head": {"sha": sha, "repo": repository}}


def packed(**files: str | bytes) -> bytes:
    """An artifact; a double underscore in a name becomes a full stop."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return data.getvalue()


class GitHub:
    """What `gh` answers: the pull request 12, its comments, and the run's artifact."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state.json"
        self.data: dict[str, Any] = {
            "pulls": [pull(12)], "artifacts": [], "comments": [], "calls": [], "refuses": "",
        }  # fmt: skip
        self.artifact(packed(report__md=REPORT))
        gh = folder / "gh"
        gh.write_text(GH.format(python=sys.executable, state=str(self.state)))
        gh.chmod(0o755)

    def artifact(self, content: bytes, size: int | None = None) -> None:
        self.data["artifacts"] = [{"id": 4, "size_in_bytes": size or len(content)}]
        (self.folder / "artifact").write_bytes(content)

    def comment(self, body: str, user: str | None = comment.BOT) -> int:
        number = 1000 + len(self.data["comments"])
        author = None if user is None else {"login": user}
        self.data["comments"].append({"id": number, "body": body, "user": author})
        return number

    def run(self, code: int = 0, **event: Any) -> str:
        """Run the script for an event; all that it prints."""
        (self.folder / "event.json").write_text(json.dumps({"workflow_run": RUN | event}))
        self.state.write_text(json.dumps(self.data))
        done = subprocess.run(
            [sys.executable, "-I", "-S", comment.__file__],  # nothing is installed there
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
                "GITHUB_REPOSITORY": "team/data",
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.data = json.loads(self.state.read_text())
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def bodies(self) -> list[str]:
        return [known["body"] for known in self.data["comments"]]


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    return GitHub(tmp_path)


def test_the_first_run_creates_the_comment_and_the_next_one_updates_it(github: GitHub) -> None:
    assert github.run() == "#12: comment created\n"
    github.artifact(packed(report__md="newer"))
    assert github.run() == "#12: comment updated\n"
    (body,) = github.bodies()
    assert body.endswith("\n\nnewer")


def test_the_comment_is_found_on_a_later_page(github: GitHub) -> None:
    for number in range(4):
        github.comment(f"talk {number}", "somebody")
    mine = github.comment(f"{comment.MARKER}\nold")
    assert github.run() == "#12: comment updated\n"
    assert ["PATCH", f"issues/comments/{mine}", "--method=PATCH", "--input=-"] in github.data[
        "calls"
    ]


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("somebody", f"{comment.MARKER}\nlooks like it"),
        (comment.BOT, f"another workflow quotes {comment.MARKER}"),
        ("other-app[bot]", f"{comment.MARKER}\nanother app"),
        (None, f"{comment.MARKER}\nof a deleted account"),
    ],
)
def test_the_comments_of_others_are_never_edited(
    github: GitHub, user: str | None, text: str
) -> None:
    github.comment(text, user)
    assert github.run() == "#12: comment created\n"
    assert github.bodies()[0] == text


def test_the_number_is_github_s_and_not_the_artifact_s(github: GitHub) -> None:
    github.artifact(packed(number="13", report__md=f"{REPORT}\nnumber: 13"))
    assert github.run().startswith("#12")
    (lookup,) = (call for call in github.data["calls"] if call[1] == "pulls")
    assert lookup[-1] == "head=stranger:topic"
    assert {call[1] for call in github.data["calls"]} >= {"issues/12/comments"}


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [pull(12, sha="newer")],
        [pull(12, repository={"id": 5})],
        [pull(12, repository=None)],
    ],
    ids=["closed", "moved on", "another repository", "deleted fork"],
)
def test_only_the_pull_request_of_the_run_gets_it(
    github: GitHub, pulls: list[dict[str, Any]]
) -> None:
    github.data["pulls"] = pulls
    assert "nothing posted" in github.run()
    assert github.bodies() == []


def test_a_deleted_fork_gets_nothing(github: GitHub) -> None:
    assert "nothing posted" in github.run(head_repository=None)


def test_several_pull_requests_of_one_head_get_nothing(github: GitHub) -> None:
    github.data["pulls"] = [pull(12), pull(13)]
    assert "[12, 13] have the same head" in github.run(code=1)
    assert github.bodies() == []


def test_a_comment_names_its_commit_and_run(github: GitHub) -> None:
    github.run()
    (body,) = github.bodies()
    assert body.startswith(f"{comment.MARKER}\n<sub>Commit b1946ac924, from [this run](https://")
    assert body.endswith("\n# Changes in prod\n")
    assert body.count(comment.MARKER) == 1


def test_a_failed_run_says_so(github: GitHub) -> None:
    github.run(conclusion="failure")
    assert "**which failed**" in github.bodies()[0]


def test_a_run_without_a_report_says_so(github: GitHub) -> None:
    for artifact in (packed(other="x"), None):
        if artifact:
            github.artifact(artifact)
        else:
            github.data["artifacts"] = []
        github.run(conclusion="failure")
        assert "**No preview of b1946ac924**" in github.bodies()[0]


def test_a_report_prints_no_workflow_command(github: GitHub) -> None:
    commands = "::error::x\n::add-mask::12\n##[set-output name=a]b\n"
    github.artifact(packed(report__md=f"{commands}{REPORT}"))
    assert github.run(head_branch="::error::x") == "#12: comment created\n"
    github.artifact(packed(report__md=commands.encode() + b"\xff"))
    assert github.run(code=1) == "error: the artifact cannot be read: UnicodeDecodeError\n"


class Page(HTMLParser):
    """The texts and addresses of a rendered comment, as a browser reads them."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).enable("table").render(markdown))
        self.close()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, _: str, attributes: list[tuple[str, str | None]]) -> None:
        self.texts += [unquote(value or "") for _, value in attributes]


CALLS = re.compile(
    r"(?:^|\W)@\w|(?:^|\W|[\w-]/[\w.-]+)#\d|(?:^|\W)gh-\d|github\.com/\S+/(?:issues|pull|discussions)/\d",
    re.ASCII | re.IGNORECASE,
)
"""What GitHub makes a mention or a reference of: html-pipeline's MentionFilter, for which only
ASCII letters are letters, and the autolinked references of GitHub's documentation."""

HOSTILE = [
    "@octocat", "@team/all", "\\@team/all", "(@octocat)", "é@octocat", "你好@octocat", "_@octocat_",
    "&#64;octocat", "&#x040;team/all", "&#064octocat", "&commat;octocat", "&amp;commat;octocat",
    "@&#111;ctocat", "@&#111;rg/team", "@&#x6F;ctocat", "\\&#64;octocat", "x&#64;&#111;ctocat",
    "<div>&#64octocat</div>", "<div>&#x40octocat</div>", "<b>@</b>octocat", "@<b></b>octocat",
    "<div>@&#111ctocat</div>", "`@octocat`", "```\n@octocat\n```", "    @octocat", "@\x00octocat",
    "&\x01#64;octocat", "&\ufffe#64;octocat", "&\x00#64;octocat", "#\x0012",
    "[x](https://x.test '@octocat')", "<a title='&#64;octocat'>x</a>", "[@octocat]: x",
    "> @octocat", "- [ ] @octocat", "| @octocat |\n| --- |\n| &#64;octocat |", "~~@octocat~~",
    "fixes #12", "Closes: #12", "resolves GH-12", "gh-12", "éGH-12", "GH\\-12", "G&#72;-12",
    "&#35;12", "&num;12", "\\#12", "owner/repo#12", "owner/repo&#x23;12", "#&#49;2",
    "https://github.com/team/data/issues/12", "https://github.com/team/data/pull/12#issue-1",
    "<https://github.com/team/data/issues/12>", "[x](https://github.com/team/data/pull/12)",
    "[x](https:\\/\\/github.com\\/team\\/data\\/issues\\/12)",
    "octocat@b1946ac92492d2347c6235b4d261", "#<x></x>12", "<x>#</x>12",
    "[x](https://github.com/team/data/issu&#101;s/12)", "[x]\n\n[x]: https://github.com/o/r/pull/1",
    "https://github.com/team/data/discussions/12", "<a href='https://github.com/o/r/Pull/1'>x</a>",
]  # fmt: skip


def test_the_rules_find_calls() -> None:
    """Without the script, most of these call somebody."""
    quiet = [text for text in HOSTILE if not any(map(CALLS.search, Page(text).texts))]
    assert len(quiet) < len(HOSTILE) / 3, quiet


def test_a_report_calls_nobody() -> None:
    for written in HOSTILE:
        for text in (written, f"text {written} text", f"{written}{written}", f"\n\n{written}"):
            page = Page(comment.comment(RUN, f"{REPORT}{text}"))
            # Joined too, because tags that a sanitizer removes join what they separate.
            found = [call for call in (*page.texts, "".join(page.texts)) if CALLS.search(call)]
            assert not found, written


def test_what_calls_nobody_stays_as_it_is() -> None:
    report = "# Changes\n## 🔵 `prod`: 2 changed & more\n- `a && b`, b1946ac924, 10.0.0.1/8, C#\n"
    assert comment.comment(RUN, report).endswith(report)
    text = comment.comment(RUN, f"{REPORT}`image@sha256:1`")
    assert text.endswith("`image@\u200bsha256:1`")


def test_a_long_report_is_cut_and_says_so_above() -> None:
    text = comment.comment(RUN, REPORT + "é" * 70_000)
    assert len(text) == comment.LONGEST
    assert text.index("**Cut off at the end**") < text.index("# Changes")
    fits = comment.LONGEST - len(comment.comment(RUN, ""))
    assert "Cut off" not in comment.comment(RUN, "x" * fits)
    assert "Cut off" in comment.comment(RUN, "x" * (fits + 1))


def _bomb() -> bytes:
    return packed(report__md=b"\0" * (comment.LARGEST + 1))


def _lie() -> bytes:
    """An archive whose directory says that the large file is small."""
    size = (comment.LARGEST + 1).to_bytes(4, "little")
    return _bomb().replace(size, (5).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (b"no archive", "cannot be read"),
        (packed(report__md=b"\xff\xfe"), "cannot be read"),
        (_bomb(), "report.md is larger than 4000000 bytes"),
        (_lie(), "cannot be read"),
    ],
    ids=["no archive", "no text", "bomb", "false size"],
)
def test_an_unusable_artifact_is_refused(github: GitHub, archive: bytes, message: str) -> None:
    github.artifact(archive)
    assert message in github.run(code=1)
    assert github.bodies() == []


def test_a_large_artifact_is_not_fetched(github: GitHub) -> None:
    github.artifact(b"", size=comment.LARGEST + 1)
    assert "larger than 4000000 bytes" in github.run(code=1)
    assert not [call for call in github.data["calls"] if call[1].endswith("/zip")]


def test_files_of_an_artifact_stay_packed(github: GitHub) -> None:
    github.artifact(packed(report__md="x", **{"../outside": "y"}))
    github.run()
    assert not (github.folder.parent / "outside").exists()


def test_a_refusal_is_one_line_below_github_s_reason(github: GitHub) -> None:
    github.data["refuses"] = "POST"
    assert github.run(code=1) == (
        "gh: no (HTTP 403)\nerror: GitHub refused issues/12/comments; the reason is above\n"
    )
