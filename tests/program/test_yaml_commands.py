"""What a command prints about a wrong file: the file, the line, the remedy, and no traceback."""

import shutil
from pathlib import Path

import pytest

from .conftest import ROOT, render, run


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("infra", "values", "images", "dags"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for file in (*ROOT.glob("Pulumi*.yaml"), ROOT / "images.lock.yaml", ROOT / "policies.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


CASES = [
    ("render", "values/dev.yaml", "images: &a {build: *a}\n",
     ["values/dev.yaml:1: images: anchors are not supported: remove &a",
      "values/dev.yaml:1: images.build: aliases are not supported: write the value instead of *a"]),
    ("status", "values/dev.yaml", "namespace: \x1b[31mred\n",
     ["values/dev.yaml:1: U+001B (control character) cannot be seen: remove it"]),
    ("status", "Pulumi.dev.yaml", "config: x\n",
     ['Pulumi.dev.yaml:1: config: input should be a section, lines of "key: value" below its name, '
      "not 'x'"]),
    ("status", "Pulumi.dev.yaml", "- a\n",
     ['Pulumi.dev.yaml:1: must be a mapping, lines of "key: value"']),
    ("render", "images.lock.yaml", "bases: {'python:3.11-slim-buster': latest}\nimages: {}\n",
     ["images.lock.yaml:1: bases.python:3.11-slim-buster: should be sha256: and 64 hexadecimal "
      "digits, not 'latest'"]),
    ("policies", "policies.yaml", "waivers: yes\n",
     ["policies.yaml:1: waivers: input should be a valid list, not yes"]),
    ("render", "images/tasks/chart/image.yaml", "python: 3.10\n",
     ["images/tasks/chart/image.yaml:1: python: input should be a valid string, not 3.10 "
      '(write "3.10")']),
]  # fmt: skip


def test_commands_report_wrong_files(checkout: Path) -> None:
    for command, name, text, problems in CASES:
        file = checkout / name
        usual = file.read_text()
        file.write_text(text)
        done = run(command, "dev", root=checkout)
        file.write_text(usual)
        assert done.returncode == 1, (command, name, done)
        _, error, text = done.stderr.partition("error: ")
        assert error, done.stderr
        assert text.splitlines()[1:] == [f"  {problem}" for problem in problems]


def test_check_reports_what_is_wrong_in_all_files(checkout: Path) -> None:
    for name, text in {
        "values/dev.yaml": "paralelism: 3\n", "values/prod.yaml": "airflow: {paralelism: 3}\n",
        "Pulumi.dev.yaml": "config: x\n", "Pulumi.prod.yaml": "- a\n",
        "images/tasks/chart/image.yaml": "python: 3.10\n",
    }.items():  # fmt: skip
        (checkout / name).write_text(text)
    done = run("check", "", None, checkout)
    assert done.returncode == 1
    found = [line.split(":")[0].strip() for line in done.stderr.splitlines() if ".yaml:" in line]
    assert found == [
        "Pulumi.dev.yaml", "Pulumi.prod.yaml", "images/tasks/chart/image.yaml", "values/dev.yaml",
        "values/prod.yaml",
    ]  # fmt: skip


def test_commands_report_missing_locks_and_links(checkout: Path) -> None:
    (checkout / "dags" / "loop").symlink_to(".")
    done = run("render", "dev", root=checkout)
    assert "  dags/loop: is a link to ., which contains it: remove it" in done.stderr
    (checkout / "dags" / "loop").unlink()
    name = "images/airflow/locks/3.3.2-py3.11.txt"
    (checkout / name).unlink()
    done = run("render", "dev", root=checkout)
    assert f"  {name}: is missing, and airflow.version 3.3.2 with images.airflow" in done.stderr


def test_rendered_text_is_text_to_every_reader() -> None:
    words = ("1e3", "y", "yes", "010", "1_000", "12:30:00", "0o17", "2026-11-30")
    env = ",".join(f'"V{number}":"{word}"' for number, word in enumerate(words))
    printed = render("dev", f"airflow.executor=LocalExecutor airflow.tasks.env={{{env}}}")
    for word in words:
        assert f'value: "{word}"' in printed or f"value: '{word}'" in printed
