"""Values files: every mistake is refused, all together, each with file, line, path and remedy."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.rules import warnings
from airflow_kubernetes.settings.fields import Section
from airflow_kubernetes.settings.load import VALUES, environments
from airflow_kubernetes.settings.problems import SettingsError
from airflow_kubernetes.settings.quantities import amount, plus
from airflow_kubernetes.settings.schema import Settings
from airflow_kubernetes.settings.validation import fields, mark_of, section_of, sections_of

Keys = tuple[str, ...]


NAMED = "default"
"""The one set of workers in values/common.yaml."""


def every_field(section: type[Section] = Settings, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Path and innermost marked field of every key of the schema."""
    for key, field in fields(section).items():
        yield (*path, key), field
        if (inner := section_of(field)) is not None:
            yield from every_field(inner, (*path, key))
        elif (inner := sections_of(field)) is not None:
            yield from every_field(inner, (*path, key, NAMED))


def settable(environment: str) -> list[Keys]:
    """The paths that an environment's file may set."""
    found: list[Keys] = []

    def walk(section: type[Section], path: Keys, allowed: bool) -> None:
        for key, field in fields(section).items():
            mark = mark_of(field)
            here = allowed or (mark is not None and mark.allows(environment))
            if here:
                found.append((*path, key))
            if (inner := section_of(field)) is not None:
                walk(inner, (*path, key), here)
            elif (inner := sections_of(field)) is not None:
                walk(inner, (*path, key, NAMED), here)

    walk(Settings, (), False)
    return found


@pytest.fixture
def values(tmp_path: Path) -> Path:
    """A copy of the values that a test may spoil."""
    return Path(shutil.copytree(VALUES, tmp_path / "values"))


def spoil(file: Path, path: Keys, *, key: str | None = None, value: Any = ...) -> None:
    """Rename the key at `path` or give it another value, creating it where it is missing."""
    data = yaml.safe_load(file.read_text())
    place = data
    for part in path[:-1]:
        place = place.setdefault(part, {})
    old = place.pop(path[-1], None)
    place[key or path[-1]] = old if value is ... else value
    file.write_text(yaml.safe_dump(data, sort_keys=False))


def refusals(values: Path, environment: str, overrides: str = "") -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(environment, overrides, values)
    return [str(problem) for problem in error.value.problems]


def line_of(file: Path, key: str) -> int:
    """The line of the only `key:` in the file."""
    lines = [i for i, line in enumerate(file.read_text().splitlines(), 1) if f"{key}:" in line]
    assert len(lines) == 1, f"{key} stands {len(lines)} times in {file}"
    return lines[0]


FIELDS = [path for path, _ in every_field()]
FILES = [("common", path) for path in FIELDS] + [
    (environment, path) for environment in environments() for path in settable(environment)
]


def show(case: tuple[str, Keys]) -> str:
    return f"{case[0]}-{'.'.join(case[1])}"


def test_the_shipped_values_are_good() -> None:
    for environment in environments():
        assert load(environment).namespace


@pytest.mark.parametrize("case", FILES, ids=show)
def test_every_misspelled_key_is_refused(values: Path, case: tuple[str, Keys]) -> None:
    name, path = case
    wrong = path[-1] + "z"
    file = values / f"{name}.yaml"
    spoil(file, path, key=wrong)
    environment = "dev" if name == "common" else name
    where = f"values/{name}.yaml:{line_of(file, wrong)}: {'.'.join((*path[:-1], wrong))}: "
    found = [text for text in refusals(values, environment) if text.startswith(where)]
    assert len(found) == 1
    assert "unknown key" in found[0]
    assert path[-1] in found[0]  # the right name


# No field takes this: not a scalar, a list of wrong things where a list is wanted, no section.
WRONG: list[Any] = [[{"no": "such thing"}]]


@pytest.mark.parametrize("case", FILES, ids=show)
def test_every_wrong_type_is_refused(values: Path, case: tuple[str, Keys]) -> None:
    name, path = case
    file = values / f"{name}.yaml"
    spoil(file, path, value=WRONG)
    environment = "dev" if name == "common" else name
    start = f"values/{name}.yaml:"
    found = [
        text
        for text in refusals(values, environment)
        if text.startswith(start) and f": {'.'.join(path)}" in text
    ]
    assert found


SCALARS: dict[type, list[Any]] = {
    str: [7, True, 1.5, None],
    int: ["7", True, 1.5],
    bool: ["yes", 1],
}


# No class, no host, no Secret, no schedule, no repository.
NULLABLE = ("storageClass", "host", "secret", "pullSecret", "schedule", "repository")


def scalar_cases() -> Iterator[tuple[Keys, Any]]:
    """For each scalar of common.yaml, values of every other scalar type that it must not take."""
    common = yaml.safe_load((VALUES / "common.yaml").read_text())
    for path in FIELDS:
        value: Any = common
        for part in path:
            value = value[part]
        for wrong in SCALARS.get(type(value), []):
            yield path, wrong


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        pytest.param(path, wrong, id=f"{'.'.join(path)}={wrong!r}")
        for path, wrong in scalar_cases()
        if not (wrong is None and path[-1] in NULLABLE)
    ],
)
def test_scalars_are_not_converted(values: Path, path: Keys, wrong: Any) -> None:
    spoil(values / "common.yaml", path, value=wrong)
    assert any(f": {'.'.join(path)}: " in text for text in refusals(values, "prod"))


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: ".".join(path))
def test_every_missing_setting_is_named(values: Path, path: Keys) -> None:
    file = values / "common.yaml"
    data = yaml.safe_load(file.read_text())
    place = data
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    file.write_text(yaml.safe_dump(data))
    assert any(f"{'.'.join(path)}: missing" in text for text in refusals(values, "dev"))


def test_a_common_field_cannot_differ(values: Path) -> None:
    (values / "prod.yaml").write_text("airflow:\n  parallelism: 64\n  executor: LocalExecutor\n")
    assert any(
        text.startswith("values/prod.yaml:3: airflow.executor: the same in every environment")
        for text in refusals(values, "prod")
    )


def test_only_the_sandbox_may_use_stand_ins(values: Path) -> None:
    (values / "dev.yaml").write_text("database:\n  cluster:\n    image: mysql:9\n")
    assert any("only values/sandbox.yaml may set this" in text for text in refusals(values, "dev"))


def test_all_problems_are_reported_together(values: Path) -> None:
    (values / "dev.yaml").write_text(
        "airflow:\n"
        "  paralellism: 3\n"  # a typo
        "  url: 8080\n"  # a wrong type
        "  executor: KubernetesExecutor\n"  # a common field
        "  apiServer:\n"
        "    service: {nodePort: 30001}\n"  # impossible with ClusterIP
    )
    text = "\n".join(refusals(values, "dev"))
    assert "values/dev.yaml:2: airflow.paralellism: unknown key; did you mean parallelism?" in text
    assert "values/dev.yaml:3: airflow.url: " in text
    assert "values/dev.yaml:4: airflow.executor: the same in every environment" in text
    assert "values/dev.yaml:6: airflow.apiServer.service.nodePort: needs type: NodePort" in text


def test_a_doubled_key_is_refused(values: Path) -> None:
    (values / "dev.yaml").write_text("namespace: one\nnamespace: two\n")
    assert refusals(values, "dev") == [
        "values/dev.yaml:2: namespace: the key stands twice; keep one"
    ]


FROM_GIT = "airflow.dags.source=git airflow.dags.git.repository"


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ("airflow.version=3.3.3", "did you mean 3.3.2?"),
        ("airflow.version=3.3.3", "known: 3.3.2, 2.11.2"),
        ("airflow.executor=KubernetsExecutor", "did you mean KubernetesExecutor?"),
        ("airflow.executor=nonsense", "known: KubernetesExecutor, CeleryExecutor, Celery"),
        ("airflow.executor=LocalExecutor,Foo", "'Foo' in 'LocalExecutor,Foo' is unknown"),
        ("airflow.executor=LocalExecutor,LocalExecutor", "names an executor twice"),
        ("airflow.executor=a-b:LocalExecutor", "each as it is or as alias:name"),
        ("airflow.executor=LocalKubernetesExecutor,CeleryExecutor", "a list takes Kubernetes"),
        (
            "airflow.version=2.11.2 airflow.executor=LocalExecutor,KubernetesExecutor",
            "this release takes no list or alias",
        ),
        (
            "airflow.executor=CeleryExecutor airflow.celery.workers.default.maxReplicas=0",
            "greater than or equal to 1",
        ),
        (
            "airflow.executor=CeleryExecutor airflow.celery.workers.default.replicas=3",
            "is less than replicas: 3",
        ),
        (
            "airflow.executor=CeleryExecutor airflow.celery.workers.default.queues=[big]",
            "no set of workers serves the queue default",
        ),
        ("airflow.executor=CeleryExecutor broker.mode=external", "broker.mode is external"),
        ("airflow.tasks.launchPods=false airflow.tasks.podsExec=true", "set launchPods too"),
        ('airflow.tasks.volumes=[{"name":"a","mountPath":"/a"}]', "takes exactly one of"),
        ('airflow.tasks.tolerations=[{"effekt":"NoSchedule"}]', "did you mean effect?"),
        ("airflow.celery.workers.Big=1", "string should match pattern"),
        ("database.mode=external", "database.mode is external: set this"),
        ("database.cluster.bufferPool=2G", "more than 75 % of the memory limit"),
        ("airflow.tasks.resources.requests.cpu=4", "the request 4 is more than the limit 2"),
        ("engine=auto", "auto is for the sandbox"),
        ("database.backup.schedule=daily", "'daily' is no schedule: five fields"),
        ("database.backup.keep=0", "greater than or equal to 1"),
        ("airflow.executer=x", "did you mean executor?"),
        ("airflow.configuration.api.port=9090", "set by this program from other settings"),
        ("airflow.dags.source=git", "airflow.dags.source is git: set this"),
        ("airflow.dags.source=git-sync", "input should be 'image' or 'git'"),
        (f"{FROM_GIT}=git@example.com:a/b.git", "a Secret with the keys ssh and known_hosts"),
        (f"{FROM_GIT}=https://me:word@example.com/a.git", "put them into a Secret as username"),
        (f"{FROM_GIT}=example.com/a.git", "string should match pattern"),
        ("airflow.dags.git.folder=../dags", "string should match pattern"),
        ("airflow.dags.git.ref=--upload-pack=x", "string should match pattern"),
        ("airflow.dags.git.interval=0", "greater than or equal to 1"),
        (
            f"{FROM_GIT}=https://example.com/a.git "
            "airflow.configuration.dag_processor.dag_bundle_config_list=x",
            "set by this program from other settings",
        ),
        ("database.user=root", "MySQL's image makes root itself"),
        ("database.external.host=https://db", "string should match pattern"),
        ("images.registry=https://ghcr.io/x", "string should match pattern"),
        ("namespace=2026-99-99", "is no YAML"),
        ("airflow.parallelism=1 airflow.parallelism.x=2", "is set beside a part of itself"),
        ("airflow", "is not of the form section.key=value"),
        ("airflow.configuration.core.executor=x", "set by this program from other settings"),
        ("airflow.configuration.celery.flower_basic_auth=a:b", "set by this program"),
        ("airflow.configuration.database.sql_alchemy_conn=x", "set by this program"),
    ],
)
def test_impossible_values_are_refused_with_the_remedy(
    values: Path, overrides: str, reason: str
) -> None:
    if overrides.endswith("cpu=4"):
        overrides = 'airflow.tasks.resources.requests.cpu="4"'
    assert any(reason in text for text in refusals(values, "dev", overrides))


def test_each_environment_may_follow_its_own_branch_of_the_one_repository(values: Path) -> None:
    (values / "prod.yaml").write_text(
        "airflow:\n  dags:\n    git:\n      ref: stable\n      repository: https://a/b.git\n"
    )
    assert refusals(values, "prod") == [
        "values/prod.yaml:5: airflow.dags.git.repository: the same in every environment; set it in "
        "values/common.yaml"
    ]


@pytest.mark.parametrize(
    "text", ["namespace: !foo x\n", "namespace: 2026-99-99\n", "namespace: [\n", "a: \x07\n", "x"]
)
def test_what_is_no_yaml_is_told_with_its_file(values: Path, text: str) -> None:
    (values / "dev.yaml").write_text(text)
    (values / "common.yaml").write_bytes(b"namespace: \xe9\n")
    found = refusals(values, "dev", "nonsense")
    assert sorted({problem.partition(":")[0] for problem in found}) == [
        "SET",
        "values/common.yaml",
        "values/dev.yaml",
    ]


QUANTITIES = {
    "500m": 0.5, "2": 2, "1.5": 1.5, "1k": 1e3, "64Ki": 65536, "1M": 1e6,
    "1Mi": 2**20, "3G": 3e9, "3Gi": 3 * 2**30, "1T": 1e12, "1Ti": 2**40,
}  # fmt: skip


@pytest.mark.parametrize(("quantity", "number"), QUANTITIES.items())
def test_quantities_are_read_as_kubernetes_reads_them(quantity: str, number: float) -> None:
    assert amount(quantity) == number


def test_an_unknown_environment_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="there are: dev, prod, sandbox"):
        load("production")


def test_overrides_win_for_one_command() -> None:
    settings = load("dev", "namespace=elsewhere airflow.parallelism=3")
    assert (settings.namespace, settings.airflow.parallelism) == ("elsewhere", 3)


def test_a_new_set_of_workers_belongs_into_common(values: Path) -> None:
    (values / "prod.yaml").write_text("airflow: {celery: {workers: {big: {queues: [big]}}}}\n")
    found = refusals(values, "prod")
    assert any("airflow.celery.workers.big.queues: the same in every" in text for text in found)
    assert any("airflow.celery.workers.big.concurrency: missing" in text for text in found)


def test_capacity_of_a_set_of_workers_may_differ(values: Path) -> None:
    (values / "prod.yaml").write_text(
        "airflow: {celery: {workers: {default: {replicas: 3, maxReplicas: 9}}}}\n"
    )
    workers = load("prod", "", values).airflow.celery.workers["default"]
    assert (workers.replicas, workers.max_replicas, workers.queues) == (3, 9, ["default"])


@pytest.mark.parametrize(
    ("overrides", "warned"),
    [
        ("airflow.executor=SequentialExecutor", "runs as LocalExecutor with parallelism 1"),
        ("airflow.version=2.11.2 airflow.executor=SequentialExecutor", "for trying things only"),
        ("airflow.executor=LocalExecutor", ""),
    ],
)
def test_what_works_otherwise_than_its_name_says_is_told(overrides: str, warned: str) -> None:
    found = list(warnings(load("dev", f"images.airflow.base=bookworm {overrides}")))
    assert warned in "".join(found)
    assert len(found) == bool(warned)


def test_resources_add_up() -> None:
    resources = load("dev").airflow.tasks.resources
    total = plus(resources, 3, resources)
    assert amount(total.requests.cpu) == pytest.approx(4 * amount(resources.requests.cpu))
    assert amount(total.limits.memory) == 4 * amount(resources.limits.memory)
