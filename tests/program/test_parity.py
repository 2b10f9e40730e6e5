"""`make parity` and `make env` on copies of the project, some with a difference planted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from airflow_kubernetes.airflow.image_catalog import airflow
from airflow_kubernetes.cli.env import create
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.parity import exchange

from .conftest import ROOT, render


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout to spoil."""
    for folder in ("infra", "values", "images", "dags"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".venv")
        )
    for file in (*ROOT.glob("Pulumi*.yaml"), ROOT / "images.lock.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def run(root: Path, *words: str) -> tuple[int, str]:
    """Exit code and all output of a command in a checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow_kubernetes", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": "infra"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def replace(file: Path, old: str, new: str) -> int:
    """Replace a text that occurs once; the first line of what is new, from 1."""
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


def test_the_environments_of_this_checkout_are_alike() -> None:
    code, output = run(ROOT, "parity")
    assert code == 0, output
    assert "dev and prod: all differences explained, by " in output
    assert "sandbox" not in output
    assert run(ROOT, "parity") == (code, output)


def test_the_sandbox_can_be_compared(copy: Path) -> None:
    code, output = run(copy, "parity", "prod", "sandbox")
    assert code == 0, output
    assert "10.244.0.1:5000/stand-in/mysql:9.7" in output


@pytest.mark.parametrize("names", [["dev"], ["dev", "dev"]])
def test_two_environments_are_named(names: list[str]) -> None:
    code, output = run(ROOT, "parity", *names)
    assert code == 1
    assert "name two environments, A=dev B=prod" in output


COMPONENTS = "infra/airflow_kubernetes/components.py"
REGISTER = "        child = pulumi.ResourceOptions(\n"
PLANTED = """\
        if pulumi.get_stack() == "prod":
            kind, name = obj["kind"], obj["metadata"]["name"]
            if (kind, name) == ("Deployment", "airflow-scheduler"):
                obj["spec"]["replicas"] = 3
            if name == "airflow-config":
                obj["data"]["AIRFLOW__CORE__PARALLELISM"] = "7"
            if (kind, name) == ("StatefulSet", "airflow-mysql"):
                obj["spec"]["template"]["spec"]["containers"][0]["args"].append("--sync-binlog=0")
            if kind == "Role":
                obj["rules"][0]["verbs"] = ["*"]  # of a list that the program keeps
            if kind == "CronJob":
                return None
"""
UNEXPLAINED = (
    "Deployment airflow-scheduler: spec.replicas\n    dev: 1\n    prod: 3\n",
    # A setting explains another value than prod's.
    "ConfigMap airflow-config: data.AIRFLOW__CORE__PARALLELISM\n"
    "    dev with the values of prod: 256\n    prod: 7\n",
    "\n    dev with the values of prod: -\n    prod: [--sync-binlog=0]\n",
    "Role airflow-scheduler: rules[0].verbs[0]\n",
    "CronJob airflow-backup\n    dev: CronJob airflow-backup\n    prod: -\n",
)


def test_what_depends_on_the_name_is_unexplained(copy: Path) -> None:
    line = replace(copy / COMPONENTS, REGISTER, PLANTED + REGISTER)
    code, output = run(copy, "parity", "dev", "prod")
    assert code == 1
    for text in UNEXPLAINED:
        assert text in output
    reported = (
        f"    {COMPONENTS}:{line}: the program decides by the environment's name; decide by a"
    )
    assert output.count("  unexplained: ") == output.count(reported)
    assert "environments are not alike" in output


def test_what_depends_on_something_unknown_is_reported_where_it_is_registered(copy: Path) -> None:
    change = "        obj['metadata']['labels']['letters'] = str(len(pulumi.get_stack()))\n"
    replace(copy / COMPONENTS, REGISTER, change + REGISTER)
    lines = (copy / COMPONENTS).read_text().splitlines()
    (line,) = (n for n, text in enumerate(lines, 1) if "= KubernetesObject(" in text)
    code, output = run(copy, "parity", "dev", "prod")
    assert code == 1
    assert "Service airflow-web: metadata.labels.letters\n    dev: 3\n    prod: 4\n" in output
    assert f"{COMPONENTS}:{line}: this depends on something that is no setting" in output


def test_protection_may_not_differ(copy: Path) -> None:
    line = replace(copy / COMPONENTS, "protect=True", 'protect=pulumi.get_stack() != "prod"')
    code, output = run(copy, "parity", "dev", "prod")
    assert code == 1
    assert (
        "RandomPassword airflow-mysql-password: pulumi.protect\n    dev: true\n    prod: -\n"
        f"    {COMPONENTS}:{line}: "
    ) in output


def test_images_may_not_differ_whatever_explains_it(copy: Path) -> None:
    replace(
        copy / "infra" / "airflow_kubernetes" / "images" / "lock.py",
        'return ROOT / "images.lock.yaml"',
        'return ROOT / ("images.lock.yaml" if settings.images.build else "images.prod.yaml")',
    )
    lock = copy / "images.lock.yaml"
    tag, bases = airflow(load("prod")).tag, lock.read_text().partition("images: {}")[0]
    for file, digit in ((lock, "a"), (lock.with_name("images.prod.yaml"), "b")):
        entry = f"images:\n  airflow: {{tag: '{tag}', digest: 'sha256:{digit * 64}'}}\n"
        file.write_text(bases + entry)
    code, output = run(copy, "parity", "dev", "prod")
    assert code == 1
    assert f"    dev: [registry]/airflow:{tag}@sha256:{'a' * 64}\n" in output
    assert f"    prod: [registry]/airflow:{tag}@sha256:{'b' * 64}\n" in output
    assert "each from its own registry; images.build may not decide which" in output


def test_another_registry_makes_no_other_image(copy: Path) -> None:
    file = copy / "values" / "prod.yaml"
    file.write_text(file.read_text() + "images:\n  registry: elsewhere.example.com/airflow\n")
    code, output = run(copy, "parity", "dev", "prod")
    assert code == 0, output
    assert "elsewhere.example.com" in output


def test_what_takes_several_settings_is_explained_by_them_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    external = load(
        "prod",
        "database.mode=external database.external.host=db.example.com "
        "database.external.secret=login database.external.port=3307",
    )
    settings = {"dev": load("dev"), "prod": external}
    monkeypatch.setattr(exchange, "load", settings.__getitem__)
    found = exchange.Exchange("dev", "prod")
    assert not found.unexplained
    database = ("mode", "external.host", "external.secret", "external.port")
    assert {f"database.{key}" for key in database} <= found.changed_by.keys()
    assert not any(found.changed_by[f"database.{key}"] for key in database)
    assert ("StatefulSet airflow-mysql",) in found.together
    assert found.changed_by["airflow.apiServer.replicas"]
    assert {item.path for item in found.differences} == found.together.union(
        *found.changed_by.values()
    )


def test_values_and_stacks_are_kept_tidy(copy: Path) -> None:
    values, stack = copy / "values" / "prod.yaml", copy / "Pulumi.prod.yaml"
    lines = values.read_text().count("\n")
    values.write_text(
        values.read_text() + "secrets:\n  revision: 1\nuntil:\n  airflow.parallelism: 2020-01-01\n"
    )
    stack.write_text(stack.read_text() + "  airflow-kubernetes:replicas: 3\n")
    code, output = run(copy, "parity")
    assert code == 1
    expired = f"values/prod.yaml:{lines + 4}: expired on 2020-01-01"
    for text in (
        "dev and prod: 3 problems",
        f"    values/prod.yaml:{lines + 2}: repeats values/common.yaml: remove it",
        f"    prod: 256\n    common: 32\n    {expired}",
        "    prod: (not shown)\n    Pulumi.prod.yaml:4: is not encrypted",
    ):
        assert text in output
    assert render("prod", root=copy)  # an expired day stops no deployment


def files(checkout: Path) -> dict[Path, bytes]:
    """What is in the files of a checkout, but for compiled Python."""
    found = (path for path in checkout.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path: path.read_bytes() for path in found}


def test_a_new_environment_is_one_command(copy: Path) -> None:
    file = copy / "values" / "prod.yaml"
    text = file.read_text().replace("parallelism: 256", "parallelism: 256  # measured")
    file.write_text(f"{text}images:\n  registry: prod.example.com/airflow\n")
    stack = copy / "Pulumi.prod.yaml"
    secrets = "  airflow-kubernetes:registryPassword: {secure: AAAB}\nencryptionsalt: v1:x\n"
    stack.write_text(stack.read_text() + secrets)
    before = files(copy)

    code, output = run(copy, "env", "staging", "--from=prod")
    assert code == 0, output
    for line in (
        "Pulumi.staging.yaml:3: kubernetes:context: airflow-staging\n",
        "airflow.url: http://localhost:8080\n",
        f"values/staging.yaml:{text.count(chr(10)) + 2}: images.registry: prod.example.com/airflow",
        "pulumi config set --secret airflow-kubernetes:registryPassword --stack staging",
    ):
        assert line in output
    values, made = copy / "values" / "staging.yaml", copy / "Pulumi.staging.yaml"
    assert values.read_text().startswith("# Staging: made from prod by make env;")
    assert "# Production" not in values.read_text()
    assert "parallelism: 256  # measured" in values.read_text()
    assert "encryptionsalt" not in made.read_text()
    assert "secure" not in made.read_text()
    after = files(copy)
    assert after.keys() - before.keys() == {values, made}
    assert before.items() <= after.items()

    assert run(copy, "parity", "prod", "staging") == (0, "prod and staging: the same\n")
    assert render("staging", root=copy) == render("prod", root=copy)
    code, output = run(copy, "check")
    assert code == 0, output
    assert "values of staging: no problem found" in output


def test_a_new_environment_has_both_files_or_none(copy: Path) -> None:
    # There, and nowhere: it cannot be written, although nothing exists.
    (copy / "values" / "staging.yaml").symlink_to(copy / "no" / "where")
    with pytest.raises(CommandError, match=r"staging\.yaml: cannot be written: No such file"):
        create("staging", "prod", copy)
    assert not (copy / "Pulumi.staging.yaml").exists()
