"""The report of a pull request, of real commits: as a reviewer sees it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.report.checkout import CheckoutError, sides
from airflow_kubernetes.report.markdown import MARKER

from .conftest import ROOT


@dataclass(frozen=True)
class Checkout:
    """A repository with this program: the branch `work`, made from `main`'s first commit."""

    root: Path

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def report(self, asked: str, *words: str) -> "Reported":
        """Of `make preview BASE=asked`, and the files in the folder REPORT."""
        folder = self.root.with_name("report")
        shutil.rmtree(folder, ignore_errors=True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "airflow_kubernetes", "preview", *words),
                *(f"--base={asked}", f"--report={folder}"),
            ],
            cwd=self.root,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": "infra"},
            capture_output=True,
            text=True,
            check=False,
        )
        file = folder / "report.json"
        facts = json.loads(file.read_text()) if file.exists() else {}
        if facts:
            assert done.stdout == (folder / "report.md").read_text()
        return Reported(done.returncode, done.stdout, done.stderr, facts)


@dataclass(frozen=True)
class Reported:
    code: int
    text: str
    errors: str
    facts: dict[str, Any]

    def environment(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            one for one in self.facts["environments"] if one["name"] == name
        )
        return found


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """`main` is one commit ahead, of somebody else; environments dev and prod. Tag `without-prod`
    is a commit before there was a prod, `broken` one that does not render.
    """
    root = tmp_path_factory.mktemp("repository") / "checkout"
    root.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("infra", "values", "images", "dags"):
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    for path in ROOT.glob("*.yaml"):
        shutil.copy(path, root / path.name)
    for name in ("values/sandbox.yaml", "Pulumi.sandbox.yaml"):  # would only take time
        (root / name).unlink()
    (root / ".gitignore").write_text("__pycache__/\n")
    found = Checkout(root)
    found.git("init", "--quiet", "--initial-branch=main")
    prod = {file: (root / file).read_text() for file in ("values/prod.yaml", "Pulumi.prod.yaml")}
    for file in prod:
        (root / file).unlink()
    commit(found, "without prod", "without-prod")
    for file, text in prod.items():
        (root / file).write_text(text)
    program = root / "infra" / "airflow_kubernetes" / "render.py"
    right = program.read_text()
    program.write_text(right + "\nraise RuntimeError('half done')\n")
    commit(found, "broken", "broken")
    program.write_text(right)
    commit(found, "whole", "start")
    found.replace("values/prod.yaml", "parallelism: 256", "parallelism: 128")
    commit(found, "of somebody else")
    found.git("checkout", "--quiet", "-b", "work", "start")
    return found


def commit(checkout: Checkout, message: str, tag: str | None = None) -> None:
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--message", message)
    if tag:
        checkout.git("tag", tag)


@pytest.fixture
def checkout(repository: Checkout) -> Iterator[Checkout]:
    yield repository
    repository.git("checkout", "--quiet", "--force", "work")
    repository.git("reset", "--quiet", "--hard", "start")
    repository.git("clean", "--quiet", "-d", "--force")


def test_nothing_of_others_is_taken_back_and_nothing_changed(checkout: Checkout) -> None:
    (checkout.root / "README.md").write_text("not rendered\n")
    found = checkout.report("main")
    assert found.code == 0, found.errors
    assert found.text.startswith(f"{MARKER}\n## ⚪ `dev`, `prod`: no change\n")
    assert "1 newer commit of `main` not looked at" in found.text
    assert "uncommitted" not in found.text
    assert len(found.text) < 3000
    assert found.facts["parity"][0]["problems"] == []


def test_a_changed_dag_restarts_the_dag_processor_alone(checkout: Checkout) -> None:
    smoke = checkout.root / "dags" / "smoke.py"
    smoke.write_text(smoke.read_text() + "# edited\n")
    found = checkout.report("main")
    assert found.code == 0, found.errors
    prod = found.environment("prod")
    restarts = {one["name"]: one["what"] for one in prod["restarts"]}
    assert restarts.pop("") == "DAGs only"
    assert restarts.pop("airflow-dag-processor") == "restarts"
    assert restarts.pop("airflow-triggerer") == "rolls"
    assert set(restarts.values()) == {"later"}
    assert "DAGs only" in found.text
    assert "restarts the DAG processor, about 6 s" in found.text


def test_a_change_as_a_reviewer_sees_it(checkout: Checkout) -> None:
    config = checkout.root / "images" / "airflow" / "airflow.cfg"
    config.write_text(config.read_text() + "# edited\n")
    checkout.replace("values/common.yaml", "revision: 1 ", "revision: 2 ")
    nasty = "</code>`<img src=x>` @octocat"
    checkout.replace(
        "values/common.yaml",
        "configuration: {}",
        f"configuration: {{api: {{instance_name: '{nasty}'}}}}",
    )
    commit(checkout, "more")
    checkout.replace("values/prod.yaml", "bufferPool: 4G", "bufferPool: 5G")
    stack = checkout.root / "Pulumi.prod.yaml"
    stack.write_text(stack.read_text() + "  airflow-kubernetes:token:\n    secure: v1:AAAA\n")
    checkout.git("rm", "--quiet", "values/dev.yaml", "Pulumi.dev.yaml")
    found = checkout.report("main")
    assert found.code == 0, found.errors

    prod, dev = found.environment("prod"), found.environment("dev")
    assert (prod["severity"], dev["severity"]) == ("restart", "destructive")
    assert (dev["state"], dev["restarts"]) == ("gone", [])
    assert "`dev`: ENVIRONMENT GONE" in found.text
    assert "uncommitted files (`Pulumi.dev.yaml`, `Pulumi.prod.yaml`" in found.text

    restarts = {one["name"]: one for one in prod["restarts"]}
    assert restarts["airflow-mysql"]["what"] == "unavailable"
    assert restarts["airflow-scheduler"]["what"] == "unavailable"
    assert restarts["airflow-api-server"]["what"] == "rolls"
    assert restarts["airflow-migrations"]["what"] == "runs"

    assert restarts[""]["text"].startswith("secrets.revision 1 → 2: ")
    assert "encrypted `config.airflow-kubernetes:token`: `[secret]` added" in found.text
    assert "AAAA" not in found.text + json.dumps(found.facts)

    fields = {
        (one["name"], field["path"]): field for one in prod["changes"] for field in one["fields"]
    }
    pool = fields["airflow-mysql", "spec.template.spec.containers[mysql].args[5]"]
    assert pool["new"] == "--innodb-buffer-pool-size=5368709120"
    assert fields["airflow-config", "data.AIRFLOW__API__INSTANCE_NAME"]["new"] == nasty
    assert f"``{nasty}`` added" in found.text
    assert any("images.lock.yaml has no airflow:" in line for line in prod["warnings"])
    assert found.text.count("times `image`") == 2  # Airflow's, and the same with DAGs


def test_a_volume_that_shrinks_or_is_another_stops_the_deployment(checkout: Checkout) -> None:
    checkout.replace("values/prod.yaml", "size: 200Gi", "size: 100Gi")
    checkout.replace(
        "values/prod.yaml",
        "claim:\n      size: 100Gi\n    bufferPool",
        "claim:\n      size: 100Gi\n      storageClass: fast\n    bufferPool",
    )
    found = checkout.report("main", "prod")
    assert found.code == 1
    assert "prod: the deployment would stop half-way" in found.errors
    prod = found.environment("prod")
    assert [one["name"] for one in prod["destructive"]] == ["airflow-mysql"]
    assert [(one["name"], one["what"]) for one in prod["refused"]] == [("airflow-logs", "REFUSED")]
    assert [one["rule"] for one in prod["checked"]["violations"]] == ["no-loss-of-data"]
    assert "## ⛔ `prod`: 1 REFUSED, 1 REPLACED\n" in found.text


def test_a_new_environment_is_created_as_a_whole(checkout: Checkout) -> None:
    found = checkout.report("without-prod", "prod")
    assert found.code == 0, found.errors
    prod = found.environment("prod")
    assert (prod["state"], prod["severity"]) == ("new", "restart")
    assert {one["outcome"] for one in prod["changes"]} == {"created"}
    assert "`config.kubernetes:context`: `airflow-prod` added" in found.text
    assert len(found.text.encode()) < 60_000


def test_a_side_that_does_not_render_is_an_error(checkout: Checkout) -> None:
    checkout.replace("values/prod.yaml", "parallelism: 256", "paralelism: 256")
    found = checkout.report("broken", "prod")
    assert found.code == 1
    assert found.environment("prod")["severity"] == "error"
    assert "## ⛔ `prod`: DOES NOT RENDER" in found.text
    base_says, head_says = found.environment("prod")["errors"]
    assert base_says.startswith("base: ")
    assert "half done" in base_says
    assert "values/prod.yaml:3: airflow.paralelism" in head_says
    assert str(checkout.root) not in found.text
    assert "/tmp/" not in found.text


def test_what_git_does_not_know_has_a_remedy(repository: Checkout, tmp_path: Path) -> None:
    root = repository.root
    for asked, remedy in (("origin/nothing", "git fetch origin nothing"), ("--all", "correct")):
        with pytest.raises(CheckoutError, match=f"BASE={asked}: git knows no such .*{remedy}"):
            sides(root, asked)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{root}", str(shallow))
    with pytest.raises(CheckoutError, match=r"shallow clone: .*git fetch --unshallow"):
        sides(shallow, "origin/main~1")
    with pytest.raises(CheckoutError, match="no git checkout"):
        sides(tmp_path, "main")
    git(shallow, "checkout", "--quiet", "--orphan", "other")
    git(shallow, "commit", "--quiet", "--message", "other")
    with pytest.raises(CheckoutError, match="shares no commit"):
        sides(shallow, "origin/work")


def test_a_new_file_counts_as_uncommitted_where_it_is_rendered(checkout: Checkout) -> None:
    for file in ("dags/new.py", "report/report.md"):
        path = checkout.root / file
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert sides(checkout.root, "main").uncommitted == ("dags/new.py",)


def test_overrides_of_one_command_are_refused(checkout: Checkout) -> None:
    found = checkout.report("main", "--set=airflow.stopped=true")
    assert found.code == 1
    assert "SET is for one command" in found.errors
