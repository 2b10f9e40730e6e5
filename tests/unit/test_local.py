"""make task and make local-up: .env, container engines, and what they refuse."""

import stat
from pathlib import Path

import pytest
from airflow_kubernetes.cli import local
from airflow_kubernetes.cli.local import local_up
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.cli.task import task
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.local import env_file
from airflow_kubernetes.local.engine import Engine, EngineError, find_engine


def test_env_is_for_its_owner_alone_and_keeps_what_a_user_added(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nAIRFLOW_PORT = 8081\nADMIN_PASSWORD=old=\n\n")
    env_file.write(file, env_file.read(file) | {"MORE": "1"})
    assert env_file.read(file) == {"AIRFLOW_PORT": "8081", "ADMIN_PASSWORD": "old=", "MORE": "1"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [".env"]


def test_passwords_are_drawn_once() -> None:
    settings = load("dev")
    drawn = env_file.secrets(settings, {})
    assert set(drawn) == set(env_file.SECRETS)
    assert len(set(drawn.values())) == len(drawn)
    assert env_file.secrets(settings, drawn) == drawn
    assert env_file.secrets(settings, drawn | {"JWT_SECRET": ""})["JWT_SECRET"]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_no_engine(programs: Path) -> None:
    with pytest.raises(EngineError, match="docker or podman is not on PATH; install it"):
        find_engine()


def test_an_engine_that_does_not_answer_says_why(programs: Path) -> None:
    program(programs, "docker", "echo 'permission denied' >&2; exit 1")
    with pytest.raises(EngineError, match="docker: permission denied\nStart the engine"):
        find_engine()


def test_docker_first_and_podman_where_it_does_not_answer(programs: Path) -> None:
    program(programs, "podman", "echo linux/arm64")
    assert find_engine() == Engine("podman", "linux/arm64")
    program(programs, "docker", "exit 1")
    assert find_engine() == Engine("podman", "linux/arm64")
    program(programs, "docker", "echo linux/amd64")
    assert find_engine() == Engine("docker", "linux/amd64")
    assert find_engine("podman").program == "podman"


def test_compose_is_required_in_its_second_version(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "docker", "[ $1 != compose ] || exit 1")
    with pytest.raises(CommandError, match="no plugin `compose`: install Docker Compose 2"):
        local_up(Target("dev", "", load("dev")))


def test_local_up_refuses_a_release_that_compose_yaml_is_not_for(programs: Path) -> None:
    settings = load("dev", "airflow.version=2.11.2")
    message = "2.11.2, but compose.yaml has no service webserver: it runs Airflow 3.3.2. Set that"
    with pytest.raises(CommandError, match=message):
        local_up(Target("dev", "", settings))


def test_local_up_refuses_a_compose_file_without_services(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "compose.yaml"
    monkeypatch.setattr(local, "COMPOSE_FILE", file)
    for text in (
        "",
        "x",
        "- a",
        "services: [",
        "services:",
        "services: x",
        "services: 3",
        "a: &a {services: *a}",
        "\xff",
    ):
        file.write_text(text, encoding="latin-1")
        with pytest.raises(CommandError, match="no Compose file with services: restore it"):
            local_up(Target("dev", "", load("dev")))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("pandas", "", "NAME=pandas: no such task image; images/tasks has: .*pandas-1, pandas-2"),
        ("", "", "NAME=: no such task image"),
        ("pandas-1", "--day '3", "ARGS: No closing quotation"),
    ],
)
def test_what_make_task_refuses(name: str, arguments: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        task(Target("dev", "", load("dev")), name, arguments)
