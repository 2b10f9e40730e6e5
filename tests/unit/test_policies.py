"""Every rule with an example that complies and an example that does not; waivers; secrets."""

import re
from datetime import date
from pathlib import Path

import pytest
from airflow_kubernetes.comparison.leaves import dotted
from airflow_kubernetes.environment import load
from airflow_kubernetes.kubernetes.manifest import Manifest
from airflow_kubernetes.policies import plaintext, waivers
from airflow_kubernetes.policies.containers import not_built
from airflow_kubernetes.policies.references import external_references
from airflow_kubernetes.policies.rule import Subject
from airflow_kubernetes.policies.rules import RULES, Violation, violations
from airflow_kubernetes.policies.waivers import Waiver, WaiversError, object_name

from .policy_examples import EXAMPLES, FIRST, SETTINGS, Example, edited, good, obj

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 1, 1)
IMAGE = (*FIRST, "image")


def broken(rule: str, subject: Subject) -> list[str]:
    """The paths at which an example breaks the rule."""
    return [dotted(finding.path) for finding in RULES[rule].check(subject)]


def check(
    objects: list[Manifest], *known: Waiver, environment: str = "dev", today: date = TODAY
) -> list[Violation]:
    return violations(Subject(objects, SETTINGS, environment), known, today)


def test_every_rule_has_examples_a_reason_and_a_fix() -> None:
    assert {example.rule for example in EXAMPLES} == set(RULES)
    for rule in RULES.values():
        assert rule.why.endswith(".")
        assert rule.fix


def test_the_documentation_has_every_rule() -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == set(RULES)


def test_a_good_environment_breaks_no_rule() -> None:
    assert check(good()) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_an_example_complies_and_another_does_not(example: Example) -> None:
    assert broken(example.rule, example.passing) == []
    assert example.at in broken(example.rule, example.failing)


def test_an_argument_that_the_kubelet_expands_to_a_secret_is_reported() -> None:
    secret = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "x", "key": "password"}}}
    url = {"name": "URL", "value": "db://user:$(PASSWORD)@host"}
    subject = edited("Deployment", (*FIRST, "env"), [secret, url, {"name": "HOST", "value": "x"}])
    (container,) = (
        each["spec"]["template"]["spec"]["containers"][0]
        for each in subject.objects
        if (each["kind"], each["metadata"]["name"]) == ("Deployment", "airflow-scheduler")
    )
    for argument, found in {
        "$(PASSWORD)": True, "--password=$(PASSWORD)": True, "--url=$(URL)/x": True,
        "$(HOST)": False, "$(OTHER)": False, '--user "$PASSWORD"': False,
    }.items():  # fmt: skip
        container["args"] = ["run", argument]
        assert bool(broken("no-secret-in-arguments", subject)) == found, argument


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("A_PASSWORD", "hunter2"),
        ("API_TOKEN", "abcdef"),
        ("AIRFLOW__CORE__FERNET_KEY", "7T512UXSSmBOkpWimFHIVb8jK6lfmSAvx4mO6Arehnc="),
        ("AIRFLOW__API_AUTH__JWT_SECRET", "abc"),
        ("APIKEY", "abc"),
        ("PASSWORD", "123456"),
        ("BASIC_AUTH", "admin:admin"),
        ("BROKER", "redis://:abc@redis:6379/0"),
        ("AIRFLOW_CONN_X", '{"conn_type": "git", "password": "abc"}'),
        ("TLS", "-----BEGIN EC PRIVATE KEY-----"),
    ],
)
def test_what_is_a_secret(name: str, value: str) -> None:
    assert list(plaintext.in_variable(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("A_PASSWORD", ""),
        ("A_PASSWORD", "$(OTHER)"),
        ("AIRFLOW__CORE__FERNET_KEY_CMD", "cat /run/key"),
        ("MYSQL_PASSWORD_FILE", "/run/password"),
        ("TOKEN_TTL", "600"),
        ("EXPOSE_SECRETS", "False"),
        ("SSL_KEY", "/tls/key.pem"),
        ("MONKEY", "see"),
        ("TASK_PULL_SECRETS", "airflow-registry"),
        ("BROKER", "redis://:$(PASSWORD)@redis:6379/0"),
        ("URL", "http://airflow-web:8080/execution/"),
        ("AIRFLOW_CONN_X", '{"password": "$(GIT_PASSWORD)", "extra": {"key_file": "/etc/ssh"}}'),
        ("ADMIN", "admin"),
    ],
)
def test_what_is_no_secret(name: str, value: str) -> None:
    assert not list(plaintext.in_variable(name, value))


def test_a_settings_file_in_a_config_map_is_read_line_by_line() -> None:
    assert list(plaintext.in_file("airflow.cfg", "[smtp]\nsmtp_password = hunter2\n"))
    assert not list(plaintext.in_file("airflow.cfg", "[smtp]\nsmtp_password =\nhost = a\n"))
    assert not list(plaintext.in_file("backup.sh", 'password = "$1"'))


def test_no_message_holds_the_secret() -> None:
    for example in EXAMPLES:
        for finding in RULES[example.rule].check(example.failing):
            assert "hunter2" not in finding.message


def test_an_own_image_that_is_not_in_the_lock_is_not_built_and_no_violation() -> None:
    manifests = list(edited("Deployment", IMAGE, "r/a:1").objects)
    assert [violation.rule for violation in check(manifests)] == ["image-digest"]
    own = f"{SETTINGS.images.registry}/a:{'1' * 16}"
    manifests = list(edited("Deployment", IMAGE, own).objects)
    assert {*not_built(manifests, SETTINGS)} == {*not_built(good(), SETTINGS), own}
    assert check(manifests) == []


def test_only_the_sandbox_may_run_stand_ins() -> None:
    objects = list(edited("StatefulSet", IMAGE, "registry/stand-in/mysql:9").objects)
    assert check(objects, environment="sandbox") == []
    assert [violation.rule for violation in check(objects)] == ["image-digest"]


def test_objects_that_the_values_name_are_external() -> None:
    settings = load(
        "dev",
        "database.mode=external database.external.host=h database.external.secret=mine "
        'airflow.tasks.volumes=[{"name":"a","mountPath":"/a","claim":"theirs"}]',
    )
    external = {("Secret", "mine"), ("PersistentVolumeClaim", "theirs")}
    assert external_references(settings) == external
    subject = edited(
        "Deployment", ("spec", "template", "spec", "imagePullSecrets"), [{"name": "mine"}]
    )
    assert broken("reference-exists", subject)
    assert not broken("reference-exists", Subject(subject.objects, settings, "dev"))


WAIVER = """
waivers:
- rule: image-digest
  object: StatefulSet/airflow-mysql
  reason: its registry is unavailable
  owner: ana
  expires: 2026-01-01
"""


def known(tmp_path: Path, text: str) -> list[Waiver]:
    file = tmp_path / "policies.yaml"
    file.write_text(text, encoding="utf-8")
    return waivers.load(RULES, ["dev", "prod"], file)


def applied(found: list[Violation]) -> list[Waiver | None]:
    return [violation.waiver for violation in found]


def unpinned() -> list[Manifest]:
    return list(edited("StatefulSet", IMAGE, "mysql:8.4").objects)


def test_a_waiver_is_for_one_rule_and_one_object_until_its_day(tmp_path: Path) -> None:
    (waiver,) = known(tmp_path, WAIVER)
    (violation,) = check(unpinned(), waiver)
    assert violation.waiver == waiver
    assert [*waivers.outdated([waiver], {waiver}, TODAY, ["dev", None])] == []
    (late,) = check(unpinned(), waiver, today=date(2026, 1, 2))
    assert late.waiver is None
    (of_deployment,) = known(tmp_path, WAIVER.replace("StatefulSet", "Deployment"))
    assert applied(check(unpinned(), of_deployment)) == [None]


def test_a_waiver_of_one_environment_does_not_apply_to_another(tmp_path: Path) -> None:
    (waiver,) = known(tmp_path, WAIVER + "  environment: prod\n")
    assert applied(check(unpinned(), waiver)) == [None]
    assert applied(check(unpinned(), waiver, environment="prod")) == [waiver]


def test_expired_and_unnecessary_waivers_are_problems(tmp_path: Path) -> None:
    (waiver,) = known(tmp_path, WAIVER)
    (problem,) = waivers.outdated([waiver], {waiver}, date(2026, 1, 2), ["dev", None])
    assert str(problem).startswith("policies.yaml:7: waivers.0.expires: was 2026-01-01: ana fixes")
    (problem,) = waivers.outdated([waiver], set(), TODAY, ["dev", "prod", None])
    assert "waivers.0.rule: no StatefulSet/airflow-mysql breaks image-digest" in str(problem)
    # A waiver of every environment may be used in one that was not checked.
    assert [*waivers.outdated([waiver], set(), TODAY, ["dev"])] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("image-digest", "image-digset", "3: waivers.0.rule: there is no rule image-digset; did"),
        ("  owner: ana\n", "", "3: waivers.0.owner: missing; a waiver has"),
        ("  expires: 2026-01-01\n", "", "3: waivers.0.expires: missing; a waiver has"),
        ("2026-01-01", "soon", "7: waivers.0.expires: input should be a valid date"),
        (
            "its registry is unavailable",
            "later",
            "5: waivers.0.reason: string should have at least 10",
        ),
        ("StatefulSet/airflow-mysql", "mysql", "4: waivers.0.object: should be Kind/name"),
        (
            "owner: ana",
            "owner: ana\n  environment: prd",
            "7: waivers.0.environment: there is no environment prd; did",
        ),
        ("owner: ana", "owner: ana\n  until: never", "7: waivers.0.until: unknown key"),
        ("waivers:", "waiver:", "2: waiver: unknown key; did you mean waivers?"),
    ],
)
def test_a_wrong_waiver_is_an_error_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in WAIVER
    with pytest.raises(WaiversError) as error:
        known(tmp_path, WAIVER.replace(old, new))
    assert message in str(error.value)


def test_the_committed_waivers_are_right() -> None:
    waivers.load(RULES, ["dev", "prod", "sandbox"])


def test_a_job_is_named_without_its_hash() -> None:
    assert object_name(obj("Job", "airflow-migrations-1a2b3c4d")) == "Job/airflow-migrations"
    assert object_name(obj("Secret", "airflow-keys")) == "Secret/airflow-keys"
