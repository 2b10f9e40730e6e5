"""Per-environment fields: each has an owner and bounds; what is out of them is refused."""

from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings import expiry
from airflow_kubernetes.settings.bounds import Marked, at, marked, plain
from airflow_kubernetes.settings.document import read
from airflow_kubernetes.settings.load import VALUES
from airflow_kubernetes.settings.marks import SANDBOX, Owner
from airflow_kubernetes.settings.problems import SettingsError, dotted

COMMON = load("dev")
FIELDS = list(marked(plain(COMMON)))


def name(field: Marked) -> str:
    return dotted(field.path)


@pytest.fixture
def values(tmp_path: Path) -> Path:
    """common.yaml, and an empty file of an environment for a test to fill."""
    folder = tmp_path / "values"
    folder.mkdir()
    (folder / "common.yaml").write_text((VALUES / "common.yaml").read_text())
    for environment in ("prod", SANDBOX):
        (folder / f"{environment}.yaml").write_text("")
    return folder


def refusals(values: Path, text: str, environment: str = "prod") -> list[str]:
    (values / f"{environment}.yaml").write_text(text)
    with pytest.raises(SettingsError) as error:
        load(environment, directory=values)
    return [str(problem) for problem in error.value.problems]


def setting(path: tuple[str | int, ...], value: Any) -> str:
    """A values file with one value, each key on a line of its own."""
    for key in reversed(path):
        value = {key: value}
    return yaml.safe_dump(value)


@pytest.mark.parametrize("field", FIELDS, ids=name)
def test_every_field_has_a_reason_an_owner_and_bounds(field: Marked) -> None:
    assert field.mark.why
    assert field.mark.owner in get_args(Owner)
    assert field.bounds


def test_bounds_are_said_as_the_type_or_the_mark_has_them() -> None:
    said = {name(field): field.bounds for field in FIELDS}
    assert said["airflow.apiServer.replicas"] == "1 to 50"
    assert said["airflow.apiServer.service.type"] == "ClusterIP, NodePort, LoadBalancer"
    assert said["airflow.apiServer.service.nodePort"] == "30000 to 32767 or null"
    assert said["airflow.apiServer.resources"] == "1/64 to 64 times common's"
    assert said["database.cluster.bufferPool"] == "1/64 to 64 times common's"
    assert said["images.build"] == "true or false"
    assert said["images.platforms"] == "any of [linux/amd64, linux/arm64]"
    assert said["airflow.dags.git.ref"] == r"as ^\w[\w./+-]*$"
    assert said["database.backup.schedule"].startswith("five fields")


NUMBERS = [field for field in FIELDS if " to " in field.bounds and "times" not in field.bounds]


@pytest.mark.parametrize("field", NUMBERS, ids=name)
def test_a_number_out_of_its_bounds_is_refused(values: Path, field: Marked) -> None:
    least, most = (int(one) for one in field.bounds.removesuffix(" or null").split(" to "))
    for wrong in (least - 1, most + 1):
        line = len(field.path)
        start = f"values/prod.yaml:{line}: {name(field)}: input should be "
        assert any(one.startswith(start) for one in refusals(values, setting(field.path, wrong))), (
            wrong
        )


QUANTITIES = [field for field in FIELDS if "times" in field.bounds]


@pytest.mark.parametrize("field", QUANTITIES, ids=name)
@pytest.mark.parametrize("wrong", ["1M", "9000G"])
def test_a_quantity_too_far_from_common_is_refused(values: Path, field: Marked, wrong: str) -> None:
    path, common = field.path, at(plain(COMMON), field.path)
    if isinstance(common, dict):
        path = (*path, "limits", "memory")
    found = refusals(values, setting(path, wrong))
    start = f"values/prod.yaml:{len(path)}: {dotted(path)}: {wrong} is out of bounds, 1/64 to 64 "
    assert any(one.startswith(start) and "take one within" in one for one in found)


def test_bounds_hold_for_one_command_too(values: Path) -> None:
    with pytest.raises(SettingsError, match=r"SET: logs.claim.size: 2000Gi is out of bounds"):
        load("prod", "logs.claim.size=2000Gi", values)
    assert load("prod", "logs.claim.size=1000Gi", values).logs.claim.size == "1000Gi"


STOPPED = "airflow:\n  stopped: true\n"


def test_a_temporary_difference_needs_a_day(values: Path) -> None:
    assert refusals(values, STOPPED) == [
        "values/prod.yaml:2: airflow.stopped: is for some time only (one environment may be "
        "stopped, to work on its database); say until which day: "
        "until: {airflow.stopped: 2026-11-30}"
    ]
    file = values / "prod.yaml"
    file.write_text(f"{STOPPED}until:\n  airflow.stopped: 2020-01-01\n")
    # Over for long: a deployment is not the moment to tell that.
    assert load("prod", directory=values).airflow.stopped
    assert expiry.days(read(file, "prod")) == {"airflow.stopped": date(2020, 1, 1)}


def test_what_is_as_in_common_and_one_command_need_no_day(values: Path) -> None:
    (values / "prod.yaml").write_text("airflow:\n  stopped: false\n")
    assert not load("prod", directory=values).airflow.stopped
    assert load("prod", "airflow.stopped=true", values).airflow.stopped


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ("until: 2026-11-30", "1: until: takes fields and days"),
        ("until:", "1: until: takes fields and days"),
        (
            "until:\n  airflow.stoped: 2026-11-30",
            "2: until.airflow.stoped: no field that environments may set; did you mean "
            "airflow.stopped?",
        ),
        (
            "until:\n  airflow.executor: 2026-11-30",
            "2: until.airflow.executor: no field that environments may set",
        ),
        (
            "until:\n  airflow: {stopped: 2026-11-30}",
            "2: until.airflow: no field that environments may set",
        ),
        ("until:\n  namespace: soon", "2: until.namespace: takes a day, such as 2026-11-30"),
        ("until:\n  namespace: '2026-11-30'", "without quotes; not '2026-11-30'"),
        ("until:\n  namespace: 2026-11-30 10:00:00", "2: until.namespace: takes a day"),
        ("until:\n  namespace: 2026-99-99", "not YAML"),
        (
            "until:\n  namespace: 2026-11-30\n  namespace: 2026-12-01",
            "3: until.namespace: the key",
        ),
    ],
)
def test_wrong_days_are_refused_with_their_line(values: Path, entries: str, problem: str) -> None:
    (found,) = refusals(values, entries)
    assert found.startswith("values/prod.yaml:")
    assert problem in found


def test_days_stand_in_the_files_of_environments_alone(values: Path) -> None:
    common = values / "common.yaml"
    common.write_text(common.read_text() + "until:\n  namespace: 2026-11-30\n")
    assert any("until: unknown key" in one for one in refusals(values, ""))


def test_wrong_days_are_told_with_all_else(values: Path) -> None:
    found = refusals(
        values, "namespace: Air\nuntil:\n  x: 2026-11-30\nlogs:\n  claim: {size: 1M}\n"
    )
    assert [one.split(": ")[1] for one in found] == ["namespace", "until.x", "logs.claim.size"]
