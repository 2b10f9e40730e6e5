"""What parity compares, which problems it finds in files, and what it prints."""

import ast
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from airflow_kubernetes.cli.env import create
from airflow_kubernetes.cli.parity import problems, table
from airflow_kubernetes.comparison.leaves import MISSING, Difference
from airflow_kubernetes.environment import load
from airflow_kubernetes.parity import exchange, hygiene
from airflow_kubernetes.parity.check import Parity, Setting, branches
from airflow_kubernetes.parity.hygiene import Disparity
from airflow_kubernetes.parity.resources import changes, comparable
from airflow_kubernetes.paths import ROOT
from airflow_kubernetes.render import Registered
from airflow_kubernetes.settings.marks import SANDBOX
from airflow_kubernetes.settings.problems import SettingsError, dotted

TODAY = date(2026, 1, 15)


def resource(kind: str, name: str, inputs: dict[str, Any], **options: Any) -> Registered:
    return Registered(f"kubernetes:core/v1:{kind}", name, inputs, options, "infra/__main__.py:1")


def content(kind: str, inputs: dict[str, Any], registry: str = "reg") -> Any:
    return comparable([resource(kind, "x", inputs)], registry)[f"{kind} x"].inputs


def test_inputs_and_options_are_compared() -> None:
    secret = resource("Secret", "airflow-keys-secret", {"metadata": {"name": "x"}}, protect=True)
    found = comparable([secret], "reg")
    assert {name: item.inputs for name, item in found.items()} == {
        "Secret airflow-keys": {"metadata": {"name": "x"}, "pulumi": {"protect": True}}
    }
    assert found["Secret airflow-keys"].place == "infra/__main__.py:1"


def test_a_difference_begins_with_the_resource() -> None:
    def resources(**replicas: int) -> Any:
        objects = [resource("Pod", name, {"spec": {"n": n}}) for name, n in replicas.items()]
        return comparable(objects, "reg")

    assert changes(resources(a=1, b=1, c=1), resources(a=1, b=2, d=1)) == [
        Difference(("Pod c",), "Pod c", MISSING),
        Difference(("Pod d",), MISSING, "Pod d"),
        Difference(("Pod b", "spec", "n"), 1, 2),
    ]


def test_the_registry_is_ignored_and_nothing_else_of_an_image() -> None:
    def image(registry: str, name: str) -> Any:
        inputs = {"image": f"{registry}/{name}", "tags": [f"{registry}/{name}", "other/x"]}
        return content("Pod", inputs, registry)

    assert image("one.example.com/a", "airflow:1@x") == image("two:5000", "airflow:1@x")
    assert image("one.example.com/a", "airflow:1@x") != image("two:5000", "airflow:1@y")


def test_differing_settings_are_found_field_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    large = load("dev", "airflow.parallelism=33 logs.claim.size=30Gi")
    settings = {"dev": load("dev"), "large": large}
    monkeypatch.setattr(exchange, "load", settings.__getitem__)
    assert [dotted(field.path) for field in exchange.Exchange("dev", "large").fields] == [
        "airflow.parallelism",
        "logs.claim.size",
    ]
    assert exchange.Exchange("dev", "dev").fields == []


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


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ("", []),
        ("a:\n  b: 2\n  c: {d: 3}\n", []),
        ("a:\n  b: 1\n  c:\n    d: 2\n  e: []\nlogs: {}\n",
         [("stale", 2, "a.b"), ("stale", 4, "a.c.d"), ("stale", 5, "a.e"), ("stale", 6, "logs")]),
        # A day holds to its end; without a difference it is stale.
        ("a:\n  b: 2\nuntil:\n  a.b: 2026-01-14\n", [("expired", 4, "a.b")]),
        ("a:\n  b: 2\nuntil:\n  a.b: 2026-01-15\n", []),
        ("a:\n  b: 2\nuntil:\n  a.b: 2026-01-16\n", []),
        ("until:\n  a.b: 2027-01-01\n", [("stale", 2, "a.b")]),
    ],
)  # fmt: skip
def test_lines_of_values_that_are_stale_or_expired(
    root: Path, values: str, problems: list[tuple[str, int, str]]
) -> None:
    (root / "values" / "prod.yaml").write_text(values)
    found = list(hygiene.values("prod", root / "values", TODAY))
    assert [(one.kind, one.location, one.subject) for one in found] == [
        (kind, f"values/prod.yaml:{line}", subject) for kind, line, subject in problems
    ]
    for one in found:
        if one.subject == "a.b":
            value = 2 if one.kind == "expired" else 1
            assert one.values == (("prod", value), ("common", 1))
        if one.kind == "expired":
            assert "expired on 2026-01-14: remove it here and in values/prod.yaml:2" in one.fix


@pytest.mark.parametrize(
    ("more", "problems"),
    [
        ("  airflow-kubernetes:replicas: 3\n", [(3, "airflow-kubernetes:replicas")]),
        ("  airflow-kubernetes:x: {y: 1}\n", [(3, "airflow-kubernetes:x")]),
        ("  airflow-kubernetes:x: {secure: 3}\n", [(3, "airflow-kubernetes:x")]),
        ("  airflow-kubernetes:x: {secure: a, b: c}\n", [(3, "airflow-kubernetes:x")]),
        ("imports: [prod]\n", [(3, "imports")]),
        ("  airflow-kubernetes:password: {secure: AAAB}\nencryptionsalt: v1:x\n", []),
    ],
)
def test_a_stack_configures_nothing_but_secrets(
    root: Path, more: str, problems: list[tuple[int, str]]
) -> None:
    file = root / "Pulumi.prod.yaml"
    file.write_text(file.read_text() + more)
    assert [(one.kind, one.location, one.subject) for one in hygiene.stack("prod", root)] == [
        ("configuration", f"Pulumi.prod.yaml:{line}", subject) for line, subject in problems
    ]


def test_what_is_not_encrypted_is_not_printed(root: Path) -> None:
    file = root / "Pulumi.prod.yaml"
    file.write_text(f"{file.read_text()}  airflow-kubernetes:password: hunter2\n")
    (found,) = hygiene.stack("prod", root)
    assert found.values == (("prod", "(not shown)"),)


def test_a_stack_names_its_cluster(root: Path) -> None:
    (root / "Pulumi.prod.yaml").write_text("config:\n")
    (found,) = hygiene.stack("prod", root)
    assert "names no cluster: add `kubernetes:context: <context>`" in found.fix
    (root / "Pulumi.prod.yaml").unlink()
    with pytest.raises(SettingsError, match=r"Pulumi\.prod\.yaml: no such file"):
        list(hygiene.stack("prod", root))


def test_the_program_contains_no_name_of_an_environment() -> None:
    names = [
        node.value
        for file in (ROOT / "infra").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and node.value in ("dev", "prod", SANDBOX)
    ]
    assert names == [SANDBOX]  # the constant


def test_a_name_is_found_where_it_decides(tmp_path: Path) -> None:
    program = (
        'if environment == "data":',
        'elif pulumi.get_stack() in ("dev", "data"):',
        "protect = environment.name != 'data'",
        'if volume["name"] == "data":',
        'VOLUME = "data"  # of every environment',
        'if environment == "database":',
    )
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "program.py").write_text("\n".join(program))
    assert list(branches(["data"], folder)) == [f"infra/program.py:{line}" for line in (1, 2, 3)]
    # Both are texts of this program, but neither decides for an environment of that name.
    assert list(branches(["data", "images"])) == []


def setting(path: str, *values: Difference, until: date | None = None) -> Setting:
    return Setting(path, values, "load differs", "platform", until)


def test_the_table_shows_all_of_a_field() -> None:
    settings = (
        setting("airflow.replicas", Difference((), 1, None), until=TODAY),
        setting(
            "airflow.resources",
            Difference(("limits", "memory"), "1Gi", "2Gi"),
            Difference(("requests", "cpu"), "1", MISSING),
        ),
    )
    changed: dict[str, set[Any]] = {"airflow.replicas": {("a",)}, "airflow.resources": set()}
    assert table(Parity("dev", "prod", settings, ()), changed, {("b",), ("c",)}).splitlines() == [
        "dev and prod: all differences explained, by 2 settings",
        "                     dev  prod  changes  owner     until",
        "load differs:",
        "  airflow.replicas   1    null  1        platform  2026-01-15",
        "  airflow.resources             0        platform  -",
        "    limits.memory    1Gi  2Gi",
        "    requests.cpu     1    -",
        "2 more changes take several of these settings together",
    ]
    assert table(Parity("dev", "prod", (), ()), {}, set()) == "dev and prod: the same"


def test_a_problem_shows_both_values_and_the_line() -> None:
    disparity = Disparity(
        "unexplained",
        "infra/__main__.py:7",
        "Deployment web: spec.args[line 3]",
        (("dev", "one\ntwo"), ("prod", MISSING)),
        "decide otherwise",
    )
    assert problems(Parity("dev", "prod", (), (disparity,))).splitlines() == [
        "dev and prod: 1 problem",
        "  unexplained: Deployment web: spec.args[line 3]",
        "    dev: one",
        "      two",
        "    prod: -",
        "    infra/__main__.py:7: decide otherwise",
    ]
    assert Parity("dev", "prod", (), (disparity,) * 2).verdict == "dev and prod: 2 problems"


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("", "prod", "NAME is missing: make env NAME=staging FROM=prod"),
        ("Staging", "prod", "is not a DNS label"),
        ("a.b", "prod", "is not a DNS label"),
        ("../x", "prod", "is not a DNS label"),
        ("a\n", "prod", "is not a DNS label"),
        ("common", "prod", "is reserved by the project"),
        ("sandbox", "prod", "is reserved by the project"),
        ("prod", "prod", r"exists \(prod.yaml, Pulumi.prod.yaml\): choose another name"),
        ("staging", "", "FROM is missing: choose one of prod"),
        ("staging", "test", "FROM=test is not an environment: choose one of prod"),
        ("staging", "sandbox", "FROM=sandbox has stand-ins that only it may use"),
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
