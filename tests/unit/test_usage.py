"""How tasks used slots and requests: what a pod reports, the sums over them, and the report."""

import importlib
import json
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow_kubernetes.airflow.usage import slots, usage_job
from airflow_kubernetes.cli.main import main
from airflow_kubernetes.cli.usage import report
from airflow_kubernetes.environment import load
from airflow_kubernetes.paths import ROOT
from airflow_kubernetes.settings.quantities import amount

from .test_executors import IMAGE, program, task_location

distributions, usage_summary = program("distributions"), program("usage_summary")
use = importlib.import_module("task_pods.use").use
Try = usage_summary.Try

DAY, MI = 86400, 2**20


# ------------------------------------------------------------------------------- what a pod reports

CGROUPS = {
    "version 1": {
        "cpuacct/cpuacct.usage": "2500000000\n",
        "memory/memory.max_usage_in_bytes": "9\n",
    },
    "version 2": {"cpu.stat": "usage_usec 2500000\nuser_usec 7\n", "memory.peak": "9\n"},
    "version 2 before Linux 5.19": {"cpu.stat": "usage_usec 2500000\n"},
    "none": {},
}


@pytest.mark.parametrize("version", CGROUPS)
def test_a_task_s_container_reports_what_it_used_and_ends_as_its_command(
    version: str, tmp_path: Path
) -> None:
    cgroup, message = tmp_path / "cgroup", tmp_path / "termination-log"
    cgroup.mkdir()
    for name, text in CGROUPS[version].items():
        (cgroup / name).parent.mkdir(exist_ok=True)
        (cgroup / name).write_text(text)
    text = (IMAGE / "measured.sh").read_text()
    assert text.count("/sys/fs/cgroup") == text.count("/dev/termination-log") == 1
    text = text.replace("/sys/fs/cgroup", str(cgroup)).replace("/dev/termination-log", str(message))
    command = ["sh", "-c", text, "measured.sh", "sh", "-c", "echo done; exit 3"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "done\n", "")
    if "memory" in " ".join(CGROUPS[version]):
        assert json.loads(message.read_text()) == {"cpu_usec": 2500000, "memory_peak": 9}
    else:
        assert not message.exists()


@pytest.fixture
def quantity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the client's module, which is in the image."""
    for name in ("kubernetes", "kubernetes.utils", "kubernetes.utils.quantity"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    module = sys.modules["kubernetes.utils.quantity"]
    module.parse_quantity = lambda text: amount(str(text))  # type: ignore[attr-defined]


def ended(message: str | None, end: str = "2026-01-01T00:00:10Z", **more: Any) -> dict[str, Any]:
    terminated = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": end, "message": message}
    return {
        "spec": {
            "containers": [
                {"name": "base", "resources": {"requests": {"cpu": "250m", "memory": "384Mi"}}},
                {"name": "beside"},
            ]
        },
        "status": {
            "containerStatuses": [
                {"name": "beside", "state": {"terminated": {"message": "{}"}}},
                {"name": "base", "state": {"terminated": terminated} | more},
            ]
        },
    }


@pytest.mark.usefixtures("quantity")
def test_what_a_pod_used_and_requested() -> None:
    said = '{"cpu_usec": 2500000, "memory_peak": 9}\n'
    assert use(ended(said)) == (10.0, 2.5, 9, 0.25, 384 * MI)
    assert use(ended(said, end="2026-01-01T00:00:00Z"))[0] == 1.0
    running = ended(said)
    running["status"]["containerStatuses"][1]["state"] = {"running": {}}
    for other in (running, ended(None), ended("bye"), ended("[]"), ended("{}")):
        assert use(other) is None
    assert use({"spec": running["spec"], "status": {}}) is None


# ------------------------------------------------------------------------------- percentiles, slots


def test_percentiles_are_those_of_the_numbers_within_2_percent() -> None:
    found, numbers = (
        distributions.Percentiles(),
        [random.expovariate(0.2) + 0.01 for _ in range(9999)],
    )
    for number in numbers:
        found.add(number)
    for percent in (50, 95, 99):
        exact = sorted(numbers)[round(len(numbers) * percent / 100)]
        assert found.at(percent) == pytest.approx(exact, rel=0.03)
    assert distributions.Percentiles().at(50) is None


def test_how_many_slots_were_busy() -> None:
    busy = distributions.Busy(1000, 1000 + distributions.STEPS)  # a second a step
    for begin, end in ((1000, 1030.5), (1010, 1020), (1015.25, 1015.75), (1040, 1040)):
        busy.add(begin, end)
    busy.add(1000 + distributions.STEPS - 1, 1000 + distributions.STEPS)
    levels = [*busy.levels()]
    assert [levels[at] for at in (0, 10, 15, 20, 30, 31, -1)] == [1, 2, 2.5, 1, 0.5, 0, 1]
    assert busy.most() == 2.5
    assert busy.mean() * distributions.STEPS == pytest.approx(30.5 + 10 + 0.5 + 1)
    # One slot: never less than nothing is idle.
    assert busy.idle(1) * distributions.STEPS == pytest.approx(distributions.STEPS - 31.5)


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("airflow-scheduler-6d4cf56db6-abcde", "scheduler"),
        ("airflow-worker-default-6d4cf56db6-abcde", "worker-default"),
        ("airflow-worker-gpu-large-6d4cf56db6-abcde", "worker-gpu-large"),
        ("orders-load-x3k2j4h5", "pod"),
        ("", "pod"),
    ],
)
def test_where_a_task_ran(host: str, place: str) -> None:
    assert task_location.place_of(host) == place


# ----------------------------------------------------------------------------------------- the sums

SINCE, UNTIL = 1_000_000.0, 1_000_000.0 + 7 * DAY
WORKER = "airflow-worker-default-6d4cf56db6-abcde"


def tries() -> list[Any]:
    hour = UNTIL - 3600
    return [
        Try("a", "default", WORKER, SINCE + 100, SINCE + 104, SINCE + 3704),
        Try("a", "default", WORKER, hour - 1, hour, None),
        # Begun before the time; deferred, so that it was queued after its start.
        Try("a", "default", WORKER, SINCE - 10, SINCE - 9, SINCE + 1800),
        Try("b", "kubernetes", "b-task-x3k2j4h5", SINCE + 500, SINCE + 20, SINCE + 1400),
    ]


def used(seconds: float, cpu: float, peak: int, requested: float = 1.0) -> dict[str, Any]:
    return {
        "seconds": seconds, "cpu_seconds": cpu, "memory_peak": peak,
        "cpu_requested": requested, "memory_requested": 1024 * MI,
    }  # fmt: skip


def summarized() -> dict[str, Any]:
    uses = [
        ("b", "kubernetes", "right", used(3600, 3600, 1024 * MI)),
        ("b", "kubernetes", "wrong", used(3600, 360, 100 * MI)),
        ("b", "kubernetes", "wrong", used(3600, 180, 256 * MI)),
    ]
    found: dict[str, Any] = usage_summary.summary(
        tries(), uses, {"worker-default": 4, "worker-new": 2}, SINCE, UNTIL
    )
    assert json.loads(json.dumps(found)) == found
    return found


def test_tries_by_queue_and_the_seconds_that_they_waited() -> None:
    found = summarized()["queues"]
    default, kubernetes = found["default"], found["kubernetes"]
    assert default["tries"] == 3
    assert default["waited_last_day"] == pytest.approx([1, 1, 1], rel=0.02)
    assert default["waited"] == pytest.approx([1, 4, 4], rel=0.02)
    # Who was deferred had no slot meanwhile, and it is unknown how long the first wait was.
    assert kubernetes["slot_hours"] == pytest.approx(0.25)
    assert kubernetes["waited"] == [None, None, None]


def test_slots_by_place() -> None:
    found = summarized()["places"]
    worker = found["worker-default"]
    assert worker["busy"] == pytest.approx((1 + 1 + 0.5) / (7 * 24), rel=0.01)
    assert worker["busy_most"] == pytest.approx(2)
    assert worker["idle"] == pytest.approx(1 - 2.5 / (7 * 24 * 4), rel=0.001)
    assert (found["worker-new"]["tries"], found["worker-new"]["idle"]) == (0, 1)
    assert found["pod"]["idle"] is None


def test_requests_by_dag_and_queue_and_the_tasks_whose_requests_are_most_wrong() -> None:
    found = summarized()
    a, b = found["dags"]
    assert (a["dag"], a["pods"], b["dag"], b["pods"]) == ("a", 0, "b", 3)
    for requested in (b, found["queues"]["kubernetes"]):
        assert (requested["cpu_requested"], requested["cpu"]) == pytest.approx((3, 1.15))
        memory = (requested["memory_requested"], requested["memory"])
        assert memory == pytest.approx((3072 * MI, 1380 * MI))
    first, second = found["tasks"]
    assert (first["task"], second["task"]) == ("wrong", "right")
    assert first["cpu"] == pytest.approx(0.1, rel=0.02)
    assert first["memory"] == 256 * MI


def test_the_report_names_what_to_set() -> None:
    lines = list(report("prod", summarized()))
    assert lines[0].startswith("prod: tasks from 1970-01-12 13:46 to 1970-01-19 13:46 UTC")
    table = lines[lines.index("") :]
    (wrong,) = [line.split() for line in table if line.startswith("b.wrong")]
    # Of percentiles within 2 %, and with room for more memory, in steps of 10m and 16Mi.
    assert wrong == ["b.wrong", "2", "1000m", "99m", "100m", "1024Mi", "256Mi", "288Mi"]
    (worker,) = [line.split() for line in table if line.startswith("worker-new")]
    assert worker == ["worker-new", "0", "0.00", "0.00", "2", "100%"]
    assert max(map(len, lines)) <= 120


def test_the_report_of_an_airflow_that_has_run_nothing() -> None:
    found = usage_summary.summary([], [], {}, SINCE, UNTIL)
    assert list(report("prod", found)).count("none") == 4


# ------------------------------------------------------------------------------------------ the Job


def test_slots_that_are_always_there() -> None:
    celery = (
        "airflow.celery.workers.default.replicas=2 airflow.celery.workers.default.maxReplicas=5"
    )
    expected = {
        "KubernetesExecutor": {},
        "CeleryExecutor": {"worker-default": 16},
        "LocalExecutor": {"scheduler": 32},
        "SequentialExecutor": {"scheduler": 1},
        "CeleryKubernetesExecutor": {"worker-default": 16},
    }
    for executor, found in expected.items():
        assert slots(load("dev", f"airflow.executor={executor} {celery}")) == found


def test_the_job_needs_no_account_and_names_the_days() -> None:
    job = usage_job(load("dev", "airflow.executor=CeleryExecutor"), "x", "image", 3)
    pod = job["spec"]["template"]["spec"]
    assert "serviceAccountName" not in pod
    (container,) = pod["containers"]
    assert container["args"][2:] == ["--days", "3", "--slots", "worker-default=8"]


def test_days_are_a_number_of_days(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "dev", "--days=0"]) == 1
    assert "DAYS=0: write a number from 1 to 366" in capsys.readouterr().err
    assert (ROOT / "images" / "airflow" / "usage.py").exists()
