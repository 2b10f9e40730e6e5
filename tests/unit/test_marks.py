"""Per-environment fields: each has a reason and an owner; values out of bounds are refused."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path as FilePath
from typing import Any, get_args

import pytest
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings import expiry
from airflow_kubernetes.settings.bounds import Marked, at, marked, plain
from airflow_kubernetes.settings.document import read
from airflow_kubernetes.settings.fields import Section
from airflow_kubernetes.settings.load import VALUES
from airflow_kubernetes.settings.marks import SANDBOX, Owner
from airflow_kubernetes.settings.problems import Path, SettingsError, dotted
from airflow_kubernetes.settings.schema import Settings
from airflow_kubernetes.settings.validation import fields, mark_of, section_of, sections_of

COMMON = load("dev")
FIELDS = list(marked(plain(COMMON)))


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


def test_every_field_has_a_reason_and_an_owner() -> None:
    owners = get_args(Owner)
    assert not [name(field) for field in FIELDS if not field.mark.why]
    assert not [name(field) for field in FIELDS if field.mark.owner not in owners]


def numbers(section: type[Section] = Settings, path: Path = ()) -> Iterator[tuple[Path, int, int]]:
    """Path, least and greatest value of every number that an environment may set."""
    for key, field in fields(section).items():
        inner = section_of(field) or sections_of(field)
        if mark_of(field) is None and inner is not None:
            item = () if section_of(field) else ("default",)
            yield from numbers(inner, (*path, key, *item))
        elif mark_of(field) is not None:
            schema = section.model_json_schema()["properties"][key]
            for kind in schema.get("anyOf", [schema]):
                if kind.get("type") == "integer":
                    yield (*path, key), kind["minimum"], kind["maximum"]


def test_numbers_out_of_bounds_are_refused(values: FilePath) -> None:
    found = list(numbers())
    assert (("airflow", "apiServer", "service", "nodePort"), 30000, 32767) in found
    assert len(found) > 10
    missed = []
    for path, least, most in found:
        for wrong in (least - 1, most + 1):
            start = f"values/prod.yaml:{len(path)}: {dotted(path)}: input should be "
            problems = refusals(values, setting(path, wrong))
            if not any(problem.startswith(start) for problem in problems):
                missed.append((start, wrong, problems))
    assert not missed


def test_quantities_too_far_from_common_are_refused(values: FilePath) -> None:
    common = {field.path: at(plain(COMMON), field.path) for field in FIELDS if field.mark.times}
    quantities = [path for path, value in common.items() if isinstance(value, str | dict)]
    assert len(quantities) > 10
    missed = []
    for path in quantities:
        # No cluster has so many cores, which is said of any environment.
        wrongs = ["2M"] if path[-1] == "cpu" else ["20M" if path[-1] == "memory" else "2M", "9000G"]
        if isinstance(common[path], dict):
            path, wrongs = (*path, "limits", "memory"), ["9000G"]
        for wrong in wrongs:
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
