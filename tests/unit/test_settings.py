"""Values files: all mistakes are refused together, each with file, line, path and remedy."""

import re
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.rules import warnings
from airflow_kubernetes.settings.bounds import at, plain
from airflow_kubernetes.settings.document import ENOUGH
from airflow_kubernetes.settings.fields import Section
from airflow_kubernetes.settings.load import VALUES, environments
from airflow_kubernetes.settings.problems import SettingsError
from airflow_kubernetes.settings.quantities import amount
from airflow_kubernetes.settings.resources import plus
from airflow_kubernetes.settings.schema import Settings
from airflow_kubernetes.settings.validation import fields, mark_of, section_of, sections_of

Keys = tuple[str, ...]

COMMON = yaml.safe_load((VALUES / "common.yaml").read_text())


def paths_in(
    name: str,
    section: type[Section] = Settings,
    path: Keys = (),
    allowed: bool = False,
    required: bool = False,
) -> Iterator[Keys]:
    """The path of every key that values/<name>.yaml may set, from the schema; of those that have no
    default, if `required`. Of sections with names that the user chooses, for those in
    values/common.yaml.
    """
    for key, field in fields(section).items():
        mark = mark_of(field)
        settable = allowed or name == "common" or (mark is not None and mark.allows(name))
        if required and not field.is_required():
            continue
        if settable:
            yield (*path, key)
        if (inner := section_of(field)) is not None:
            yield from paths_in(name, inner, (*path, key), settable, required)
        elif (inner := sections_of(field)) is not None:
            for named in at(COMMON, (*path, key)):
                yield from paths_in(name, inner, (*path, key, named), settable, required)


def by_depth(paths: Iterator[Keys]) -> list[list[Keys]]:
    """Paths of the same length, none of which is inside another: one file may spoil them all, up
    to half of the problems that are reported at once.
    """
    groups: dict[int, list[Keys]] = {}
    for path in paths:
        groups.setdefault(len(path), []).append(path)
    most = ENOUGH // 2
    return [
        group[start : start + most]
        for group in groups.values()
        for start in range(0, len(group), most)
    ]


FILES = ["common", *environments()]

GROUPS = [(name, group) for name in FILES for group in by_depth(paths_in(name))]


@pytest.fixture
def values(tmp_path: Path) -> Path:
    """A copy of the values that a test may spoil."""
    return Path(shutil.copytree(VALUES, tmp_path / "values"))


def spoiled(
    values: Path, name: str, paths: list[Keys], change: Callable[[dict[str, Any], str], object]
) -> tuple[list[str], list[str]]:
    """All problems after `change` of the key at each path of values/<name>.yaml, and its lines.

    `change` takes a section and a key of it. Sections that are missing are created.
    """
    file = values / f"{name}.yaml"
    data = yaml.safe_load((VALUES / file.name).read_text())
    for *parents, key in paths:
        section = data
        for part in parents:
            section = section.setdefault(part, {})
        change(section, key)
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    problems = refusals(values, "prod" if name == "common" else name)
    lines = file.read_text().splitlines()
    shutil.copy(VALUES / file.name, file)
    return problems, lines


def assign(value: Any) -> Callable[[dict[str, Any], str], None]:
    return lambda section, key: section.update({key: deepcopy(value)})  # without YAML's aliases


def line_of(lines: list[str], path: Keys) -> int:
    """The line of the key at `path` in a file with a key per line, indented by 2."""
    number = 0
    for depth, key in enumerate(path):
        start = f"{'  ' * depth}{key}:"
        number = next(
            i for i, line in enumerate(lines[number:], number + 1) if line.startswith(start)
        )
    return number


def refusals(values: Path, environment: str, overrides: str = "") -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(environment, overrides, values)
    return [str(problem) for problem in error.value.problems]


def test_the_shipped_values_are_good() -> None:
    for environment in environments():
        assert load(environment).namespace


def test_every_misspelled_key_is_refused(values: Path) -> None:
    def misspell(section: dict[str, Any], key: str) -> None:
        section[f"{key}z"] = section.pop(key, None)

    missed = []
    for name, group in GROUPS:
        problems, lines = spoiled(values, name, group, misspell)
        for *parents, key in group:
            wrong = (*parents, f"{key}z")
            start = f"values/{name}.yaml:{line_of(lines, wrong)}: {'.'.join(wrong)}: unknown key; "
            found = [problem for problem in problems if problem.startswith(start)]
            if len(found) != 1 or key not in found[0].removeprefix(start):  # the right name
                missed.append((name, wrong, found))
    assert not missed


WRONG: list[Any] = [[{"no": "such thing"}]]
"""A value that no field accepts: not a scalar, not a section, a list of wrong items."""


def test_every_wrong_type_is_refused(values: Path) -> None:
    missed = []
    for name, group in GROUPS:
        problems, _ = spoiled(values, name, group, assign(WRONG))
        for path in group:
            start = re.compile(rf"values/{name}\.yaml:\d+: {re.escape('.'.join(path))}[:.]")
            if not any(map(start.match, problems)):
                missed.append((name, path))
    assert not missed


SCALARS: dict[type, list[Any]] = {
    str: [7, True, 1.5, None],
    int: ["7", True, 1.5],
    bool: ["yes", 1],
}


# No class, no host, no Secret, no schedule, no repository.
NULLABLE = ("storageClass", "host", "secret", "schedule", "repository")


def test_scalars_are_not_converted(values: Path) -> None:
    missed = []
    common = plain(load("dev"))
    kinds = {path: type(at(common, path)) for path in paths_in("common")}
    for kind, wrong_values in SCALARS.items():
        for wrong in wrong_values:
            paths = [
                path
                for path, own in kinds.items()
                if own is kind and not (wrong is None and path[-1] in NULLABLE)
            ]
            problems, _ = spoiled(values, "common", paths, assign(wrong))
            missed += [
                (path, wrong)
                for path in paths
                if not any(f": {'.'.join(path)}: " in problem for problem in problems)
            ]
    assert not missed


def test_every_missing_setting_is_named(values: Path) -> None:
    missed = []
    for group in by_depth(paths_in("common", required=True)):
        problems, _ = spoiled(values, "common", group, lambda section, key: section.pop(key))
        missed += [
            path
            for path in group
            if not any(f": {'.'.join(path)}: missing" in problem for problem in problems)
        ]
    assert not missed


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
    assert "values/dev.yaml:6: airflow.apiServer.service.nodePort: requires type: NodePort" in text


def test_a_doubled_key_is_refused(values: Path) -> None:
    (values / "dev.yaml").write_text("namespace: one\nnamespace: two\n")
    assert refusals(values, "dev") == [
        "values/dev.yaml:2: namespace: the key is set twice; keep one"
    ]


FROM_GIT = "airflow.dags.source=git airflow.dags.git.repository"
REPOSITORIES = "airflow.dags.repositories"


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ("airflow.version=3.3.3", "did you mean 3.3.2?"),
        ("airflow.version=3.3.3", "known: 3.3.2, 2.11.2"),
        ("airflow.executor=KubernetsExecutor", "did you mean KubernetesExecutor?"),
        ("airflow.executor=nonsense", "known: KubernetesExecutor, CeleryExecutor, Celery"),
        ("airflow.executor=LocalExecutor,Foo", "'Foo' in 'LocalExecutor,Foo' is unknown"),
        ("airflow.executor=LocalExecutor,LocalExecutor", "names an executor twice"),
        ("airflow.executor=a-b:LocalExecutor", "each alone or as alias:name"),
        ("airflow.executor=a:LocalExecutor,a:KubernetesExecutor", "names an executor twice"),
        ("airflow.executor=KubernetesExecutor:LocalExecutor,KubernetesExecutor", "executor twice"),
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
            "airflow.executor=CeleryExecutor airflow.celery.workers.default.replicas=0",
            "0 requires airflow.keda.enabled",
        ),
        (
            "airflow.apiServer.replicas=3 airflow.apiServer.maxReplicas=2",
            "is less than replicas: 3",
        ),
        ("airflow.triggerer.maxReplicas=2", "requires airflow.keda.enabled"),
        (
            "airflow.keda.enabled=true database.mode=external database.external.host=h "
            "database.external.secret=s",
            "a Secret with the key kedaConnection",
        ),
        (
            "airflow.keda.enabled=true airflow.version=2.11.2 "
            "airflow.executor=CeleryKubernetesExecutor "
            "airflow.celery.workers.default.maxReplicas=2 "
            "airflow.celery.workers.default.queues=[kubernetes]",
            "there is nothing to scale this set by",
        ),
        ("airflow.keda.secret=airflow-mysql", "is a Secret that this program makes"),
        (
            "airflow.executor=CeleryExecutor airflow.celery.workers.default.queues=[big]",
            "no set of workers serves the queue default",
        ),
        (
            "airflow.executor=CeleryExecutor broker.mode=external",
            "must be set, because broker.mode is",
        ),
        ('airflow.tasks.volumes=[{"name":"a","mountPath":"/a"}]', "should have exactly one of"),
        ('airflow.tasks.tolerations=[{"effekt":"NoSchedule"}]', "did you mean effect?"),
        ("airflow.celery.workers.Big=1", "should be up to 31 characters of a-z"),
        ("database.mode=external", "must be set, because database.mode is external"),
        ("database.cluster.bufferPool=2G", "more than 75 % of the memory limit"),
        ("airflow.tasks.resources.requests.cpu=4", "the request 4 is more than the limit 2"),
        ("engine=auto", "auto is for the sandbox"),
        ("database.backup.schedule=daily", "should be a schedule: five fields"),
        ("database.backup.keep=0", "greater than or equal to 1"),
        ("airflow.executer=x", "did you mean executor?"),
        ("airflow.configuration.api.port=9090", "set by this program from other settings"),
        ("airflow.dags.source=git", "must be set, because airflow.dags.source is git"),
        ("airflow.dags.source=git-sync", "input should be 'image' or 'git'"),
        (f"{FROM_GIT}=git@example.com:a/b.git", "a Secret with the keys ssh and known_hosts"),
        (f"{FROM_GIT}=https://me:word@example.com/a.git", "put them into a Secret as username"),
        (f"{FROM_GIT}=example.com/a.git", "should be the address of a Git repository"),
        ("airflow.dags.git.folder=../dags", "should be a path inside the repository"),
        ("airflow.dags.git.ref=--upload-pack=x", "should be a branch, tag or commit"),
        ("airflow.dags.git.interval=0", "greater than or equal to 1"),
        (
            f"{FROM_GIT}=https://example.com/a.git "
            "airflow.configuration.dag_processor.dag_bundle_config_list=x",
            "set by this program from other settings",
        ),
        (f"{REPOSITORIES}.dags-folder.repository=https://h/a.git", "name for the first source"),
        (f"{REPOSITORIES}.Sales.repository=https://h/a.git", "should be up to 24 characters"),
        (f"{REPOSITORIES}.{'a' * 25}.repository=https://h/a", "should be up to 24 characters"),
        (f"{REPOSITORIES}.sales.ref=main", "repositories.sales.repository: missing"),
        (f"{REPOSITORIES}.sales.repository=git@h:a.git", "a Secret with the keys ssh and known"),
        (
            f"{REPOSITORIES}.sales.repository=https://me:word@h/a.git",
            "its name into airflow.dags.repositories.sales.secret",
        ),
        (
            f"{REPOSITORIES}.sales.repository=https://h/a.git {REPOSITORIES}.sales.processor=true "
            "airflow.version=2.11.2",
            "Airflow 2.11.2 has one DAG processor for all sources; remove it",
        ),
        (
            f"{REPOSITORIES}.sales.repository=https://h/a.git {REPOSITORIES}.sales.secret="
            "airflow-keys",
            "airflow-keys is a Secret that this program makes",
        ),
        (
            f"{REPOSITORIES}.sales.repository=https://h/a.git "
            "airflow.configuration.dag_processor.dag_bundle_config_list=x",
            "set by this program from other settings",
        ),
        (
            f"{REPOSITORIES}.sales.repository=https://h/a.git {REPOSITORIES}.sales.secret=s "
            "airflow.tasks.env.GIT_SERVER_SALES=x",
            "set by this program; use another name",
        ),
        (
            "airflow.configuration.core.multi_team=true",
            "FAB, which has no teams: the API server would not start",
        ),
        ("database.user=root", "the MySQL image creates root itself"),
        ("database.external.host=https://db", "should be a host name"),
        ("images.registry=https://ghcr.io/x", "should be a registry without a scheme"),
        ("namespace=2026-99-99", "is not valid YAML"),
        (
            "airflow.parallelism=1 airflow.parallelism.x=2",
            "conflicts with another override: `airflow.parallelism` and `airflow.parallelism.x` "
            "cannot both be set",
        ),
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
def test_a_file_that_is_not_yaml_is_reported_by_name(values: Path, text: str) -> None:
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
        ("airflow.version=2.11.2 airflow.executor=SequentialExecutor", "is not for production"),
        ("airflow.executor=LocalExecutor", ""),
    ],
)
def test_executors_that_run_as_another_are_warned_about(overrides: str, warned: str) -> None:
    found = list(warnings(load("dev", f"images.airflow.base=bookworm {overrides}")))
    assert warned in "".join(found)
    assert len(found) == bool(warned)


def test_resources_add_up() -> None:
    resources = load("dev").airflow.tasks.resources
    total = plus(resources, 3, resources)
    assert amount(total.requests.cpu) == pytest.approx(4 * amount(resources.requests.cpu))
    assert amount(total.limits.memory) == 4 * amount(resources.limits.memory)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("database.cluster.claim.size=0", "at least 1Mi.*, not 0$"),
        ("airflow.scheduler.resources.limits.memory=512", "at least 16Mi.*, not 512$"),
        ("airflow.scheduler.resources.limits.cpu=2", r'\(write "2"\)$'),
        ("database.cluster.bufferPool=512", "such as 512M, not 512$"),
        ("airflow.apiServer.service.nodePort=0777", "not 0777$"),
        ("airflow.parallelism=0777", r"\(write 511 or 777\)$"),
    ],
)
def test_no_message_advises_what_would_be_refused(override: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load("dev", override)
