"""What parity compares, what it asks to be tidied up, and how it tells."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.comparison.leaves import MISSING, Difference
from airflow_kubernetes.environment import load
from airflow_kubernetes.parity import upkeep
from airflow_kubernetes.parity.branches import named
from airflow_kubernetes.parity.check import Explained, Parity
from airflow_kubernetes.parity.disparity import Disparity
from airflow_kubernetes.parity.environment import create
from airflow_kubernetes.parity.explanation import differing
from airflow_kubernetes.parity.facts import facts, narrowed
from airflow_kubernetes.parity.text import text
from airflow_kubernetes.render import Registered
from airflow_kubernetes.settings.problems import SettingsError, dotted

TODAY = date(2026, 1, 15)


def resource(kind: str, name: str, inputs: dict[str, Any], **options: Any) -> Registered:
    return Registered(f"kubernetes:core/v1:{kind}", name, inputs, options, "infra/__main__.py:1")


def test_facts_are_leaves_of_inputs_and_options() -> None:
    one = resource("Secret", "airflow-keys-secret", {"metadata": {"name": "x"}}, protect=True)
    assert facts([one], "reg") == {
        ("Secret airflow-keys", "metadata", "name"): "x",
        ("Secret airflow-keys", "pulumi", "protect"): True,
    }


def test_files_in_a_config_map_are_taken_apart() -> None:
    data = {"pod_template.yaml": "spec:\n  restartPolicy: Never\n", "x.json": "{", "run.sh": "a: b"}
    assert facts([resource("ConfigMap", "c", {"data": data})], "reg") == {
        ("ConfigMap c", "data", "pod_template.yaml", "spec", "restartPolicy"): "Never",
        ("ConfigMap c", "data", "x.json"): "{",
        ("ConfigMap c", "data", "run.sh"): "a: b",
    }


def test_flags_are_found_by_name() -> None:
    def args(*args: str) -> dict[Any, Any]:
        return facts([resource("Pod", "p", {"args": list(args)})], "reg")

    assert args("mysqld", "--port=1", "--quiet") == {
        ("Pod p", "args", "[0]"): "mysqld",
        ("Pod p", "args", "[--port]"): "1",
        ("Pod p", "args", "[2]"): "--quiet",
    }
    assert args("--a=1", "--a=2") == {("Pod p", "args"): ["--a=1", "--a=2"]}
    assert args("-c", "true") == {("Pod p", "args"): ["-c", "true"]}


def test_the_registry_is_ignored_and_nothing_else_of_an_image() -> None:
    def image(registry: str, name: str) -> Any:
        inputs = {"image": f"{registry}/{name}", "tags": [f"{registry}/{name}", "other/x"]}
        return facts([resource("Pod", "p", inputs)], registry)

    assert image("one.example.com/a", "airflow:1@x") == image("two:5000", "airflow:1@x")
    assert image("one.example.com/a", "airflow:1@x") != image("two:5000", "airflow:1@y")


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
    plain = Difference(("replicas",), 1, 2)
    assert list(narrowed(plain)) == [plain]


def test_differing_settings_are_found_field_by_field() -> None:
    small, large = load("dev"), load("dev", "airflow.parallelism=33 logs.claim.size=30Gi")
    assert [dotted(one.path) for one in differing(small, large)] == [
        "airflow.parallelism",
        "logs.claim.size",
    ]
    assert differing(small, small) == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout's files of environments."""
    (tmp_path / "values").mkdir()
    files = {
        "values/common.yaml": "a:\n  b: 1\n  c: {d: 2}\n  e: []\nlogs: {size: 5}\n",
        "values/prod.yaml": "a:\n  b: 2\n",
        "Pulumi.prod.yaml": "config:\n  kubernetes:context: airflow-prod\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def tidy(root: Path, values: str) -> list[Disparity]:
    (root / "values" / "prod.yaml").write_text(values)
    return list(upkeep.values("prod", root / "values", TODAY))


def test_what_differs_is_not_stale(root: Path) -> None:
    assert tidy(root, "a:\n  b: 2\n  c: {d: 3}\n") == []
    assert tidy(root, "") == []


def test_what_says_what_common_says_is_stale(root: Path) -> None:
    found = tidy(root, "a:\n  b: 1\n  c:\n    d: 2\n  e: []\nlogs: {}\n")
    assert [(one.place, one.what) for one in found] == [
        ("values/prod.yaml:2", "a.b"),
        ("values/prod.yaml:4", "a.c.d"),
        ("values/prod.yaml:5", "a.e"),
        ("values/prod.yaml:6", "logs"),
    ]
    assert {one.kind for one in found} == {"stale"}
    assert found[0].values == (("prod", 1), ("common", 1))


@pytest.mark.parametrize(
    ("day", "kinds"), [("2026-01-14", ["expired"]), ("2026-01-15", []), ("2026-01-16", [])]
)
def test_a_day_holds_to_its_end(root: Path, day: str, kinds: list[str]) -> None:
    found = tidy(root, f"a:\n  b: 2\nuntil:\n  a.b: {day}\n")
    assert [one.kind for one in found] == kinds
    for one in found:
        assert (one.place, one.what) == ("values/prod.yaml:4", "a.b")
        assert one.values == (("prod", 2), ("common", 1))
        assert "was to end on 2026-01-14: take it out here and in values/prod.yaml:2" in one.remedy


def test_a_day_of_no_difference_is_stale(root: Path) -> None:
    (found,) = tidy(root, "until:\n  a.b: 2027-01-01\n")
    assert (found.kind, found.place, found.what) == ("stale", "values/prod.yaml:2", "a.b")
    assert found.values == (("prod", 1), ("common", 1))


@pytest.mark.parametrize(
    ("more", "place", "what"),
    [
        ("  airflow-kubernetes:replicas: 3\n", ":3", "airflow-kubernetes:replicas"),
        ("  airflow-kubernetes:x: {y: 1}\n", ":3", "airflow-kubernetes:x"),
        ("imports: [prod]\n", ":3", "imports"),
    ],
)
def test_a_stack_configures_nothing_in_plain(root: Path, more: str, place: str, what: str) -> None:
    file = root / "Pulumi.prod.yaml"
    file.write_text(file.read_text() + more)
    (found,) = upkeep.stack("prod", root)
    assert (found.kind, found.place, found.what) == (
        "configuration",
        f"Pulumi.prod.yaml{place}",
        what,
    )


def test_a_stack_may_have_secrets(root: Path) -> None:
    file = root / "Pulumi.prod.yaml"
    secret = "  airflow-kubernetes:registryPassword: {secure: AAAB}\nencryptionsalt: v1:x\n"
    file.write_text(file.read_text() + secret)
    assert list(upkeep.stack("prod", root)) == []


def test_a_stack_names_its_cluster(root: Path) -> None:
    (root / "Pulumi.prod.yaml").write_text("config:\n")
    (found,) = upkeep.stack("prod", root)
    assert "names no cluster: add `kubernetes:context: <context>`" in found.remedy
    (root / "Pulumi.prod.yaml").unlink()
    with pytest.raises(SettingsError, match=r"Pulumi\.prod\.yaml: no such file"):
        list(upkeep.stack("prod", root))


def test_the_program_asks_for_no_environment_by_name() -> None:
    assert list(named(("dev", "prod"))) == []
    assert [name for _, name in named(("sandbox",))] == ["sandbox"]  # the constant


def explained(path: str, left: Any, right: Any, until: date | None = None) -> Explained:
    return Explained(path, left, right, "load differs", "platform", "1 to 50", until, 3)


def test_the_table_shows_all_of_a_field() -> None:
    parts = {"limits.memory": "1Gi", "requests.cpu": "1"}, {"limits.memory": "2Gi"}
    found = Parity(
        "dev",
        "prod",
        (explained("airflow.replicas", 1, None, TODAY), explained("airflow.resources", *parts)),
        (),
    )
    assert text(found).splitlines() == [
        "dev and prod: all differences explained, by 2 settings",
        "                     dev  prod  leaves  owner     until",
        "load differs:",
        "  airflow.replicas   1    null  3       platform  2026-01-15",
        "  airflow.resources             3       platform  -",
        "    limits.memory    1Gi  2Gi",
        "    requests.cpu     1    -",
    ]
    assert text(Parity("dev", "prod", (), ())) == "dev and prod: the same"


def test_a_problem_shows_both_values_and_the_line() -> None:
    one = Disparity(
        "unexplained",
        "infra/__main__.py:7",
        "Deployment web: spec.args[line 3]",
        (("dev", "one\ntwo"), ("prod", MISSING)),
        "decide otherwise",
    )
    found = Parity("dev", "prod", (), (one,))
    assert not found.ok
    assert text(found).splitlines() == [
        "dev and prod: 1 to mend",
        "  unexplained: Deployment web: spec.args[line 3]",
        "    dev: one",
        "      two",
        "    prod: -",
        "    infra/__main__.py:7: decide otherwise",
    ]


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("", "prod", "NAME is missing: make env NAME=staging FROM=prod"),
        ("Staging", "prod", "is no DNS label"),
        ("a.b", "prod", "is no DNS label"),
        ("../x", "prod", "is no DNS label"),
        ("a\n", "prod", "is no DNS label"),
        ("common", "prod", "is taken by the project itself"),
        ("sandbox", "prod", "is taken by the project itself"),
        ("prod", "prod", r"exists \(prod.yaml, Pulumi.prod.yaml\): take another one"),
        ("staging", "", "FROM is missing: take one of prod"),
        ("staging", "test", "FROM=test is no environment: take one of prod"),
        ("staging", "sandbox", "FROM=sandbox has stand-ins that are for it alone"),
    ],
)
def test_a_new_environment_needs_a_free_name_and_a_source(
    root: Path, name: str, source: str, problem: str
) -> None:
    (root / "values" / "sandbox.yaml").touch()
    before = sorted(root.rglob("*"))
    with pytest.raises(SettingsError, match=problem):
        create(name, source, root)
    assert sorted(root.rglob("*")) == before
