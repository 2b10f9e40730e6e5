"""What the workflows may do: everything about them that matters and that no linter knows."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.environment import load

from tests.cluster.conftest import PORT, PORT_ELSEWHERE

ROOT = Path(__file__).parents[2]


def read(file: Path) -> dict[str, Any]:
    """The file with all values as text: `on` is a word, and `true` too."""
    data: dict[str, Any] = yaml.load(file.read_text(), Loader=yaml.BaseLoader)  # noqa: S506
    return data


FILES = sorted((ROOT / ".github").glob("**/*.yml"))
WORKFLOWS: dict[str, dict[str, Any]] = {
    file.stem: read(file) for file in FILES if file.parent.name == "workflows"
}
ACTIONS = [read(file) for file in FILES if file.name == "action.yml"]
JOBS = {
    f"{workflow}.{name}": job
    for workflow, content in WORKFLOWS.items()
    for name, job in content["jobs"].items()
}
STEPS = [step for job in JOBS.values() for step in job["steps"]] + [
    step for action in ACTIONS for step in action["runs"]["steps"]
]


def text(workflow: str) -> str:
    return (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text()


def test_nothing_runs_a_strangers_code_with_more_than_a_read_token() -> None:
    by_event: dict[str, set[str]] = {}
    for name, workflow in WORKFLOWS.items():
        for event in workflow["on"]:
            by_event.setdefault(event, set()).add(name)
    assert by_event["pull_request"] == {"checks", "preview", "live-preview", "kind"}
    assert by_event["workflow_run"] == {"comment"}
    assert set(by_event) == {
        "pull_request", "push", "schedule", "workflow_dispatch", "workflow_run",
    }  # fmt: skip


def test_every_job_has_the_permissions_that_it_needs() -> None:
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())
    more = {
        name: {scope: level for scope, level in job["permissions"].items() if scope != "contents"}
        for name, job in JOBS.items()
    }
    assert {name: granted for name, granted in more.items() if granted} == {
        "comment.comment": {"actions": "read", "pull-requests": "write"},
        "deploy.images": {"id-token": "write"},
        "deploy.dev": {"id-token": "write"},
        "deploy-prod.prod": {"id-token": "write"},
        "drift.drift": {"id-token": "write"},
        "live-preview.environments": {"actions": "read"},
        "live-preview.preview": {"id-token": "write"},
    }
    writers = {name for name, job in JOBS.items() if job["permissions"]["contents"] != "read"}
    assert writers == {"deploy.lock", "deploy.record", "deploy-prod.record"}


@pytest.mark.parametrize("workflow", ["checks", "preview", "kind"])
def test_what_forks_start_sees_no_secret(workflow: str) -> None:
    assert not re.search(r"secrets\.|vars\.|github\.token|environment:", text(workflow))


def test_the_live_preview_is_asked_for_and_of_branches_of_this_repository() -> None:
    jobs = WORKFLOWS["live-preview"]["jobs"]
    condition = jobs["environments"]["if"]
    assert "vars.LIVE_PREVIEW == 'true'" in condition
    assert "github.event.pull_request.head.repo.full_name == github.repository" in condition
    assert jobs["preview"]["needs"] == "environments"
    checkout, listed = jobs["environments"]["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert "environments.sh preview" in listed["run"]


def test_what_has_a_secret_or_may_write_starts_on_the_default_branch() -> None:
    """Not `github.ref_name`, which is `main` for a tag of that name too."""
    for workflow in ("deploy", "deploy-prod", "drift"):
        first = next(iter(WORKFLOWS[workflow]["jobs"].values()))
        condition = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
        assert condition in " ".join(first["if"].split())
        others = [*WORKFLOWS[workflow]["jobs"].values()][1:]
        assert all(job["needs"] for job in others)
    assert all("github.ref_name" not in job.get("if", "") for job in JOBS.values())


def test_a_job_that_writes_to_the_repository_has_its_secret_to_itself() -> None:
    """A secret of the repository is given to any workflow of any branch."""
    writers = {name for name, job in JOBS.items() if "contents: write" in yaml.dump(job)}
    assert writers == {"deploy.lock", "deploy.record", "deploy-prod.record"}
    for name, job in JOBS.items():
        assert (
            ("LOCK_TOKEN" in repr(job)) == (job.get("environment") == "lock") == (name in writers)
        ), name
        assert "secrets." not in repr(job) or job.get("environment"), name


def test_no_job_runs_a_branch_that_can_be_moved() -> None:
    """What is checked out by a name that a push can move runs nothing before it is verified."""
    for name, job in JOBS.items():
        for index, step in enumerate(job["steps"]):
            if "deployed/" not in step.get("with", {}).get("ref", ""):
                continue
            later = job["steps"][index + 1 :]
            assert not [x for x in later if "uses" in x or "./" in x["run"]], name
    steps = JOBS["drift.drift"]["steps"]
    assert steps[0]["with"]["ref"] == "${{ github.ref }}"
    assert "merge-base --is-ancestor" in steps[1]["run"]
    assert all("uses" not in step or step["uses"].startswith("./") for step in steps[2:])


def test_nothing_is_downloaded_beside_a_login() -> None:
    (action,) = (action for action in ACTIONS if action["name"] == "cluster")
    names = [step["uses"] for step in action["runs"]["steps"] if "uses" in step]
    assert names[0] == "./.github/actions/pulumi"
    scripts = "\n".join(step["run"] for step in action["runs"]["steps"] if "run" in step)
    assert not re.search(r"curl|wget|install|pip |go run|npx", scripts)


def test_no_cache_is_shared_between_runs() -> None:
    """What a pull request's run has written must not run with a deployment's rights."""
    assert not [step for step in STEPS if "actions/cache" in step.get("uses", "")]
    for step in STEPS:
        options = step.get("with", {})
        assert options.get("cache", "false") == "false"
        assert "setup-go@" not in step.get("uses", "") or options["cache"] == "false"
        assert not {"cache-from", "cache-to"} & options.keys()


def test_an_artifact_is_unpacked_outside_of_the_checkout() -> None:
    downloads = [step for step in STEPS if "download-artifact@" in step.get("uses", "")]
    assert [step["with"]["path"] for step in downloads] == ["${{ runner.temp }}/lock"]
    assert not [step for step in downloads if "run-id" in step["with"]]


def test_the_comment_runs_the_default_branch_alone() -> None:
    checkout, run = WORKFLOWS["comment"]["jobs"]["comment"]["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert run["run"] == "python3 .github/scripts/comment.py"
    assert WORKFLOWS["comment"]["on"]["workflow_run"]["workflows"] == [WORKFLOWS["preview"]["name"]]


def test_who_may_log_in_to_a_cloud_is_behind_an_environment() -> None:
    found = {
        name: job.get("environment")
        for name, job in JOBS.items()
        if job["permissions"].get("id-token") == "write"
    }
    assert found == {
        "deploy.images": "dev",
        "deploy.dev": "dev",
        "deploy-prod.prod": "prod",
        "drift.drift": "${{ matrix.environment }}-drift",
        "live-preview.preview": "${{ matrix.environment }}-preview",
    }


def test_every_action_is_pinned_by_its_commit() -> None:
    found: dict[str, set[str]] = {}
    for file in FILES:
        for line in file.read_text().splitlines():
            if uses := re.search(r"uses: (.+)", line):
                if uses[1].startswith("./"):
                    continue
                pinned = re.fullmatch(r"([\w./-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)", uses[1])
                assert pinned, line
                found.setdefault(pinned[1], set()).add(pinned[2])
    assert all(len(commits) == 1 for commits in found.values()), found


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [step for step in STEPS if "checkout@" in step.get("uses", "")]
    assert len(checkouts) > 5
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


def test_scripts_hold_no_expressions() -> None:
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_every_job_ends_some_time() -> None:
    assert all(int(job["timeout-minutes"]) <= 90 for job in JOBS.values())


def test_no_deployment_is_cancelled_while_it_runs() -> None:
    for workflow in ("deploy", "deploy-prod", "comment", "drift"):
        assert WORKFLOWS[workflow]["concurrency"]["cancel-in-progress"] == "false"


def test_prod_is_deployed_with_what_dev_runs() -> None:
    names = [step.get("name") for step in WORKFLOWS["deploy-prod"]["jobs"]["prod"]["steps"]]
    assert names[0] == "dev still runs this commit"
    for name in ("deploy.dev", "deploy-prod.prod"):
        (checkout,) = (step for step in JOBS[name]["steps"] if "checkout@" in step.get("uses", ""))
        assert checkout["with"]["ref"].endswith(".outputs.commit }}")


GOALS = {
    goal
    for step in STEPS
    for goal in re.findall(r"^\s*make ([\w.-]+)", step.get("run", ""), re.MULTILINE)
} | {
    goal
    for name in ("deploy", "deploy-prod")
    for goal in WORKFLOWS[name]["on"]["workflow_dispatch"]["inputs"]["goal"]["options"]
}


@pytest.mark.parametrize("goal", sorted(GOALS))
def test_every_target_of_make_exists(goal: str) -> None:
    targets = re.findall(r"^([\w .-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert goal in {name for line in targets for name in line.split()}


def test_kind_has_no_stand_in_and_the_ports_of_its_tests() -> None:
    job = WORKFLOWS["kind"]["jobs"]["kind"]
    settings = load("sandbox", job["env"]["GIVEN_CLUSTER"])
    assert "10.244.0.1" not in repr(settings)
    assert settings.images.python_base_image == "python:{python}-slim-{base}"
    assert settings.images.airflow.base == "buster"
    assert settings.database.cluster.image == "mysql:8.4"
    cluster = yaml.safe_load((ROOT / ".github/kind/cluster.yaml").read_text())
    mapped = [mapping["hostPort"] for mapping in cluster["nodes"][0]["extraPortMappings"]]
    assert mapped == [settings.airflow.api_server.service.node_port, PORT, PORT_ELSEWHERE]
    tests = [step["run"] for step in job["steps"] if "pytest" in step.get("run", "")]
    assert all((ROOT / file).exists() for file in tests[0].split()[1:])


def test_the_pulumi_cli_of_the_checks_is_of_the_sdks_version() -> None:
    (step,) = (step for step in STEPS if step.get("uses", "").startswith("pulumi/actions@"))
    assert version("pulumi") == step["with"]["pulumi-version"]
