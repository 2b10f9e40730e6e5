"""What make passes to the command line: make's own variables, word for word, and no others.

The project's Makefile in a folder of its own; its Python is a script that records how it is called.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from airflow_kubernetes.cli.main import COMMANDS, parse
from airflow_kubernetes.paths import ROOT

RECORD = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["CALLS"], "a") as file:
    print(json.dumps(sys.argv[1:]), file=file)
"""
HOSTILE = {
    **dict.fromkeys(("APPLY", "LIVE", "YES", "COLD"), "1"),
    **dict.fromkeys(("NAME", "A", "B", "TO", "FROM", "INTO", "DELETE", "BASE", "REPORT"), "/mnt/c"),
    "DAG": "x", "PRICES": "/mnt/c", "DAYS": "0",
    "ENV": "prod", "KEEP": "0", "ARGS": "x", "SET": "airflow.stopped=true", "OPTIONS": "--yes",
}  # fmt: skip
"""A shell's variables with the names of make's. WSL sets NAME."""

TARGETS = sorted({*COMMANDS, "bench"} - {"check"})


@dataclass(frozen=True)
class Checkout:
    """The Makefile and its surroundings."""

    root: Path

    def make(self, *words: str, **variables: str) -> tuple[list[list[str]], str]:
        """The calls of Python without `-m airflow_kubernetes`, and standard error."""
        calls = self.root / "calls"
        calls.unlink(missing_ok=True)
        base = {name: os.environ[name] for name in ("PATH",)}
        done = subprocess.run(
            ["make", *words],
            cwd=self.root,
            env={**base, "HOME": str(self.root), "CALLS": str(calls), **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = calls.read_text().splitlines() if calls.exists() else []
        return [json.loads(line)[2:] for line in lines], done.stderr


def program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """One whose packages are installed."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements.txt").write_text("")
    program(tmp_path / ".venv" / "bin" / "python", RECORD)
    program(tmp_path / ".venv" / "bin" / "pip", '#!/bin/sh\necho "$@" >> installed\n')
    found = Checkout(tmp_path)
    found.make(".venv")
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_what_a_shell_holds_is_no_argument(checkout: Checkout, target: str) -> None:
    calls = checkout.make(target)
    assert calls[0]
    assert checkout.make(target, **HOSTILE) == calls


def test_the_program_reads_none_of_them_either() -> None:
    read = re.compile(r"""environ(?:\.get\(|\[)["'](\w+)["']""")
    files = (ROOT / "infra" / "airflow_kubernetes").rglob("*.py")
    found = {name for file in files for name in read.findall(file.read_text(encoding="utf-8"))}
    assert "SSL_CERT_FILE" in found
    assert not found & HOSTILE.keys()


@pytest.mark.parametrize(
    "overrides",
    [
        "a.b=1 c=2",
        "a='b c' d=\"e\"",
        '{"x": [1, "$y"]}',
        "$(shell exit 1) `id` \\ # ; |",
        "'",
        "--x",
    ],
)
def test_a_value_arrives_as_it_was_written(checkout: Checkout, overrides: str) -> None:
    ((_, *words),), _ = checkout.make("render", "ENV=dev", f"SET={overrides}")
    assert words == ["dev", f"--set={overrides}"]


NASTY = (
    "dev;echo INJECTED", "$(shell touch pwned)", "${shell touch pwned}", "$(error x)",
    "`touch pwned`", "$(touch pwned)", "$$(touch pwned)", "'; touch pwned; '", '"; touch pwned; "',
    "a\ntouch pwned\n#", "'\ntouch pwned\n'", "a\\", "a#b", "-x", "a b", "*", "~", "$HOME",
    "$(ENV)", "%", "é", "a\ttouch pwned", "|touch pwned", "&touch pwned&", ">pwned", "!touch",
    "{a,b}", "$'x'", "\\'touch pwned",
)  # fmt: skip
"""What a shell, or make, would run, expand or split."""

FLAGS = {"APPLY", "YES", "LIVE", "COLD"}


def variables() -> list[str]:
    makefile = (ROOT / "Makefile").read_text()
    (line,) = re.findall(r"^ARGUMENTS := (.+)", makefile, re.MULTILINE)
    return [name for name in line.split() if name not in FLAGS]


def test_no_value_is_run_by_make_or_a_shell(checkout: Checkout) -> None:
    names = [name for name in variables() if name != "ON"]
    assert {"ENV", "SET", "NAME", "BASE"} <= set(names)
    for target in TARGETS:
        (used, *_), _ = checkout.make(target, *(f"{name}=x" for name in names))
        # Each by itself where the target is cheap; all at once everywhere.
        for nasty in (*(NASTY if target == "restore" else ()), "".join(NASTY), "\n".join(NASTY)):
            calls, errors = checkout.make(target, *(f"{name}={nasty}" for name in names))
            assert calls, (target, nasty, errors)
            assert calls[0] == [
                nasty if word == "x" else word.replace("=x", f"={nasty}") for word in used
            ], target
    assert not (checkout.root / "pwned").exists()


@pytest.mark.parametrize("name", sorted({*FLAGS, "ON"}))
def test_no_flag_is_run_by_make_or_a_shell(checkout: Checkout, name: str) -> None:
    target = {"APPLY": "prune", "YES": "down", "LIVE": "preview", "COLD": "bench", "ON": "up"}
    for nasty in (NASTY[0], NASTY[1], "".join(NASTY)):
        calls, errors = checkout.make(target[name], "ENV=sandbox", f"{name}={nasty}")
        assert calls == [], nasty
        assert f"{name}=" in errors
    assert not (checkout.root / "pwned").exists()


def test_a_folder_s_name_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements.txt").write_text("")
    program(
        tmp_path / "bin" / "python3", '#!/bin/sh\nmkdir -p "$3/bin"; cp /bin/true "$3/bin/pip"\n'
    )
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    for name in ("$(shell touch pwned)", "`touch pwned`", "a;touch pwned", "a'b", "a b", "a#b"):
        for variable in ("XDG_CACHE_HOME", "HOME"):
            folders = {"XDG_CACHE_HOME": "", variable: str(tmp_path / name)}
            _, errors = Checkout(tmp_path).make(".venv", PATH=path, **folders)
            assert "because of a space or one of" in errors, name
    assert not (tmp_path / "pwned").exists()
    Checkout(tmp_path).make(".venv", PATH=path, XDG_CACHE_HOME=str(tmp_path / "é+@~,=[]{}-_."))
    assert (tmp_path / ".venv").resolve().parent.parent.name == "é+@~,=[]{}-_."


@pytest.mark.parametrize("variable", ["ENVIRONMENT=prod", "OPTIONS=--yes", "env=prod", "VENV=/"])
def test_a_variable_that_does_not_exist_is_refused(checkout: Checkout, variable: str) -> None:
    calls, errors = checkout.make("down", variable)
    assert calls == []
    assert f"no variable {variable.partition('=')[0]}: there are ENV SET" in errors


def test_an_empty_environment_is_not_the_sandbox(checkout: Checkout) -> None:
    ((command, *words),), _ = checkout.make("down", "ENV=", "YES=1")
    assert (command, words) == ("down", ["--yes"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("down ENV=prod YES=1", "down prod --yes"),
        ("down ENV=prod", "down prod"),
        ("preview ENV=dev", "preview dev"),
        ("preview BASE=main REPORT=out", "preview --base=main --report=out"),
        ("preview BASE=main ENV=dev LIVE=1", "preview dev --base=main --live"),
        ("restore ENV=dev FROM=x INTO=y", "restore dev --from=x --into=y"),
        ("policies", "policies"),
        ("policies ENV=dev SET=a=1", "policies dev --set=a=1"),
        ("capacity ENV=dev PRICES=p.yaml", "capacity dev --prices=p.yaml"),
        ("usage ENV=dev DAYS=1", "usage dev --days=1"),
        ("promote TO=prod", "promote dev --to=prod"),
        ("prune ENV=dev KEEP=3 APPLY=1", "prune dev --keep=3 --apply"),
        ("parity A=dev B=prod", "parity dev prod"),
        ("env NAME=staging FROM=prod", "env staging --from=prod"),
        ("check-dags ENV=dev", "check-dags dev"),
        ("test-dag ENV=dev DAG=smoke", "test-dag dev smoke"),
        ("task NAME=pandas-1 ARGS=--x", "task dev pandas-1 --args=--x"),
        ("local-up", "local-up dev"),
        ("local-down", "local-down"),
    ],
)
def test_variables_are_options(checkout: Checkout, words: str, expected: str) -> None:
    (call,), _ = checkout.make(*words.split())
    assert call == expected.split()
    assert parse(call).command == call[0]


def test_a_deployment_of_the_sandbox_ends_with_a_run(checkout: Checkout) -> None:
    calls, _ = checkout.make("up", "GIVEN_CLUSTER=x", "SET=a=1")
    assert calls == [["up", "sandbox", "--set=a=1"], ["smoke", "sandbox", "--once", "--set=a=1"]]
    assert checkout.make("up", "ENV=dev")[0] == [["up", "dev"]]


def test_a_deployment_on_kind_has_the_public_images(checkout: Checkout) -> None:
    program(checkout.root / ".github" / "kind" / "up.sh", "#!/bin/sh\n")
    (up, smoke), _ = checkout.make("up", "ON=kind", "SET=a=1")
    overrides = up[-1].removeprefix("--set=")
    assert (up[0], smoke[0]) == ("up", "smoke")
    tested = yaml.safe_load((ROOT / ".github" / "workflows" / "kind.yml").read_text())
    given = tested["jobs"]["kind"]["env"]["GIVEN_CLUSTER"].split()
    assert overrides.split() == [*given, "engine=kubectl", "a=1"]
    calls, errors = checkout.make("up", "ON=minikube")
    assert calls == []
    assert "ON=minikube: write ON=kind" in errors


@pytest.mark.parametrize("flag", ["APPLY=0", "APPLY=no"])
def test_a_flag_is_1_or_absent(checkout: Checkout, flag: str) -> None:
    calls, errors = checkout.make("prune", "ENV=dev", flag)
    assert calls == []
    assert f"{flag}: write APPLY=1, or leave it out" in errors


def test_the_virtualenv_of_pulumi_install_is_used(checkout: Checkout) -> None:
    installed = checkout.root / "installed"
    assert installed.read_text().endswith("--require-hashes -r requirements.txt\n")
    checkout.make(".venv")
    assert len(installed.read_text().splitlines()) == 1
    (checkout.root / "requirements.txt").write_text("another==1\n")
    checkout.make(".venv")
    assert len(installed.read_text().splitlines()) == 2
    assert (checkout.root / ".venv" / "bin" / "python").exists()


def test_elsewhere_the_virtualenv_is_a_link_into_the_cache(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "requirements.txt").write_text("")
    program(
        tmp_path / "bin" / "python3",
        '#!/bin/sh\nmkdir -p "$3/bin"; cp /bin/true "$3/bin/pip"\n',
    )
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    Checkout(tmp_path).make(".venv", PATH=path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    (folder,) = (tmp_path / "cache" / "airflow-kubernetes").glob("venv-*")
    assert (tmp_path / ".venv").readlink() == folder
    assert (folder / ".complete").exists()
