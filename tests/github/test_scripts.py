"""The steps that are more than one command, with git and without GitHub."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from .test_workflows import ROOT, STEPS, WORKFLOWS

LOCK = next(step["run"] for step in WORKFLOWS["deploy"]["jobs"]["lock"]["steps"] if step.get("id"))
COMMIT = next(
    step["run"] for step in WORKFLOWS["deploy-prod"]["jobs"]["commit"]["steps"] if step.get("id")
)
DRIFT = next(step["run"] for step in WORKFLOWS["drift"]["jobs"]["drift"]["steps"] if "run" in step)
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


@pytest.fixture
def deployed(runner: Runner) -> dict[str, str]:
    """Commits of a clone of a repository with the branch deployed/prod; main is checked out."""
    commits = {"first": runner.commit("one"), "second": runner.commit("two")}
    runner.git("checkout", "--quiet", "-b", "evil", commits["first"])
    commits["evil"] = runner.commit("evil")
    runner.git("checkout", "--quiet", "main")
    return commits


def test_drift_runs_the_commit_that_was_deployed(runner: Runner, deployed: dict[str, str]) -> None:
    for name in ("first", "second"):
        runner.git("checkout", "--quiet", "main")
        runner.git("update-ref", "refs/remotes/origin/deployed/prod", deployed[name])
        done = runner.run(DRIFT, ENVIRONMENT="prod")
        assert done.returncode == 0, done.stderr
        assert runner.git("rev-parse", "HEAD") == deployed[name]


def test_drift_runs_nothing_that_is_not_on_main(runner: Runner, deployed: dict[str, str]) -> None:
    runner.git("update-ref", "refs/remotes/origin/deployed/prod", deployed["evil"])
    # Neither a tag nor a local branch of that name takes precedence.
    runner.git("tag", "deployed/prod", deployed["first"])
    runner.git("tag", "origin/deployed/prod", deployed["first"])
    done = runner.run(DRIFT, ENVIRONMENT="prod")
    assert done.returncode == 1
    assert "deployed/prod is not on main: somebody moved it" in done.stdout
    assert (runner.checkout / "images.lock.yaml").read_text() == "two"
    assert runner.run(DRIFT, ENVIRONMENT="dev").returncode != 0
    assert (runner.checkout / "images.lock.yaml").read_text() == "two"


GH = """#!/bin/sh
case "$*" in
  *matching-refs*) cat "$HOME/branches" ;;
  *environments/*) for name in $REVIEWED; do
      case "$*" in *"/environments/$name-preview "*) echo 2; exit ;; esac
    done
    case "$*" in *"/environments/dev-preview "*) echo 0; exit ;; esac
    echo "gh: Not Found (HTTP 404)" >&2; exit 1 ;;
esac
"""


def environments(runner: Runner, *arguments: str, reviewed: str = "") -> tuple[str, str]:
    """What environments.sh prints, of dev, prod, staging-2 and branches of other names."""
    names = ["dev", "prod", "staging-2", "nowhere", "x;id", "$(id)", "Prod", "common", "../prod"]
    (runner.checkout.parent / "branches").write_text(
        "".join(f"refs/heads/deployed/{name}\n" for name in names)
    )
    folder = runner.checkout / "values"
    folder.mkdir(exist_ok=True)
    for name in ["dev", "prod", "staging-2", "x;id", "$(id)", "Prod", "common", "not-deployed"]:
        (folder / f"{name}.yaml").touch()
    (runner.checkout.parent / "bin" / "gh").write_text(GH)
    script = str(ROOT / ".github/scripts/environments.sh")
    done = runner.run(" ".join([script, *arguments]), REVIEWED=reviewed)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_an_environment_is_deployed_and_has_values_on_main(runner: Runner) -> None:
    assert environments(runner)[0] == '["dev","prod","staging-2"]'


def test_a_live_preview_is_only_where_reviewers_are_required(runner: Runner) -> None:
    names, said = environments(runner, "preview", reviewed="prod")
    assert names == '["prod"]'
    assert "::notice::the GitHub environment dev-preview requires no reviewers" in said
    assert "::notice::the GitHub environment staging-2-preview requires no reviewers" in said
    assert environments(runner, "preview")[0] == "[]"


@pytest.mark.parametrize(
    ("rules", "reviewers"),
    [
        ([], 0),
        ([{"type": "wait_timer", "wait_timer": 5}, {"type": "branch_policy"}], 0),
        ([{"type": "required_reviewers", "reviewers": []}], 0),
        ([{"type": "required_reviewers", "reviewers": [{"type": "User"}, {"type": "Team"}]}], 2),
    ],
)
def test_reviewers_are_counted(rules: list[dict[str, object]], reviewers: int) -> None:
    """With jq, whose language `gh --jq` has."""
    text = (ROOT / ".github/scripts/environments.sh").read_text()
    query = text.partition("reviewers='")[2].partition("'")[0]
    answer = json.dumps({"name": "prod-preview", "protection_rules": rules})
    done = subprocess.run(["jq", query], input=answer, capture_output=True, text=True, check=True)
    assert int(done.stdout) == reviewers


def test_azure_s_tokens_come_from_its_cli(runner: Runner) -> None:
    (script,) = (step["run"] for step in STEPS if "az aks" in step.get("run", ""))
    kubeconfig = runner.checkout.parent / "kubeconfig"
    user = {"command": "kubelogin", "args": ["get-token"], "apiVersion": "x/v1beta1"}
    config = {
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "dev", "cluster": {"server": "https://dev.test"}}],
        "users": [{"name": "clusterUser_rg.x_dev", "user": {"exec": user}}],
        "contexts": [{"name": "airflow-dev",
                      "context": {"cluster": "dev", "user": "clusterUser_rg.x_dev"}}],
    }  # fmt: skip
    kubeconfig.write_text(json.dumps(config))
    az = runner.checkout.parent / "bin" / "az"
    az.write_text("#!/bin/sh\nexit 0\n")
    az.chmod(0o755)
    (step,) = (step for step in STEPS if step.get("run") == script)
    done = runner.run(
        script, KUBECONFIG=str(kubeconfig), GROUP="rg.x", NAME="dev", CONTEXT="airflow-dev",
        CREDENTIAL=step["env"]["CREDENTIAL"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (found,) = yaml.safe_load(kubeconfig.read_text())["users"]
    assert found["user"]["exec"]["command"] == "az"
    assert found["user"]["exec"]["args"] == [
        "account", "get-access-token", "--resource", "6dae42f8-4368-4678-94ff-3960e28e3630",
        "--output", "json", "--query", step["env"]["CREDENTIAL"],
    ]  # fmt: skip


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
