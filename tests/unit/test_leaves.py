"""Objects compared leaf by leaf."""

from airflow_kubernetes.comparison.leaves import (
    MISSING,
    Difference,
    differences,
    dotted,
    narrowed,
)


def test_items_are_found_by_name() -> None:
    old = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    new = {"env": [{"name": "C", "value": "3"}, *old["env"]]}
    assert differences(old, new) == [
        Difference(("env", "[C]", "name"), MISSING, "C"),
        Difference(("env", "[C]", "value"), MISSING, "3"),
    ]


def test_items_without_a_name_of_their_own_are_found_by_position() -> None:
    old, new = ({"rules": [{"verbs": ["get"]}, {"verbs": verbs}]} for verbs in ([], ["list"]))
    assert differences(old, new) == [Difference(("rules", "[1]", "verbs"), [], ["list"])]


def test_null_is_a_value_and_an_empty_mapping_too() -> None:
    assert differences({"a": None, "b": {}}, {"b": None}) == [
        Difference(("a",), None, MISSING),
        Difference(("b",), {}, None),
    ]


def test_what_only_one_side_has_is_a_difference_for_each_leaf_or_one() -> None:
    old: dict[str, list[object]] = {"env": []}
    new = {"env": [{"name": "A", "value": "1"}]}
    assert differences(old, new) == [
        Difference(("env", "[A]", "name"), MISSING, "A"),
        Difference(("env", "[A]", "value"), MISSING, "1"),
    ]
    whole = Difference(("env", "[A]"), MISSING, {"name": "A", "value": "1"})
    assert differences(old, new, whole=True) == [whole]


def test_files_of_a_config_map_are_compared_as_what_they_hold() -> None:
    old, new = (
        {"data": {"pod.yaml": f"a: {{b: {n}}}", "x.json": "{" * n, "run.sh": f"a: {n}"}}
        for n in (1, 2)
    )
    assert differences(old, new) == [
        Difference(("data", "pod.yaml", "a", "b"), 1, 2),
        Difference(("data", "run.sh"), "a: 1", "a: 2"),
        Difference(("data", "x.json"), "{", "{{"),
    ]


def test_paths_read_as_in_kubectl() -> None:
    assert dotted(("spec", "containers", "[web]", "image")) == "spec.containers[web].image"
    assert dotted(("metadata", "labels", "a.b/c")) == 'metadata.labels["a.b/c"]'


def test_another_order_is_a_difference_and_an_insertion_is_none() -> None:
    old = {"env": [{"name": "A"}, {"name": "B"}]}
    new = {"env": [{"name": "B"}, {"name": "A"}]}
    assert differences(old, new) == [Difference(("env",), "A, B", "B, A")]


def test_a_difference_in_a_text_is_its_lines() -> None:
    old, new = "set -eu\nrun one\nend\n", "set -eu\nrun two\nmore\nend\n"
    assert list(narrowed(Difference(("data", "x.sh"), old, new))) == [
        Difference(("data", "x.sh", "[line 2]"), "run one", "run two\nmore")
    ]
    assert list(narrowed(Difference(("args",), ["-c", old], ["-c", new]))) == [
        Difference(("args", "[1]", "[line 2]"), "run one", "run two\nmore")
    ]
    assert list(narrowed(Difference(("verbs",), ["get", "list"], ["get"]))) == [
        Difference(("verbs", "[1]"), ["list"], MISSING)
    ]
    assert list(narrowed(Difference(("args",), ["mysqld"], ["mysqld", "--quiet=0"]))) == [
        Difference(("args", "[1]"), MISSING, ["--quiet=0"])
    ]
    plain = Difference(("replicas",), 1, 2)
    assert list(narrowed(plain)) == [plain]
