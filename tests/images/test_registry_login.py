"""Logins in the forms that Docker, buildx and Kubernetes read."""

import base64
import json
from pathlib import Path

import pytest
from airflow_kubernetes.environment import load
from airflow_kubernetes.images.pull_secret import pull_secret
from airflow_kubernetes.kubernetes.pull_secret import pull_secrets
from airflow_kubernetes.registry import login
from airflow_kubernetes.registry.login import Login, LoginError


@pytest.mark.parametrize(
    ("registry", "server"),
    [
        ("docker.io/team", "https://index.docker.io/v1/"),
        ("ghcr.io/team/data", "ghcr.io"),
        ("10.244.0.1:5000", "10.244.0.1:5000"),
    ],
)
def test_the_key_of_a_login(registry: str, server: str) -> None:
    auths = json.loads(login.docker_config(registry, "me", "pass:word"))["auths"]
    assert list(auths) == [server]
    assert base64.b64decode(auths[server]["auth"]) == b"me:pass:word"


def test_the_secret_of_a_login() -> None:
    rendered = pull_secret(load("dev"), login.docker_config("r", "me", "sesame"))
    assert rendered["type"] == "kubernetes.io/dockerconfigjson"
    assert rendered["metadata"]["name"] == "airflow-registry"
    entry = json.loads(rendered["stringData"][".dockerconfigjson"])["auths"]["r"]
    assert entry["password"] == "sesame"


def test_pods_pull_with_it_unless_the_values_name_another() -> None:
    assert pull_secrets(load("dev")) == []
    assert pull_secrets(load("dev", "images.login=true")) == ["airflow-registry"]
    assert pull_secrets(load("dev", "images.login=true images.imagePullSecrets=[mine]")) == ["mine"]


def test_a_password_is_in_no_representation() -> None:
    assert "sesame" not in repr(Login("me", "sesame"))


def test_docker_hub_is_found_under_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert login.known("docker.io") is None
    auth = base64.b64encode(b"me:sesame").decode()
    text = json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}}})
    folder = Path(tmp_path / "docker")
    folder.mkdir()
    (folder / "config.json").write_text(text)
    assert login.known("docker.io") == Login("me", "sesame")
    assert login.known("ghcr.io") is None
    (folder / "config.json").write_text('{"auths": {"ghcr.io": {"identitytoken": "x"}}}')
    with pytest.raises(LoginError, match="identity token"):
        login.known("ghcr.io")
    (folder / "config.json").write_text('{"credHelpers": {"ghcr.io": "not-installed"}}')
    with pytest.raises(LoginError, match="cannot be read"):
        login.known("ghcr.io")


def test_docker_keeps_its_other_logins_and_plugins(tmp_path: Path) -> None:
    folder = tmp_path / "docker"
    (folder / "cli-plugins").mkdir(parents=True)
    config = {"auths": {"other": {"auth": "eA=="}}, "credsStore": "desktop"}
    (folder / "config.json").write_text(json.dumps(config))
    with login.for_docker("ghcr.io/team", Login("me", "sesame")) as environment:
        fresh = Path(environment["DOCKER_CONFIG"])
        assert (fresh / "cli-plugins").is_dir()
        assert (fresh / "config.json").stat().st_mode & 0o777 == 0o600
        merged = json.loads((fresh / "config.json").read_text())
        assert merged["credsStore"] == "desktop"
        assert merged["credHelpers"] == {"ghcr.io": ""}
        assert set(merged["auths"]) == {"other", "ghcr.io"}
    assert not fresh.exists()
    with login.for_docker("ghcr.io/team", None) as environment:
        assert environment == {}


def test_a_relative_configuration_folder_keeps_its_plugins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docker" / "cli-plugins").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONFIG", "docker")
    with login.for_docker("ghcr.io/team", Login("me", "sesame")) as environment:
        assert Path(environment["DOCKER_CONFIG"], "cli-plugins").is_dir()
