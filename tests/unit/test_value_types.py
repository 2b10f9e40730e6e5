"""Each setting accepts what its reader accepts, and no more: see value_tables.py."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings.bounds import plain
from airflow_kubernetes.settings.problems import SettingsError

from . import pod_value_tables as of_pods
from . import value_tables as values

CELERY = "airflow.executor=CeleryExecutor"
FROM_GIT = "airflow.dags.source=git airflow.dags.git.repository=git@h:a airflow.dags.git.secret=s"
WORKERS = {**plain(load("dev"))["airflow"]["celery"]["workers"]["default"]}


def volume(**fields: Any) -> list[dict[str, Any]]:
    """`airflow.tasks.volumes` of one volume."""
    return [{"name": "v", "mountPath": "/d", **fields}]


@dataclass(frozen=True)
class Setting:
    """Good and bad values of a setting; `wrapped` makes its value of one of them, `more` are other
    overrides that it needs.
    """

    path: str
    good: Sequence[Any]
    bad: Sequence[Any]
    wrapped: Callable[[Any], Any] = lambda value: value
    more: str = ""

    def problems(self, value: Any) -> list[str]:
        """What is reported for a value."""
        # JSON is YAML; SET is split at spaces.
        text = json.dumps(self.wrapped(value), separators=(",", ":")).replace(" ", "\\u0020")
        try:
            load("dev", f"{self.more} {self.path}={text}")
        except SettingsError as error:
            return [str(problem) for problem in error.problems]
        return []


TASKS = "airflow.tasks"
LIMITS = f"{TASKS}.resources.limits"
SETTINGS = [
    Setting(
        "namespace",
        values.LABELS_GOOD,
        [*values.LABELS_BAD, *values.NAMESPACES_BAD],
        more="airflow.tasks.launchPods=false",
    ),
    *(
        Setting(path, values.SUBDOMAINS_GOOD, [*values.SUBDOMAINS_BAD, *values.OWN_SECRETS])
        for path in (
            "airflow.dags.git.secret",
            "broker.external.secret",
            "database.external.secret",
        )
    ),
    *(
        Setting(
            f"{path}.claim.storageClass", ["", *values.SUBDOMAINS_GOOD], values.SUBDOMAINS_BAD[1:]
        )
        for path in ("database.cluster", "database.backup", "broker.cluster", "logs")
    ),
    Setting(
        f"{TASKS}.resources.requests.cpu",
        values.CPU_GOOD,
        values.CPU_BAD,
        more=f'{LIMITS}.cpu="10k"',
    ),
    Setting(
        f"{TASKS}.resources.requests.memory",
        values.MEMORY_GOOD,
        values.MEMORY_BAD,
        more=f"{LIMITS}.memory=10Ti",
    ),
    Setting(f"{LIMITS}.memory", ["384Mi", "1Ti"], values.MEMORY_BAD),
    *(
        Setting(f"{path}.size", values.STORAGE_GOOD, values.STORAGE_BAD)
        for path in (
            "logs.claim",
            "database.cluster.claim",
            "database.backup.claim",
            "broker.cluster.claim",
        )
    ),
    Setting("budget.cpu", values.CPU_GOOD, values.CPU_BAD),
    Setting("budget.memory", values.MEMORY_GOOD, values.MEMORY_BAD),
    Setting("budget.storage", values.STORAGE_GOOD, values.STORAGE_BAD),
    Setting(
        f"{TASKS}.nodeSelector",
        values.LABEL_KEYS_GOOD,
        values.LABEL_KEYS_BAD,
        lambda key: {key: "a"},
    ),
    Setting(
        f"{TASKS}.nodeSelector",
        values.LABEL_VALUES_GOOD,
        values.LABEL_VALUES_BAD,
        lambda text: {"a": text},
    ),
    *(
        Setting(f"{path}.tolerations", values.TOLERATIONS_GOOD, values.TOLERATIONS_BAD, more=CELERY)
        for path in (TASKS, "airflow.celery.workers.default")
    ),
    Setting(
        f"{TASKS}.tolerations",
        values.LABEL_KEYS_GOOD,
        [key for key in values.LABEL_KEYS_BAD if key],
        lambda key: [{"key": key}],
    ),
    Setting(
        f"{TASKS}.tolerations",
        values.LABEL_VALUES_GOOD,
        values.LABEL_VALUES_BAD,
        lambda text: [{"key": "a", "value": text}],
    ),
    Setting("database.backup.schedule", values.SCHEDULES_GOOD, values.SCHEDULES_BAD),
    Setting("airflow.url", values.URLS_GOOD, values.URLS_BAD),
    Setting(
        "database.external.host",
        values.HOSTS_GOOD,
        values.HOSTS_BAD,
        more="database.mode=external database.external.secret=mine",
    ),
    Setting("images.registry", values.REGISTRIES_GOOD, values.REGISTRIES_BAD),
    Setting("airflow.dags.git.ref", values.REFS_GOOD, [*values.REFS_BAD, *values.REFS_REPLACED]),
    Setting("airflow.dags.git.folder", values.FOLDERS_GOOD, values.FOLDERS_BAD),
    Setting(
        "airflow.dags.git.repository",
        values.REPOSITORIES_GOOD,
        values.REPOSITORIES_BAD,
        more="airflow.dags.source=git airflow.dags.git.secret=mine",
    ),
    Setting(
        "airflow.celery.workers",
        values.SETS_GOOD,
        values.SETS_BAD,
        lambda name: {name: WORKERS},
        CELERY,
    ),
    Setting(
        "airflow.celery.workers.default.queues",
        values.QUEUES_GOOD,
        values.QUEUES_BAD,
        lambda name: ["default", name],
        CELERY,
    ),
    Setting("airflow.admin.username", values.USERNAMES_GOOD, values.USERNAMES_BAD),
    Setting("airflow.admin.email", values.EMAILS_GOOD, values.EMAILS_BAD),
    Setting("airflow.admin.firstName", values.PEOPLE_GOOD, values.PEOPLE_BAD),
    Setting("airflow.admin.lastName", values.PEOPLE_GOOD, values.PEOPLE_BAD),
    Setting("database.name", values.DATABASES_GOOD, values.DATABASES_BAD),
    Setting("database.user", values.USERS_GOOD, values.USERS_BAD),
    Setting("images.builder.name", values.BUILDERS_GOOD, values.BUILDERS_BAD),
    Setting(
        "images.builder.name",
        ["b", "b-1"],
        ["default", "B", "a_b", "a.b"],
        more="images.builder.driver=kubernetes",
    ),
    Setting(
        "images.builder.endpoint",
        values.ENDPOINTS_GOOD,
        values.ENDPOINTS_BAD,
        more="images.builder.driver=remote",
    ),
    Setting(
        "images.airflow.systemPackages",
        values.PACKAGES_GOOD,
        values.PACKAGES_BAD,
        lambda name: [name],
    ),
    Setting("airflow.configuration", [], values.SECTIONS_BAD, lambda name: {name: {"a": 1}}),
    Setting("airflow.configuration", [], values.SECTIONS_BAD, lambda name: {"core": {name: 1}}),
    Setting(
        "airflow.configuration",
        [["x"]],
        [["x" * 140_000], ["a\0b"], ["x" * 120_000] * 9],
        lambda texts: {"sentry": {f"text_{number}": text for number, text in enumerate(texts)}},
    ),
    Setting("images.platforms", values.PLATFORMS_GOOD, values.PLATFORMS_BAD),
    Setting("database.cluster.bufferPool", ["256M", "1G"], values.POOLS_BAD),
    Setting(
        "airflow.apiServer.service.nodePort",
        [30000, 32767, None],
        [0, -1, 80, 29999, 32768, 65536, 10**30, "30080", 30080.5, True],
        more="airflow.apiServer.service.type=NodePort",
    ),
    Setting(
        "database.external.port", [1, 3306, 65535], [0, -1, 65536, 99999, 10**30, "3306", 3306.5]
    ),
    Setting(f"{TASKS}.gracePeriod", [10, 604800], [0, -1, 604801, 2**31, 10**40, "600"]),
    Setting(f"{TASKS}.pendingTimeout", [30, 604800], [0, -1, 2**31, 2**63]),
    Setting(f"{TASKS}.disruptionRetries", [0, 100], [-1, 101, 2**31, "3", 1.5, None]),
    Setting(f"{TASKS}.failedPodRetention", [0, 604800], [-1, 604801, 2**31, "60", None]),
    Setting(f"{TASKS}.tmpSizeLimit", ["1Gi", "512Mi"], ["0", "-1Gi", "1", "1GB", 1, None]),
    Setting("airflow.dags.git.interval", [1, 86400], [0, -1, 2**31, "60"]),
    Setting(f"{TASKS}.env", values.VARIABLES_GOOD, values.VARIABLES_BAD, lambda name: {name: "x"}),
    Setting(
        f"{TASKS}.env", ["", "x", "a b\n", "é"], ["a\0b", "x" * 140_000], lambda text: {"A": text}
    ),
    Setting(
        f"{TASKS}.env",
        [],
        ["x" * 100_000, "\U0001f600" * 12_000],
        lambda text: dict.fromkeys("ABCDEF", text),
    ),
    Setting(f"{TASKS}.volumes", values.VOLUMES_GOOD, values.VOLUMES_BAD),
    Setting(
        f"{TASKS}.volumes",
        values.LABELS_GOOD,
        [*values.LABELS_BAD, "tmp", "logs", "task-images", "pod-template"],
        lambda name: volume(name=name, claim="c"),
    ),
    Setting(
        f"{TASKS}.volumes",
        values.MOUNTS_GOOD,
        values.MOUNTS_BAD,
        lambda path: volume(mountPath=path, claim="c"),
    ),
    Setting(
        f"{TASKS}.volumes",
        [],
        ["/opt/dags", "/opt/dags/a"],
        lambda path: volume(mountPath=path, claim="c"),
        more=FROM_GIT,
    ),
    Setting(
        f"{TASKS}.volumes",
        [],
        ["dags", "git-secret"],
        lambda name: volume(name=name, claim="c"),
        more=FROM_GIT,
    ),
    Setting(
        f"{TASKS}.volumes",
        values.SUBDOMAINS_GOOD,
        [*values.SUBDOMAINS_BAD, *values.OWN_SECRETS],
        lambda name: volume(secret=name),
    ),
    Setting(
        f"{TASKS}.volumes",
        values.SUBDOMAINS_GOOD,
        [*values.SUBDOMAINS_BAD, *values.OWN_CLAIMS],
        lambda name: volume(claim=name),
    ),
    Setting(
        f"{TASKS}.volumes",
        [*values.SUBDOMAINS_GOOD, "airflow-config"],
        values.SUBDOMAINS_BAD,
        lambda name: volume(configMap=name),
    ),
    Setting(
        f"{TASKS}.volumes",
        values.STORAGE_GOOD,
        values.STORAGE_BAD,
        lambda size: volume(emptyDir=size),
    ),
]

WEB, TRIGGERER = "airflow.apiServer", "airflow.triggerer"
SECTIONS = (
    "pods", WEB, "airflow.scheduler", "airflow.dagProcessor", TRIGGERER, TASKS, "airflow.jobs",
    "airflow.celery.workers.default", "airflow.celery.flower", "database.cluster",
    "database.backup", "broker.cluster",
)  # fmt: skip
"""Where what a pod may have can be set."""

OF_PODS = [
    *(
        Setting(f"{WEB}.{key}", good, bad)
        for key, good, bad in (
            ("affinity", of_pods.AFFINITIES_GOOD, of_pods.AFFINITIES_BAD),
            ("topologySpreadConstraints", of_pods.SPREADS_GOOD, of_pods.SPREADS_BAD),
            ("hostAliases", of_pods.ALIASES_GOOD, of_pods.ALIASES_BAD),
            ("dnsConfig", of_pods.DNS_GOOD, of_pods.DNS_BAD),
            ("lifecycle", of_pods.LIFECYCLES_GOOD, of_pods.LIFECYCLES_BAD),
            ("envFrom", of_pods.ENV_FROM_GOOD, of_pods.ENV_FROM_BAD),
            ("extraInitContainers", of_pods.INITS_GOOD, of_pods.INITS_BAD),
            ("extraContainers", of_pods.SIDECARS_GOOD, of_pods.SIDECARS_BAD),
            ("priorityClassName", ["high", None], ["A", "a_b", "", 1, []]),
            ("runtimeClassName", ["gvisor", None], ["A", "a_b", "", 1, []]),
            ("podDisruptionBudget.maxUnavailable", [1, 50], [0, -1, "1", "25%", None]),
        )
    ),
    *(
        Setting(f"{WEB}.{key}", good, bad, lambda key: {key: "a"})
        for key, good, bad in (
            ("labels", of_pods.LABELS_GOOD, of_pods.LABELS_BAD),
            ("podAnnotations", of_pods.ANNOTATIONS_GOOD, of_pods.ANNOTATIONS_BAD),
            ("serviceAccount.labels", of_pods.LABELS_GOOD, of_pods.LABELS_BAD),
        )
    ),
    Setting(f"{WEB}.labels", values.LABEL_VALUES_GOOD, values.LABEL_VALUES_BAD, lambda t: {"a": t}),
    Setting(
        f"{WEB}.podAnnotations",
        ["", "any text\n", "x" * 200_000],
        ["x" * 260_000, 1, None],
        lambda text: {"a": text},
    ),
    Setting(f"{WEB}.env", of_pods.ENV_GOOD, of_pods.ENV_BAD, lambda value: {"A": value}),
    Setting("database.cluster.env", ["TZ"], ["MYSQL_USER", "MYSQL_X", "PATH"], lambda n: {n: "x"}),
    Setting("database.backup.env", ["TZ"], ["DATABASE_HOST", "KEEP"], lambda n: {n: "x"}),
    Setting("broker.cluster.env", ["TZ"], ["REDIS_PASSWORD", "MAX_MEMORY"], lambda n: {n: "x"}),
    Setting(
        f"{WEB}.volumes",
        of_pods.SOURCES_GOOD,
        of_pods.SOURCES_BAD,
        lambda source: [{"name": "v", "mountPath": "/d", **source}],
    ),
    Setting(
        f"{WEB}.volumes",
        of_pods.SUB_PATHS_GOOD,
        of_pods.SUB_PATHS_BAD,
        lambda path: volume(claim="c", subPath=path),
    ),
    Setting(
        f"{WEB}.volumes", [], ["a"], lambda path: [{"name": "v", "claim": "c", "subPath": path}]
    ),
    Setting(
        f"{WEB}.volumes",
        of_pods.DRIVERS_GOOD,
        of_pods.DRIVERS_BAD,
        lambda name: volume(csi={"driver": name}),
    ),
    Setting(
        "database.cluster.volumes",
        ["v"],
        ["data", "run", "tmp"],
        lambda name: volume(name=name, claim="c"),
    ),
    *(
        Setting(f"{path}.volumes", good, bad, lambda path: volume(mountPath=path, configMap="c"))
        for path, good, bad in (
            ("database.cluster", ["/d", "/etc/mysql/conf.d"], ["/var/lib/mysql/x", "/var/lib"]),
            ("database.backup", ["/d"], ["/backups", "/scripts/x", "/tmp"]),
            ("broker.cluster", ["/d"], ["/data", "/tmp/x"]),
        )
    ),
    Setting(
        f"{WEB}.volumeMounts",
        of_pods.MOUNTS_OF_VOLUMES_GOOD,
        of_pods.MOUNTS_OF_VOLUMES_BAD,
        more=f"{WEB}.volumes={json.dumps(volume(claim='c'), separators=(',', ':'))}",
    ),
    *(
        Setting(
            f"{path}.serviceAccount.annotations",
            ["eks.amazonaws.com/role-arn", "azure.workload.identity/client-id"],
            ["", "a b", "a/b/c"],
            lambda key: {key: "arn:aws:iam::123456789012:role/airflow"},
        )
        for path in (WEB, TASKS, f"{TASKS}.launchedPods", "airflow.celery", "airflow.jobs")
    ),
    Setting(f"{TRIGGERER}.replicas", [0, 1, 50], [-1, 51, "0", None]),
    Setting("images.imagePullSecrets", of_pods.NAMES_OF_SECRETS_GOOD, of_pods.NAMES_OF_SECRETS_BAD),
]
"""Types are the same in every section, so most are tried in one."""

IN_SANDBOX = [
    Setting("database.cluster.image", values.IMAGES_GOOD, values.IMAGES_BAD),
    Setting("broker.cluster.image", values.IMAGES_GOOD, values.IMAGES_BAD),
    Setting("airflow.dags.git.image", values.IMAGES_GOOD, values.IMAGES_BAD),
    Setting("images.pythonBaseImage", values.TEMPLATES_GOOD, values.TEMPLATES_BAD),
]

EVERY = [*SETTINGS, *OF_PODS, *IN_SANDBOX]
TABLE = {f"{number} {item.path}": item for number, item in enumerate(EVERY)}


@pytest.fixture(autouse=True)
def all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are far from common's too: another rule, and another test."""
    monkeypatch.setattr("airflow_kubernetes.settings.load.out_of_bounds", lambda *_: ())


@pytest.mark.parametrize("name", TABLE)
def test_what_works_is_accepted(name: str) -> None:
    setting = TABLE[name]
    refused = {
        str(value)[:80]: found for value in setting.good if (found := setting.problems(value))
    }
    assert not refused


@pytest.mark.parametrize("name", TABLE)
def test_what_cannot_work_is_refused_in_words(name: str) -> None:
    """One line, which names the setting and has no regular expression."""
    setting, wrong = TABLE[name], {}
    for value in setting.bad:
        found = setting.problems(value)
        right = len(found) == 1 and f": {setting.path}" in found[0]
        if not right or re.search(r"\[a-z|\\[wd]|pattern", found[0].partition(", not ")[0]):
            wrong[str(value)[:80]] = [text[:300] for text in found]
    assert not wrong


@pytest.mark.parametrize("path", SECTIONS)
def test_every_section_has_what_a_pod_may_have(path: str) -> None:
    good = Setting(path, [{"priorityClassName": "a", "env": {"A": "b"}}], [])
    assert not good.problems(good.good[0])
    for key, value in (("env", {"PATH": "x"}), ("labels", {"job-name": "x"}), ("affinity", "x")):
        (problem,) = good.problems({key: value})
        assert f": {path}.{key}" in problem


@pytest.mark.parametrize(
    "text",
    [
        "airflow.url=http://me:hunter2@h",
        "airflow.url=https://hunter2@h/airflow",
        "airflow.dags.source=git airflow.dags.git.repository=https://me:hunter2@h/a",
        f"{FROM_GIT} airflow.dags.git.repository=ssh://git:hunter2@h/a",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_printed(text: str) -> None:
    with pytest.raises(SettingsError) as error:
        load("dev", text.replace(" airflow.dags.git.repository=git@h:a", ""))
    (line,) = map(str, error.value.problems)
    assert "password" in line
    assert "hunter2" not in line


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_refs_are_those_that_git_accepts() -> None:
    for refs, code in ((values.REFS_GOOD, 0), (values.REFS_BAD, 1)):
        for ref in refs:
            if ref.startswith("-") or "\0" in ref:
                continue  # a branch, but an option for other commands
            command = ["git", "check-ref-format", "--allow-onelevel", ref]
            assert subprocess.run(command, check=False).returncode == code, ref
