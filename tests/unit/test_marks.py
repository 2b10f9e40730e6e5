"""Per-environment fields: each has an owner and bounds; values out of bounds are refused."""

import re
from datetime import date
from pathlib import Path as FilePath
from typing import Annotated, Any, get_args

import pytest
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings import expiry
from airflow_kubernetes.settings.bounds import Marked, at, marked, plain
from airflow_kubernetes.settings.document import read
from airflow_kubernetes.settings.fields import Section
from airflow_kubernetes.settings.load import VALUES
from airflow_kubernetes.settings.marks import LOCATION, SANDBOX, Owner
from airflow_kubernetes.settings.problems import Path, SettingsError, dotted
from airflow_kubernetes.settings.validation import fields, mark_of

COMMON = load("dev")
FIELDS = list(marked(plain(COMMON)))
RANGE = re.compile(r"(\d+) to (\d+)( or null)?")


def name(field: Marked) -> str:
    return dotted(field.path)


@pytest.fixture
def values(tmp_path: FilePath) -> FilePath:
    """common.yaml, and an empty file of an environment for a test to fill."""
    folder = tmp_path / "values"
    folder.mkdir()
    (folder / "common.yaml").write_text((VALUES / "common.yaml").read_text())
    for environment in ("prod", SANDBOX):
        (folder / f"{environment}.yaml").write_text("")
    return folder


def refusals(values: FilePath, text: str, environment: str = "prod") -> list[str]:
    (values / f"{environment}.yaml").write_text(text)
    with pytest.raises(SettingsError) as error:
        load(environment, directory=values)
    return [str(problem) for problem in error.value.problems]


def setting(path: Path, value: Any) -> str:
    """A values file with one value, each key on its own line."""
    for key in reversed(path):
        value = {key: value}
    return yaml.safe_dump(value)


def test_every_field_has_a_reason_an_owner_and_bounds() -> None:
    owners = get_args(Owner)
    assert not [
        name(field)
        for field in FIELDS
        if not (field.mark.why and field.mark.owner in owners and field.bounds)
    ]


def test_bounds_are_those_of_the_type_or_the_mark_in_words() -> None:
    said = {name(field): field.bounds for field in FIELDS}
    assert said["airflow.apiServer.replicas"] == "1 to 50"
    assert said["airflow.apiServer.service.type"] == "ClusterIP, NodePort, LoadBalancer"
    assert said["airflow.apiServer.service.nodePort"] == "30000 to 32767 or null"
    assert said["airflow.apiServer.resources"] == "1/64 to 64 times common's"
    assert said["database.cluster.bufferPool"] == "1/64 to 64 times common's"
    assert said["images.build"] == "true or false"
    assert said["images.platforms"] == "any of [linux/amd64, linux/arm64]"
    assert said["airflow.dags.git.ref"] == "a branch, tag or commit"
    assert said["airflow.tasks.nodeSelector"] == "labels of nodes"
    assert said["broker.external.secret"].endswith("without - at an end or null")
    assert said["database.backup.schedule"].startswith("five fields")


def test_a_mapping_without_words_of_its_own_has_bounds() -> None:
    class Component(Section):
        annotations: Annotated[dict[str, str], LOCATION]

    (mark,) = (mark_of(field) for field in fields(Component).values())
    assert mark is not None
    assert Marked(("annotations",), mark, Component).bounds == "a mapping"


def test_numbers_out_of_bounds_are_refused(values: FilePath) -> None:
    numbers = {field.path: found for field in FIELDS if (found := RANGE.fullmatch(field.bounds))}
    assert len(numbers) > 10
    missed = []
    for path, bounds in numbers.items():
        for wrong in (int(bounds[1]) - 1, int(bounds[2]) + 1):
            start = f"values/prod.yaml:{len(path)}: {dotted(path)}: input should be "
            problems = refusals(values, setting(path, wrong))
            if not any(problem.startswith(start) for problem in problems):
                missed.append((start, wrong, problems))
    assert not missed


def test_quantities_too_far_from_common_are_refused(values: FilePath) -> None:
    quantities = [field for field in FIELDS if "times" in field.bounds]
    assert len(quantities) > 10
    missed = []
    for field in quantities:
        path, common = field.path, at(plain(COMMON), field.path)
        if isinstance(common, dict):
            path = (*path, "limits", "memory")
        for wrong in ("1M", "9000G"):
            start = (
                f"values/prod.yaml:{len(path)}: {dotted(path)}: {wrong} is out of bounds, 1/64 to "
                "64 times common's"
            )
            problems = refusals(values, setting(path, wrong))
            if not any(text.startswith(start) and "a value within" in text for text in problems):
                missed.append((start, problems))
    assert not missed


def test_bounds_hold_for_one_command_too(values: FilePath) -> None:
    with pytest.raises(SettingsError, match=r"SET: logs.claim.size: 2000Gi is out of bounds"):
        load("prod", "logs.claim.size=2000Gi", values)
    assert load("prod", "logs.claim.size=1000Gi", values).logs.claim.size == "1000Gi"


STOPPED = "airflow:\n  stopped: true\n"


def test_a_temporary_difference_needs_a_day(values: FilePath) -> None:
    assert refusals(values, STOPPED) == [
        "values/prod.yaml:2: airflow.stopped: may differ only temporarily (one environment may be "
        "stopped, to work on its database); add its expiry date: "
        "until: {airflow.stopped: 2026-11-30}"
    ]
    file = values / "prod.yaml"
    file.write_text(f"{STOPPED}until:\n  airflow.stopped: 2020-01-01\n")
    # Expired long ago: a deployment is not the moment to report that.
    assert load("prod", directory=values).airflow.stopped
    assert expiry.days(read(file, "prod")) == {"airflow.stopped": date(2020, 1, 1)}


def test_no_day_is_needed_for_the_common_value_or_for_one_command(values: FilePath) -> None:
    (values / "prod.yaml").write_text("airflow:\n  stopped: false\n")
    assert not load("prod", directory=values).airflow.stopped
    assert load("prod", "airflow.stopped=true", values).airflow.stopped


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ("until: 2026-11-30", "1: until: should be a mapping of fields to dates"),
        ("until:", "1: until: should be a mapping of fields to dates"),
        (
            "until:\n  airflow.stoped: 2026-11-30",
            "2: until.airflow.stoped: not a field that environments may set; did you mean "
            "airflow.stopped?",
        ),
        (
            "until:\n  airflow.executor: 2026-11-30",
            "2: until.airflow.executor: not a field that environments may set",
        ),
        (
            "until:\n  airflow: {stopped: 2026-11-30}",
            "2: until.airflow: not a field that environments may set",
        ),
        ("until:\n  namespace: soon", "2: until.namespace: should be a date without quotes"),
        ("until:\n  namespace: '2026-11-30'", "such as 2026-11-30, not '2026-11-30'"),
        ("until:\n  namespace: 2026-11-30 10:00:00", "2: until.namespace: should be a date"),
        ("until:\n  namespace: 2026-99-99", "2: until.namespace: not valid YAML: month"),
        (
            "until:\n  namespace: 2026-11-30\n  namespace: 2026-12-01",
            "3: until.namespace: the key",
        ),
    ],
)
def test_wrong_days_are_refused_with_their_line(
    values: FilePath, entries: str, problem: str
) -> None:
    (found,) = refusals(values, entries)
    assert found.startswith("values/prod.yaml:")
    assert problem in found


def test_days_are_only_for_the_files_of_environments(values: FilePath) -> None:
    common = values / "common.yaml"
    common.write_text(common.read_text() + "until:\n  namespace: 2026-11-30\n")
    assert any("until: unknown key" in text for text in refusals(values, ""))


def test_wrong_days_are_reported_with_all_else(values: FilePath) -> None:
    found = refusals(
        values, "namespace: Air\nuntil:\n  x: 2026-11-30\nlogs:\n  claim: {size: 1M}\n"
    )
    assert [text.split(": ")[1] for text in found] == ["namespace", "until.x", "logs.claim.size"]
