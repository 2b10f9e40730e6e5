"""Ctrl-C and SIGTERM while the Pulumi CLI runs: it ends in its own way, and the user knows how to
continue.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CLI = """\
#!{python}
import json, os, signal, sys, time
where = {folder!r}
if "whoami" in sys.argv:
    print(json.dumps(dict(url=f"file://{{where}}")))
    sys.exit()
locks = os.path.join(where, ".pulumi/locks/organization/airflow-kubernetes/sandbox")
if os.path.isdir(locks):
    print("locked")
    sys.exit(255)
os.makedirs(locks)
lock = os.path.join(locks, "a.json")
open(lock, "w").close()
received = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: received.append(number))
print("begun", flush=True)
while not received:
    time.sleep(0.01)
end = time.monotonic() + 1.5
while time.monotonic() < end and len(received) < 2:
    time.sleep(0.01)
if len(received) < 2:
    os.remove(lock)
print("signals:", len(received), flush=True)
sys.exit(1)
"""
"""A CLI that needs 1.5 s to release its lock; the second signal ends it at once."""

PARENT = """
import signal, sys
from airflow_kubernetes.cli import pulumi_cli
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    pulumi_cli.run("sandbox", "up")
except (KeyboardInterrupt, pulumi_cli.CommandError) as error:
    print(type(error).__name__, error)
"""


def begun(folder: Path) -> subprocess.Popen[str]:
    """The command in a process group of its own, with the CLI at work in it."""
    cli = folder / "bin" / "pulumi"
    cli.parent.mkdir(parents=True, exist_ok=True)
    cli.write_text(CLI.format(python=sys.executable, folder=str(folder)))
    cli.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "infra"),
            "PATH": f"{cli.parent}:/usr/bin:/bin",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() in ("begun\n", "locked\n")
    return process


def test_the_cli_gets_one_signal_and_ends_before_the_command(tmp_path: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    processes = []
    for number in numbers:
        group, alone = begun(tmp_path / f"group{number}"), begun(tmp_path / f"alone{number}")
        os.killpg(group.pid, number)  # Ctrl-C on a terminal, timeout(1)
        alone.send_signal(number)  # kill(1), a supervisor
        processes += [group, alone]
    for process in processes:
        output = process.communicate(timeout=30)[0]
        assert "signals: 1" in output
        assert "KeyboardInterrupt pulumi up has ended; run the command again" in output
        assert "cancel" not in output


def test_a_lock_that_is_left_is_named(tmp_path: Path) -> None:
    process = begun(tmp_path / "twice")
    os.killpg(process.pid, signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.8)
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=30)[0]
    assert "signals: 2" in output
    assert "KeyboardInterrupt" in output
    assert "pulumi cancel --yes --stack sandbox, then run the command again" in output


def test_a_cli_that_was_killed_is_no_failure_of_its_own(tmp_path: Path) -> None:
    process = begun(tmp_path / "killed")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (cli,) = (
        int(child) for child in children if "pulumi" in Path(f"/proc/{child}/cmdline").read_text()
    )
    os.kill(cli, signal.SIGKILL)
    output = process.communicate(timeout=30)[0]
    assert "CommandError pulumi up was killed (SIGKILL)" in output
    assert "pulumi cancel --yes --stack sandbox, then run the command again" in output
    again = begun(tmp_path / "killed").communicate(timeout=30)[0]
    assert "CommandError pulumi up failed; its output is above; if no other update runs" in again
    assert "pulumi cancel --yes --stack sandbox, then run the command again" in again
