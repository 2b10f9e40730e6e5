"""Commands against a `kubectl` and a `pulumi` that are scripts: what they call, ask and refuse."""

import builtins
import inspect
import io
import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.cli import stack
from airflow_kubernetes.cli.down import down
from airflow_kubernetes.cli.drift import drift
from airflow_kubernetes.cli.main import COMMANDS, function_of, main, parse
from airflow_kubernetes.cli.preview import preview
from airflow_kubernetes.cli.target import Target, engine
from airflow_kubernetes.environment import SET
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.kubernetes.namespace import ENGINE
from airflow_kubernetes.paths import ROOT
from airflow_kubernetes.render import Recorder, objects
from pulumi.runtime.mocks import MockResourceArgs

SCRIPT = """#!/bin/sh
echo "${0##*/} $*" >> "$CALLS"
case "$*" in
  *"get namespace"*) test -z "$NAMESPACE" || echo "$NAMESPACE" ;;
  *"stack ls"*) echo "$STACKS" ;;
  *"stack export"*) echo "$STATE" ;;
  *"stack import"*) file="${5#--file=}"; /bin/cp "$file" "$CALLS.state" ;;
  *"get Secret airflow-keys"*) echo '{"kind": "Secret", "metadata": {"name": "airflow-keys"}}' ;;
esac
"""


class Machine:
    """The folder that is all of PATH, and the calls of its programs."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, patch
        self._log = folder / "calls"
        for name, value in {"PATH": folder, "CALLS": self._log, "XDG_CACHE_HOME": folder}.items():
            patch.setenv(name, str(value))
        self.install("kubectl")

    def install(self, name: str) -> None:
        (self.folder / name).write_text(SCRIPT)
        (self.folder / name).chmod(0o755)

    def namespace(self, engine: str) -> None:
        """A namespace that the engine made."""
        annotations = {"metadata": {"annotations": {ENGINE: engine}}, "kind": "Namespace"}
        self._patch.setenv("NAMESPACE", json.dumps(annotations))

    def stacks(self, *names: str) -> None:
        """The Pulumi CLI, and the stacks of its backend."""
        self.install("pulumi")
        self._patch.setenv(
            "STACKS", json.dumps([{"name": name, "resourceCount": 1} for name in names])
        )

    def calls(self, program: str) -> list[str]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in lines if line.startswith(f"{program} ")]

    def deletes(self) -> bool:
        return any(" delete " in call for call in self.calls("kubectl"))

    def answers(self, text: str) -> None:
        """What is typed on the terminal."""
        terminal = io.StringIO(f"{text}\n")
        self._patch.setattr(terminal, "isatty", lambda: True, raising=False)
        self._patch.setattr(sys, "stdin", terminal)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """kubectl, a cluster with nothing in it, no Pulumi CLI, no terminal."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    for name in ("NAMESPACE", "STACKS"):
        monkeypatch.delenv(name, raising=False)
    return Machine(tmp_path, monkeypatch)


def of(environment: str, overrides: str = "") -> Target:
    return Target.load(environment, overrides, read_only=True)


def test_a_first_preview_creates_no_stack(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.stacks("prod")
    before = (ROOT / "Pulumi.dev.yaml").read_bytes()
    preview(of("dev"))
    output = capsys.readouterr().out
    assert "The stack dev does not exist yet. make up ENV=dev would create it" in output
    assert "   4 Deployment: airflow-api-server-deployment, " in output
    assert " RandomPassword: airflow-admin-password, " in output
    assert len(output.splitlines()) < 24  # a screen
    assert machine.calls("pulumi") == [f"pulumi --cwd {ROOT} stack ls --json"]
    assert (ROOT / "Pulumi.dev.yaml").read_bytes() == before


def test_a_preview_of_a_stack_is_pulumi_s(machine: Machine) -> None:
    machine.stacks("dev", "prod")
    preview(of("dev"))
    assert (
        machine.calls("pulumi")[-1] == f"pulumi --cwd {ROOT} preview --diff --refresh --stack dev"
    )


def test_what_pulumi_deployed_from_another_backend_is_no_first_preview(machine: Machine) -> None:
    machine.stacks("prod")
    machine.namespace("pulumi")
    with pytest.raises(CommandError, match="deployed by Pulumi, but the backend has no stack dev"):
        preview(of("dev"))


def test_secrets_that_a_killed_up_created_are_taken_into_the_state(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster has airflow-keys; the namespace and airflow-admin were not created yet."""
    kinds = {
        "airflow": "core/v1:Namespace",
        "airflow-keys": "core/v1:Secret",
        "airflow-admin": "core/v1:Secret",
        "airflow-scheduler": "apps/v1:Deployment",
    }
    pending: list[dict[str, Any]] = [
        {
            "type": "creating",
            "resource": {
                "urn": f"urn:{name}",
                "type": f"kubernetes:{kind}",
                "inputs": {"metadata": {"name": name}},
            },
        }
        for name, kind in kinds.items()
    ]
    machine.stacks("dev")
    state = {"deployment": {"resources": [], "pending_operations": pending}}
    monkeypatch.setenv("STATE", json.dumps(state))
    stack.finish_creations(of("dev"))
    (imported,) = machine.folder.glob("calls.state")
    assert json.loads(imported.read_text())["deployment"] == {
        "resources": [
            {**pending[1]["resource"], "id": "airflow/airflow-keys", "outputs": {}},
        ]
    }


def test_a_backend_that_does_not_answer_is_an_error(machine: Machine) -> None:
    machine.install("pulumi")
    with pytest.raises(CommandError, match="pulumi stack ls for dev failed"):
        preview(of("dev"))


def test_no_command_downloads_the_pulumi_cli(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connections: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, to: connections.append(to))
    target = of("sandbox")
    preview(target)
    with pytest.raises(SystemExit):
        drift(target)
    assert main(["down", "sandbox"]) == 0
    assert engine(target) == "kubectl"
    capsys.readouterr()
    for command in ("up", "preview"):
        assert main([command, "sandbox", "--set=engine=pulumi"]) == 1
        assert re.search(r"not on PATH: install version 3\.\d+\.\d+ \(", capsys.readouterr().err)
    assert connections == []


def test_a_recorded_engine_needs_no_cli(machine: Machine) -> None:
    machine.namespace("kubectl")
    assert engine(of("sandbox")) == "kubectl"
    with pytest.raises(CommandError, match=r"set engine: kubectl in values/dev\.yaml"):
        engine(of("dev"))


@pytest.mark.parametrize("overrides", ["", "engine=kubectl"])
def test_down_requires_an_answer(machine: Machine, overrides: str) -> None:
    machine.stacks("prod")
    prod = of("prod", overrides)
    with pytest.raises(CommandError, match=r"make down ENV=prod stops Airflow.*add YES=1"):
        down(prod)
    machine.answers("y")
    with pytest.raises(CommandError, match="nothing was deleted"):
        down(prod)
    assert not machine.deletes()
    assert machine.calls("pulumi") == []

    machine.answers("prod")
    down(prod)
    assert machine.deletes()
    destroyed = [f"pulumi --cwd {ROOT} destroy --exclude-protected --yes --stack prod"]
    assert machine.calls("pulumi") == ([] if overrides else destroyed)


def test_down_is_not_asked_with_yes_or_of_the_sandbox(machine: Machine) -> None:
    machine.stacks("prod")
    assert main(["down", "prod", "--yes"]) == main(["down", "sandbox"]) == 0
    assert machine.deletes()


def test_an_error_for_the_user_is_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "nowhere"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "no environment 'nowhere'; there are: dev, prod, sandbox" in message
    assert main(["up", "dev", "--set=airflow.parallelism=1"]) == 1
    assert "write the values into values/dev.yaml" in capsys.readouterr().err


def test_ctrl_c_ends_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Target, "load", interrupt)
    assert main(["render", "dev"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_its_arguments(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: airflow_kubernetes {command} ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_called_with_its_arguments(command: str) -> None:
    required = [
        word
        for word in COMMANDS[command][2].split()
        if word in ("target", "name", "image", "dag", "chart_values")
    ]
    arguments = vars(parse([command, *required]))
    del arguments["command"]
    if "target" in arguments:
        del arguments["overrides"]
    inspect.signature(function_of(command)).bind(**arguments)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["preview", "--base=main", "--set=a=1"], "SET is for one command"),
        (["preview", "dev", "--live"], "REPORT and LIVE are of a report"),
        (["preview"], "name an environment"),
        (["restore", "sandbox"], "name a backup: make restore FROM=2026"),
        (["parity", "dev"], "name two environments"),
        (["promote", "dev"], "make promote TO=prod"),
    ],
)
def test_options_that_do_not_go_together(
    machine: Machine, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert message in capsys.readouterr().err


def test_rendering_leaves_the_process_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before, opened = dict(os.environ), builtins.open
    objects("dev", "airflow.parallelism=1")
    assert dict(os.environ) == before
    assert SET not in os.environ
    assert (Path.cwd(), builtins.open) == (tmp_path, opened)


def test_while_it_renders_the_process_is_as_it_was_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report renders while threads run, which share folder and variables."""
    monkeypatch.chdir(tmp_path)
    before, found = dict(os.environ), []
    register = Recorder.new_resource

    def look(self: Recorder, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        found.append((Path.cwd(), dict(os.environ)))
        return register(self, args)

    monkeypatch.setattr(Recorder, "new_resource", look)
    objects("dev", "airflow.parallelism=1")
    assert len(found) > 20
    assert all(seen == (tmp_path, before) for seen in found)
