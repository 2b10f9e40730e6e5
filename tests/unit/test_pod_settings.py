"""Sections of pods as one: what is merged, what is added, what is replaced."""

from typing import Any

import pytest
from airflow_kubernetes.kubernetes.pod_settings import merged, only
from airflow_kubernetes.settings.schema import ContainerFields, PodFields, PodSettings

TOLERATIONS = [{"key": "a", "operator": "Exists"}]


def section(**values: Any) -> PodSettings:
    return PodSettings.model_validate(values)


def test_mappings_are_merged_by_key() -> None:
    general = section(nodeSelector={"pool": "a", "disk": "ssd"}, env={"A": "1", "B": "2"})
    own = section(nodeSelector={"pool": "b"}, env={"B": "3"})
    both = merged(general, own)
    assert both.node_selector == {"pool": "b", "disk": "ssd"}
    assert both.env == {"A": "1", "B": "3"}


def test_named_things_are_added_after_the_general_ones() -> None:
    one, two = ({"name": name, "emptyDir": "1Gi"} for name in ("one", "two"))
    both = merged(section(volumes=[one]), section(), section(volumes=[two]))
    assert [volume.name for volume in both.volumes] == ["one", "two"]


@pytest.mark.parametrize(
    ("own", "keys"),
    [
        ({}, ["a"]),
        ({"tolerations": None}, ["a"]),
        ({"tolerations": []}, []),
        ({"tolerations": [{"key": "b"}]}, ["b"]),
    ],
)
def test_all_else_is_replaced_by_what_is_set(own: dict[str, Any], keys: list[str]) -> None:
    both = merged(section(tolerations=TOLERATIONS), section(**own))
    assert [item.key for item in both.tolerations or ()] == keys


def test_a_group_of_fields_leaves_out_the_other() -> None:
    everything = section(labels={"a": "b"}, env={"A": "b"}, priorityClassName="high")
    assert only(PodFields, everything) == section(labels={"a": "b"}, priorityClassName="high")
    assert only(ContainerFields, everything) == section(env={"A": "b"})
