"""Which processes are the embedded cluster's, whether they live, and that they end."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import commands, leftovers, processes
from sandbox.errors import SandboxError
from sandbox.processes import Process
from sandbox.progress import Progress


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "processes"
    directory.mkdir()
    monkeypatch.setattr(processes, "_RECORDS", directory)
    monkeypatch.setattr("sandbox.paths.LOGS", tmp_path)
    monkeypatch.setattr("sandbox.paths.RUN", tmp_path)
    return directory


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def zombie() -> Iterator[int]:
    with subprocess.Popen(["true"]) as process:
        while Path(f"/proc/{process.pid}/stat").read_text().split()[2] != "Z":
            time.sleep(0.01)
        yield process.pid


def record(directory: Path, pid: int, started: int | None, boot: str | None = None) -> None:
    content = {
        "pid": pid,
        "started": started,
        "boot": boot or processes.boot(),
        "command": ["sleep"],
        "configuration": "digest",
    }
    (directory / "part").write_text(json.dumps(content))


def start_time(pid: int) -> int:
    started = processes._start_time(pid)
    assert started is not None
    return started


def test_a_live_process_is_found(records: Path, child: subprocess.Popen[bytes]) -> None:
    record(records, child.pid, start_time(child.pid))
    found = processes.find("part")
    assert found is not None
    assert found.pid == child.pid
    assert 0 <= found.uptime < 60
    assert processes.recorded() == ["part"]


def test_another_process_with_the_number_is_not(
    records: Path, child: subprocess.Popen[bytes]
) -> None:
    started = start_time(child.pid)
    record(records, child.pid, started + 1)
    assert processes.find("part") is None
    record(records, child.pid, started, boot="another")
    assert processes.find("part") is None
    assert processes.find("never started") is None


def test_a_zombie_is_dead(records: Path, zombie: int) -> None:
    assert processes._start_time(zombie) is None
    record(records, zombie, None)
    assert processes.find("part") is None


def test_a_changed_command_or_configuration_is_not_current(
    records: Path, child: subprocess.Popen[bytes]
) -> None:
    record(records, child.pid, start_time(child.pid))
    part = Process("part", ("sleep",), lambda: None)
    assert processes.is_current(part, "digest")
    assert not processes.is_current(part, "other digest")
    assert not processes.is_current(Process("part", ("sleep", "1"), lambda: None), "digest")


def test_a_start_that_fails_shows_the_log(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (records.parent / "part.log").write_text("no such flag")
    monkeypatch.setattr(processes, "_start_time", lambda _: None)
    with pytest.raises(SandboxError, match=r"(?s)part died at once.*no such flag"):
        processes.start(Process("part", ("true",), lambda: None), {}, "digest")
    assert processes.recorded() == []


def test_the_reason_of_a_fault(records: Path, child: subprocess.Popen[bytes]) -> None:
    def refuse() -> None:
        raise OSError("connection refused")

    assert processes.fault(Process("part", (), refuse)) == "dead"
    record(records, child.pid, start_time(child.pid))
    assert processes.fault(Process("part", (), refuse)) == "not well (connection refused)"
    assert processes.healthy(Process("part", (), lambda: None))


def test_processes_end(child: subprocess.Popen[bytes]) -> None:
    assert processes.end(processes.identify([child.pid]), 5) == []
    assert child.wait() == -signal.SIGTERM


def test_what_lives_on_is_named_and_not_forgotten(
    records: Path, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(records, child.pid, start_time(child.pid))
    monkeypatch.setattr(processes, "_SECONDS_TO_DIE", 0)
    monkeypatch.setattr(processes, "_signal", lambda victims, _: list(victims))
    with pytest.raises(SandboxError, match=str(child.pid)):
        processes.stop(["part"], 0)
    assert processes.recorded() == ["part"]


def test_listening_to_sigterm() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        assert leftovers._listens_to_sigterm(os.getpid())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        assert not leftovers._listens_to_sigterm(os.getpid())
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        # The status file shows the main thread's mask, and tests run in it.
        assert leftovers._listens_to_sigterm(os.getpid())
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        signal.signal(signal.SIGTERM, before)


def test_programs_that_fail_or_are_missing() -> None:
    assert commands.capture(["cat"], "", text="input") == "input"
    with pytest.raises(SandboxError, match=r"(?s)`ls /nowhere` failed: .*Remedy: make it"):
        commands.capture(["ls", "/nowhere"], "make it")
    with pytest.raises(SandboxError, match=r"(?s)no `no-such-program`.*Remedy: install it"):
        commands.capture(["no-such-program"], "install it")
    with pytest.raises(SandboxError, match=r"(?s)the step failed \(exit code 3\).*the reason"):
        commands.run(["sh", "-c", "echo the reason; exit 3"], "the step", Progress())


def test_long_steps_say_how_far_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sandbox.progress._SECONDS_BETWEEN_SIGNS_OF_LIFE", 0.05)
    commands.run(["sh", "-c", "echo one; sleep 0.3"], "the step", Progress())
    assert "the step: 0 s, 1 lines, now one" in capsys.readouterr().err
