"""When the embedded cluster is restarted, and what its command line says and returns."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox import __main__ as command_line
from sandbox import api, lifecycle, locks, status
from sandbox.errors import SandboxError
from sandbox.progress import Progress


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(lifecycle, "_SECONDS_TO_RECOVER", 0.2)


def test_a_part_that_answers_late_is_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([["etcd is not well (timed out)"], ["etcd is not well (timed out)"], []])
    monkeypatch.setattr(lifecycle, "_faults", lambda _: next(answers))
    assert lifecycle._faults_that_stay([], Progress()) == []
    assert "etcd is not well (timed out)" in capsys.readouterr().err


def test_a_fault_that_stays_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_faults", lambda _: ["etcd is dead"])
    assert lifecycle._faults_that_stay([], Progress()) == ["etcd is dead"]


def _node(status: str) -> dict[str, Any]:
    ready = {
        "type": "Ready",
        "status": status,
        "message": "network plugin not ready",
        "lastHeartbeatTime": "2026-01-01T00:00:00Z",
    }
    return {"status": {"conditions": [{"type": "DiskPressure", "status": "False"}, ready]}}


def test_why_the_node_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "get", lambda _: _node("True"))
    assert lifecycle._node_fault() == ""
    assert lifecycle._node_fault(datetime(2025, 1, 1, tzinfo=UTC)) == ""
    assert lifecycle._node_fault(datetime(2027, 1, 1, tzinfo=UTC)) != ""
    monkeypatch.setattr(api, "get", lambda _: _node("False"))
    assert lifecycle._node_fault() == "network plugin not ready"
    monkeypatch.setattr(api, "get", lambda _: {})
    assert "not reported" in lifecycle._node_fault()


def test_an_unreachable_api_server_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> tuple[int, bytes]:
        raise ConnectionRefusedError("connection refused")

    monkeypatch.setattr(api, "_exchange", refuse)
    with pytest.raises(SandboxError, match=r"does not answer GET /readyz.*Remedy"):
        api.check_ready()
    assert "connection refused" in lifecycle._node_fault()


def test_up_fails_when_not_all_is_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["sandbox", "up"])
    monkeypatch.setattr(lifecycle, "up", lambda _: None)
    monkeypatch.setattr(status, "report", lambda: False)
    assert command_line.main() == 1
    assert "not all is well" in capsys.readouterr().err
    monkeypatch.setattr(status, "report", lambda: True)
    assert command_line.main() == 0


def test_waiting_for_a_lock_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def flock(_: object, operation: int) -> None:
        asked.append(operation)
        if len(asked) == 1:
            raise BlockingIOError

    monkeypatch.setattr("fcntl.flock", flock)
    with locks.held(tmp_path / "lock", "another build", Progress()):
        assert len(asked) == 2
    assert "another build is at work" in capsys.readouterr().err
