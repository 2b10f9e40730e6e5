"""The steps that are more than one command, with git and without GitHub."""

import os
import subprocess
from pathlib import Path

import pytest

from .test_workflows import ROOT, WORKFLOWS

LOCK = next(step["run"] for step in WORKFLOWS["deploy"]["jobs"]["lock"]["steps"] if step.get("id"))
COMMIT = next(
    step["run"] for step in WORKFLOWS["deploy-prod"]["jobs"]["commit"]["steps"] if step.get("id")
)
STILL = WORKFLOWS["deploy-prod"]["jobs"]["prod"]["steps"][0]["run"]


class Runner:
    """A checkout, a `gh` that notes how it is called and answers `says`, GitHub's files."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        self.output, self.summary, self.calls = (folder / x for x in ("out", "summary", "calls"))
        self.output.touch()
        programs = folder / "bin"
        programs.mkdir()
        gh = programs / "gh"
        gh.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$*" >> {self.calls}\n'
            '[ -z "$FAILS" ] || case "$*" in *"$FAILS"*) exit 1 ;; esac\nprintf "%s\\n" "$SAYS"\n'
        )
        gh.chmod(0o755)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_REPOSITORY": "team/data",
            "GITHUB_REF_NAME": "main",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@test",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@test",
        }  # fmt: skip
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *args: str) -> str:
        command = ["git", *args]
        return subprocess.run(
            command, cwd=self.checkout, env=self.environment, check=True, capture_output=True,
            text=True,
        ).stdout.strip()  # fmt: skip

    def commit(self, name: str) -> str:
        (self.checkout / "images.lock.yaml").write_text(name)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", name)
        return self.git("rev-parse", "HEAD")

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """As GitHub runs a step."""
        return subprocess.run(
            ["bash", "-e", "-c", script], cwd=self.checkout, env=self.environment | variables,
            check=False, capture_output=True, text=True,
        )  # fmt: skip


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_a_lock_without_changes_is_not_committed(runner: Runner) -> None:
    head = runner.commit("one")
    assert runner.run(LOCK, GITHUB_SHA=head).returncode == 0
    assert runner.output.read_text() == f"commit={head}\n"
    assert not runner.calls.exists()


def test_a_changed_lock_is_committed_and_deployed(runner: Runner) -> None:
    head = runner.commit("one")
    (runner.checkout / "images.lock.yaml").write_text("two")
    done = runner.run(LOCK, GITHUB_SHA=head, SAYS=f"newer {head}")
    assert done.returncode == 0, done.stderr
    assert runner.output.read_text() == "commit=newer\n"
    call = runner.calls.read_text()
    assert "--method PUT repos/team/data/contents/images.lock.yaml" in call
    assert "content=dHdv " in call  # two
    assert f"sha={runner.git('rev-parse', 'HEAD:images.lock.yaml')} " in call
    assert "[skip ci]" in call


def test_a_lock_on_a_newer_main_is_for_its_own_run_to_deploy(runner: Runner) -> None:
    head = runner.commit("one")
    (runner.checkout / "images.lock.yaml").write_text("two")
    done = runner.run(LOCK, GITHUB_SHA=head, SAYS="newer another")
    assert done.returncode == 0
    assert "main has moved on" in done.stdout
    assert runner.output.read_text() == ""


def test_a_lock_that_main_does_not_take_is_a_failure(runner: Runner) -> None:
    head = runner.commit("one")
    (runner.checkout / "images.lock.yaml").write_text("two")
    assert runner.run(LOCK, GITHUB_SHA=head, FAILS="PUT").returncode != 0
    assert runner.output.read_text() == ""


@pytest.mark.parametrize("deployed", [True, False])
def test_prod_takes_the_commit_that_dev_runs(runner: Runner, deployed: bool) -> None:
    first, second = runner.commit("one"), runner.commit("two")
    if deployed:
        runner.git("update-ref", "refs/remotes/origin/deployed/prod", first)
    main = runner.commit("not in dev yet")
    runner.git("checkout", "--quiet", second)
    done = runner.run(COMMIT, GITHUB_SHA=main)
    assert done.returncode == 0, done.stderr
    assert runner.output.read_text() == f"commit={second}\n"
    assert runner.summary.read_text() == f"Commits that are new in prod:\n- {second[:7]} two\n"


def test_prod_refuses_what_is_not_on_main(runner: Runner) -> None:
    main = runner.commit("one")
    runner.commit("manual")
    done = runner.run(COMMIT, GITHUB_SHA=main)
    assert done.returncode == 1
    assert "deployed/dev is not on main" in done.stdout
    assert runner.output.read_text() == ""


def test_prod_refuses_once_dev_has_moved_on(runner: Runner) -> None:
    assert runner.run(STILL, COMMIT="abc", SAYS="abc").returncode == 0
    done = runner.run(STILL, COMMIT="abc", SAYS="def")
    assert done.returncode == 1
    assert "dev runs def now, this run is for abc" in done.stdout


@pytest.mark.parametrize(("fails", "method"), [("", "PATCH"), ("git/ref/heads", "POST")])
def test_what_runs_is_recorded_in_a_branch(runner: Runner, fails: str, method: str) -> None:
    script = str(ROOT / ".github/scripts/record.sh")
    done = runner.run(f"{script} prod abc", FAILS=fails)
    assert done.stdout.endswith("deployed/prod is abc\n"), done.stderr
    assert f"--method {method} " in runner.calls.read_text().splitlines()[-1]
