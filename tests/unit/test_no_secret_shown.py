"""No password in what commands print: errors that quote other programs, drift, refused values."""

import socket

import pytest
from airflow_kubernetes.cli import drift
from airflow_kubernetes.cli.main import main
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.comparison.changes import Change, Operation
from airflow_kubernetes.comparison.leaves import Difference
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import UserError
from airflow_kubernetes.registry.client import resolve
from airflow_kubernetes.registry.reference import RegistryError
from airflow_kubernetes.report.pulumi_preview import Preview
from airflow_kubernetes.settings.problems import SettingsError


@pytest.mark.parametrize(
    "quoted",
    [
        "postgres://pulumi:hunter2@db/state",
        "dial tcp: proxy http://me:hunter2@proxy:3128: refused",
        "fatal: unable to access 'https://bot:hunter2@git.example.com/dags.git/'",
        "redis://:hunter2@redis:6379/0",
    ],
)
def test_an_error_s_quotation_has_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], quoted: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UserError(f"it failed: {quoted}")

    monkeypatch.setattr(Target, "load", fail)
    assert main(["render", "dev"]) == 1
    shown = capsys.readouterr().err
    assert "hunter2" not in shown
    assert shown == f"error: it failed: {quoted.replace('hunter2', '[secret]')}\n"


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:hunter2@127.0.0.1:{port}",
        "http://me:hunter2#x@127.0.0.1:{port}",
        "http://me:hunter2@127.0.0.1:{port}x",
        "me:hunter2/y@127.0.0.1:{port}",
        "socks9://me:hunter2@127.0.0.1:{port}",
    ],
)
def test_a_proxy_s_password_is_in_no_error(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))  # nothing listens
        monkeypatch.setenv("HTTPS_PROXY", proxy.format(port=server.getsockname()[1]))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(RegistryError) as error:
            resolve("registry.example.com/a:1")
    assert "hunter2" not in str(error.value)


def test_drift_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def changed(kind: str, *path: str, old: str, new: str) -> Change:
        return Change(Operation.UPDATE, {"kind": kind, "metadata": {"name": "x"}}, {"kind": kind,
                      "metadata": {"name": "x"}}, (Difference(path, old, new),))  # fmt: skip

    env = ("spec", "template", "spec", "containers", "[x]", "env")
    found = (
        changed("Deployment", *env, "[SMTP_PASSWORD]", "value", old="old", new="hunter2"),
        changed("ConfigMap", "data", "AIRFLOW__SMTP__SMTP_PASSWORD", old="old", new="hunter2"),
        changed("ConfigMap", "data", "URL", old="x", new="db://user:hunter2@host/a"),
        changed("Secret", "stringData", "anything", old="old", new="hunter2"),
        changed("Deployment", "spec", "replicas", old="1", new="7"),
    )
    monkeypatch.setattr(drift, "engine", lambda _: "pulumi")
    monkeypatch.setattr(drift, "_preview", lambda _: Preview(drift=found))
    with pytest.raises(SystemExit):
        drift.drift(Target("dev", "", load("dev")))
    shown = capsys.readouterr().out
    assert "hunter2" not in shown
    assert shown.count("[secret]") >= 4
    assert 'spec.replicas: "1" -> "7"' in shown


@pytest.mark.parametrize(
    "overrides",
    [
        "airflow.url=https://me:hunter2@airflow.example.com",
        "airflow.url=https://hunter2@airflow.example.com/x",
        "airflow.dags.source=git airflow.dags.git.repository=https://me:hunter2@git.example.com/a",
        "airflow.dags.source=git airflow.dags.git.repository=https://hunter2@git.example.com/a",
        "airflow.dags.source=git airflow.dags.git.repository=ssh://git:hunter2@git.example.com/a",
        "images.registry=me:hunter2@registry.example.com",
        "database.external.host=me:hunter2@db.example.com",
    ],
)
def test_a_value_with_a_login_is_refused_and_not_shown(overrides: str) -> None:
    with pytest.raises(SettingsError) as error:
        load("dev", overrides)
    assert "hunter2" not in str(error.value)


def test_ssh_s_user_is_no_login() -> None:
    for repository in ("ssh://git@git.example.com/a", "git@git.example.com:team/a"):
        more = "airflow.dags.git.secret=deploy-key airflow.dags.source=git"
        load("dev", f"{more} airflow.dags.git.repository={repository}")
