"""The comment of a pull request, against a server that speaks GitHub's calls."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from poster import comment, report
from poster.__main__ import main
from poster.api import PATIENCE, Api, ApiError

from .server import FORK, HEAD, REPOSITORY, TOKEN, GitHub, Refusal, packed, serve

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
RUN: dict[str, Any] = {
    "id": 9,
    "head_sha": HEAD,
    "head_repository": FORK,
    "html_url": "https://github.test/team/data/actions/runs/9",
    "conclusion": "success",
}
REPORT = f"{comment.MARKER}\n# Changes in prod\n"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serve(GitHub(artifact=packed(number="12\n", report__md=REPORT))) as server:
        yield server


@pytest.fixture
def waits(github: GitHub) -> list[float]:
    return []


@pytest.fixture
def api(github: GitHub, waits: list[float]) -> Api:
    return Api(github.url, TOKEN, sleep=waits.append, now=lambda: 1_000_000.0)


def write(api: Api, text: str = f"{comment.MARKER}\nnew") -> str:
    return comment.write(api, REPOSITORY, 12, text)


def test_the_first_preview_makes_a_comment_and_the_next_one_changes_it(
    github: GitHub, api: Api
) -> None:
    assert write(api, f"{comment.MARKER}\none") == "created"
    assert write(api, f"{comment.MARKER}\ntwo") == "updated"
    assert github.bodies() == [f"{comment.MARKER}\ntwo"]


def test_the_comment_is_found_on_the_third_page(github: GitHub, api: Api) -> None:
    for number in range(230):
        github.comment(f"talk {number}", "somebody")
    mine = github.comment(f"{comment.MARKER}\nold")
    github.comment("more talk", None)
    assert write(api) == "updated"
    assert [one["id"] for one in github.comments if "new" in one["body"]] == [mine]
    assert len([one for one in github.requests if one.startswith("GET")]) == 3


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("somebody", f"{comment.MARKER}\nlooks like it"),
        ("github-actions[bot]", f"another workflow quotes {comment.MARKER}"),
        ("other-app[bot]", f"{comment.MARKER}\nanother app"),
        (None, f"{comment.MARKER}\nof a deleted account"),
    ],
)
def test_the_comments_of_others_stay_as_they_are(
    github: GitHub, api: Api, user: str | None, text: str
) -> None:
    github.comment(text, user)
    assert write(api) == "created"
    assert github.bodies() == [text, f"{comment.MARKER}\nnew"]


def test_of_several_the_oldest_stays(github: GitHub, api: Api) -> None:
    oldest = github.comment(f"{comment.MARKER}\na")
    github.comment(f"{comment.MARKER}\nb")
    github.comment("talk", "somebody")
    assert write(api) == "updated, 1 others deleted"
    assert [one["id"] for one in github.comments] == [oldest, 1002]


@pytest.mark.parametrize(
    ("status", "message", "headers", "seconds"),
    [
        (429, "slow down", {"Retry-After": "7"}, 7),
        (403, "slow down", {"Retry-After": "7"}, 7),
        (403, "x", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000030"}, 31),
        (403, "You have exceeded a secondary rate limit", {}, 60),
    ],
)
def test_a_rate_limit_is_waited_for(
    github: GitHub, api: Api, waits: list[float], status: int, message: str,
    headers: dict[str, str], seconds: float,
) -> None:  # fmt: skip
    github.refusals = [Refusal("POST", status, message, headers)]
    assert write(api) == "created"
    assert waits == [seconds]
    assert len(github.comments) == 1


def test_a_long_rate_limit_is_an_error(github: GitHub, api: Api, waits: list[float]) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(1_000_000 + int(PATIENCE))}
    github.refusals = [Refusal("GET", 403, "API rate limit exceeded", headers)]
    with pytest.raises(ApiError, match="too long to wait, run it again later"):
        write(api)
    assert waits == []


def test_a_server_in_trouble_is_asked_again(github: GitHub, api: Api, waits: list[float]) -> None:
    github.comment(f"{comment.MARKER}\nold")
    github.refusals = [Refusal("GET", 502), Refusal("GET", 0), Refusal("PATCH", 503)]
    assert write(api) == "updated"
    assert waits == [1, 2, 1]


def test_a_server_that_stays_in_trouble_is_an_error(
    github: GitHub, api: Api, waits: list[float]
) -> None:
    github.refusals = [Refusal("GET", 500) for _ in range(4)]
    with pytest.raises(ApiError, match=r"HTTP 500, no, 4 times"):
        write(api)
    assert waits == [1, 2, 4]


@pytest.mark.parametrize("status", [502, 0])
@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_makes_no_second_comment(
    github: GitHub, api: Api, status: int, after: bool
) -> None:
    github.refusals = [Refusal("POST", status, after=after)]
    assert write(api) == ("updated" if after else "created")
    assert github.bodies() == [f"{comment.MARKER}\nnew"]


def test_a_network_that_is_away_is_an_error(waits: list[float]) -> None:
    api = Api("http://127.0.0.1:9", TOKEN, sleep=waits.append)
    with pytest.raises(ApiError, match=r"no answer .*refused.*, 4 times"):
        write(api)


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (Refusal("POST", 403, "Resource not accessible by integration"), "needs the permissions"),
        (Refusal("POST", 404, "Not Found"), "the token may not see it"),
        (Refusal("POST", 422, "Validation Failed", errors=["a text"]), "Failed; a text"),
    ],
)
def test_a_refusal_is_told_at_once(
    github: GitHub, api: Api, waits: list[float], refusal: Refusal, message: str
) -> None:
    github.refusals = [refusal]
    with pytest.raises(ApiError, match=message):
        write(api)
    assert waits == []
    assert github.comments == []


def test_a_comment_that_is_too_long_is_told_with_githubs_reason(api: Api) -> None:
    with pytest.raises(ApiError, match="HTTP 422, Validation Failed; body is too long"):
        write(api, "x" * 65_537)


def test_a_wrong_token_is_told_and_not_shown(github: GitHub) -> None:
    with pytest.raises(ApiError, match="HTTP 401, Bad credentials") as caught:
        write(Api(github.url, "wrong-secret"))
    assert "wrong-secret" not in str(caught.value)


def test_the_token_does_not_follow_to_where_artifacts_are(github: GitHub, api: Api) -> None:
    assert report.of_run(api, REPOSITORY, RUN) == report.Report(12, REPORT)
    (headers,) = github.stored
    assert "Authorization" not in headers


def test_a_body_says_of_which_commit_it_is() -> None:
    text = comment.body(report.Report(12, REPORT), RUN)
    assert text.startswith(f"{comment.MARKER}\n<sub>Commit b1946ac924, from [this run](https://")
    assert text.endswith("\n# Changes in prod\n")
    assert text.count(comment.MARKER) == 1


def test_a_failed_run_says_so() -> None:
    failed = RUN | {"conclusion": "failure"}
    assert "**which failed**" in comment.body(report.Report(12, REPORT), failed)
    assert "**No preview of b1946ac924**" in comment.body(report.Report(12, None), failed)


@pytest.mark.parametrize(
    "written", ["@team/all", "&#64;team/all", "&#x040;team/all", "\\@team/all"]
)
def test_a_report_calls_nobody(written: str) -> None:
    text = comment.body(report.Report(12, f"{REPORT}{written} image@sha256:1"), RUN)
    assert "@\u200bteam/all" in text
    assert not comment.MENTION.search(text)
    assert "image@sha256:1" in text


def test_a_long_report_is_cut_and_says_so_above() -> None:
    text = comment.body(report.Report(12, REPORT + "é" * 70_000), RUN)
    assert len(text) == comment.LONGEST
    assert text.index("**Cut off at the end**") < text.index("# Changes")
    exact = comment.LONGEST - len(comment.body(report.Report(12, ""), RUN))
    assert "Cut off" not in comment.body(report.Report(12, "x" * exact), RUN)
    assert "Cut off" in comment.body(report.Report(12, "x" * (exact + 1)), RUN)


def _bomb() -> bytes:
    return packed(number="12", report__md=b"\0" * (report.LARGEST + 1))


def _lie() -> bytes:
    """An archive whose directory says that the large file is small."""
    data = bytearray(_bomb())
    size = (report.LARGEST + 1).to_bytes(4, "little")
    return bytes(data.replace(size, (5).to_bytes(4, "little")))


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (b"no archive", "cannot be read"),
        (packed(report__md=REPORT), "holds no number"),
        (packed(number="12; rm -rf /"), "holds no number"),
        (packed(number="²"), "holds no number"),
        (packed(number="1" * 10), "holds no number"),
        (packed(number="12", report__md=b"\xff\xfe"), "cannot be read"),
        (_bomb(), "more than 4000000 bytes"),
        (_lie(), "cannot be read"),
    ],
)
def test_a_strange_artifact_is_refused(archive: bytes, message: str) -> None:
    with pytest.raises(report.ReportError, match=message):
        report.unpack(archive)


def test_files_of_an_artifact_stay_packed() -> None:
    data = BytesIO(packed(number="3", report__md="x"))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("../../outside", "y")
    assert report.unpack(data.getvalue()) == report.Report(3, "x")


def test_a_large_artifact_is_not_fetched(github: GitHub, api: Api) -> None:
    github.claimed_size = report.LARGEST + 1
    with pytest.raises(report.ReportError, match="4000001 bytes"):
        report.of_run(api, REPOSITORY, RUN)
    assert len(github.requests) == 1


def run_main(github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **run: object) -> int:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"workflow_run": RUN | run}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return main()


def test_the_whole_way(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert run_main(github, tmp_path, monkeypatch) == 0
    assert capsys.readouterr().out == "#12: comment created\n"
    assert "# Changes in prod" in github.bodies()[0]


@pytest.mark.parametrize(
    ("pull", "code", "said"),
    [
        ({"head": {"sha": "newer", "repo": FORK}}, 0, "has moved on"),
        ({"state": "closed"}, 0, "has moved on"),
        ({"head": {"sha": HEAD, "repo": {"id": 5}}}, 1, "run is of, stranger/data"),
        ({"head": {"sha": HEAD, "repo": None}}, 1, "run is of, stranger/data"),
    ],
)
def test_only_the_pull_request_that_the_run_is_of_gets_it(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], pull: dict[str, Any], code: int, said: str,
) -> None:  # fmt: skip
    github.pull |= pull
    assert run_main(github, tmp_path, monkeypatch) == code
    output = capsys.readouterr()
    assert said in output.out + output.err
    assert github.comments == []


def test_an_error_is_one_line_and_exit_code_1(
    github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    github.artifact = None
    assert run_main(github, tmp_path, monkeypatch) == 1
    assert capsys.readouterr().err == "error: run 9 has no artifact preview\n"


def test_it_runs_without_anything_installed(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c"]
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import poster.__main__"
    subprocess.run([*command, code], check=True, cwd=tmp_path)
