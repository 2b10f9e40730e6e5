"""The content of a pull request's report."""

from copy import deepcopy

import pytest
from airflow_kubernetes.comparison.changes import compare
from airflow_kubernetes.report import collect, effects, markdown, stack_config
from airflow_kubernetes.report.checkout import Rendered
from airflow_kubernetes.report.model import Checked, Field, Severity
from airflow_kubernetes.report.objects import object_changes
from airflow_kubernetes.report.redaction import SECRET, hidden, redacted

from .report_examples import (
    CLAIM,
    MYSQL,
    WEB,
    Manifest,
    a_report,
    a_workload,
    an_object,
    changed,
    one_environment,
    written,
)

# What happens to pods


@pytest.mark.parametrize(
    ("before", "after", "what", "words"),
    [
        (WEB, a_workload("Deployment", "airflow-web", "two", 2), "rolls", "2 pods"),
        (WEB, changed(WEB, "spec", "replicas", value=3), "scales", "from 2 to 3"),
        (WEB, changed(WEB, "spec", "replicas", value=0), "stops", "stops"),
        (changed(WEB, "spec", "replicas", value=0), WEB, "starts", "starts"),
        (None, WEB, "starts", "starts"),
        (WEB, None, "stops", "stops"),
        (MYSQL, a_workload("StatefulSet", "airflow-mysql", "two"), "unavailable", "about 30 s"),
        (
            MYSQL,
            changed(MYSQL, "spec", "serviceName", value="other"),
            "unavailable",
            "created again",
        ),
        (
            a_workload("Deployment", "airflow-worker-default", grace=630),
            a_workload("Deployment", "airflow-worker-default", "two", grace=630),
            "drains",
            "up to 630 s",
        ),
        (
            a_workload("Deployment", "airflow-scheduler", strategy={"type": "Recreate"}),
            a_workload("Deployment", "airflow-scheduler", "two", strategy={"type": "Recreate"}),
            "unavailable",
            "unavailable for about 1 min",
        ),
    ],
)
def test_what_restarts(
    before: Manifest | None, after: Manifest | None, what: str, words: str
) -> None:
    sides = ([one] if one else [] for one in (before, after))
    (found,) = effects.restarts(compare(*sides))
    assert found.what == what
    assert words in found.text


def test_a_config_map_alone_restarts_nothing() -> None:
    old = an_object("ConfigMap", "airflow-config", data={"A": "1"})
    assert effects.restarts(compare([old, WEB], [changed(old, "data", "A", value="2"), WEB])) == ()


def test_an_environment_goes_through_another_release_and_executor() -> None:
    old = a_workload("Deployment", "airflow-web")
    old["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] = "2.11.2"
    new = deepcopy(old)
    new["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] = "3.3.2"
    config = an_object("ConfigMap", "airflow-config", data={"AIRFLOW__CORE__EXECUTOR": "A"})
    other = changed(config, "data", "AIRFLOW__CORE__EXECUTOR", value="B")
    found = one_environment([old, config], [new, other])
    assert [one.what for one in found.restarts if not one.kind] == [
        "ANOTHER RELEASE",
        "another executor",
    ]
    assert found.summary.startswith("ANOTHER RELEASE, another executor, ")


# What is lost, and what is refused


def test_data_that_would_be_lost_comes_first() -> None:
    new = changed(CLAIM, "spec", "storageClassName", value="fast")
    found = one_environment([CLAIM, WEB], [new])
    assert found.severity is Severity.DESTRUCTIVE
    assert found.summary == "1 REPLACED, 1 deleted"
    text = written(found)
    assert text.index("### 🔴 Destructive") < text.index("| environment |")
    assert "`PersistentVolumeClaim/airflow-mysql` REPLACED** for `spec.storageClassName`" in text
    assert "The metadata database would be lost" in text


def test_a_deleted_claim_without_protection_is_destructive_too() -> None:
    claim = changed(CLAIM, "metadata", "labels", value={})
    (step,) = effects.destructive(compare([claim], []))
    assert (step.what, step.text) == ("DELETED", "The metadata database is lost")


def test_what_the_api_server_refuses_must_not_be_merged() -> None:
    new = changed(CLAIM, "spec", "resources", value={"requests": {"storage": "5Gi"}})
    found = one_environment([CLAIM], [new])
    assert found.severity is Severity.ERROR
    assert a_report(found).problems == ("prod: the deployment would stop half-way, see below",)
    assert "a claim only grows" in written(found)


def test_a_job_that_runs_again_is_no_replacement() -> None:
    def job(image: str, digest: str) -> Manifest:
        obj = a_workload("Job", "airflow-migrations", image)
        return changed(obj, "metadata", "name", value=f"airflow-migrations-{digest}")

    found = one_environment([job("one", "11111111")], [job("two", "22222222")])
    assert (found.summary, found.severity) == ("1 run again", Severity.RESTART)
    (field,) = found.changes[0].fields
    assert (field.name, field.old, field.new, field.effect) == ("image", "one", "two", "")


def test_an_environment_that_is_gone_is_left_alone() -> None:
    found = one_environment([CLAIM, WEB], None)
    assert found.summary == "ENVIRONMENT GONE, its 2 objects left alone"
    assert found.severity is Severity.DESTRUCTIVE
    assert not found.restarts
    assert "make down ENV=prod" in written(found)


def test_a_side_that_does_not_render_is_never_an_empty_difference() -> None:
    base, broken = Rendered((WEB,)), Rendered(error="error: 1 problem\n  values/prod.yaml:3: what?")
    found = collect.environment(
        "prod", base, broken, collect.differences(base, broken), (None, None), Checked()
    )
    report = a_report(found)
    assert (found.severity, found.summary) == (Severity.ERROR, "DOES NOT RENDER")
    assert report.problems
    assert "values/prod.yaml:3: what?" in markdown.short(report)[0]


# Secrets


@pytest.mark.parametrize(
    ("obj", "shown"),
    [
        (an_object("Secret", "s", stringData={"a": "x1x"}), "a: '[secret]'"),
        (an_object("Secret", "s", stringData={"a.yaml": "x1x: 1"}), "a.yaml: '[secret]'"),
        (an_object("ConfigMap", "c", data={"MY_PASSWORD": "x1x"}), "MY_PASSWORD: '[secret]'"),
        (an_object("ConfigMap", "c", data={"TOKEN_TTL": "600"}), "TOKEN_TTL: '600'"),
        (
            an_object("ConfigMap", "c", data={"my.cfg": "[a]\nuser = me\npassword = x1x\n"}),
            "password = [secret]",
        ),
        (
            an_object("ConfigMap", "c", data={"URL": "mysql://user:x1x@host/db"}),
            "URL: '[secret]'",
        ),
        (an_object("Pod", "p", env=[{"name": "API_KEY", "value": "x1x"}]), "value: '[secret]'"),
        (
            an_object("ConfigMap", "c", data={"a.yaml": "env:\n- {name: A_TOKEN, value: x1x}\n"}),
            "value: '[secret]'",
        ),
        (an_object("Pod", "p", args=["--token", "x1x", "--password=x1x"]), "--password=[secret]"),
        (
            an_object("Pod", "p", valueFrom={"secretKeyRef": {"name": "n", "key": "fernet-key"}}),
            "fernet-key",
        ),
    ],
)
def test_secrets_are_hidden_and_nothing_else(obj: Manifest, shown: str) -> None:
    (created,) = object_changes(compare([], [obj]))
    assert shown in created.content
    assert "x1x" not in created.content
    assert "x1x" not in str(hidden(obj["kind"], (), obj))


def test_another_secret_is_shown_without_its_value() -> None:
    old = an_object("ConfigMap", "c", data={"A_PASSWORD": "x1x"})
    (found,) = object_changes(compare([old], [changed(old, "data", "A_PASSWORD", value="x2x")]))
    assert found.fields == (Field("data.A_PASSWORD", "A_PASSWORD", SECRET, SECRET),)


def test_a_secret_in_an_error_is_hidden() -> None:
    assert redacted("cannot reach mysql://me:x1x@host") == f"cannot reach mysql://me:{SECRET}@host"


def test_another_revision_of_the_secrets_is_named() -> None:
    old = a_workload("Deployment", "airflow-web")
    path = ("spec", "template", "metadata", "annotations")
    old = changed(old, *path, value={"airflow-kubernetes/secrets-revision": "1"})
    new = changed(old, *path, value={"airflow-kubernetes/secrets-revision": "2"})
    found = one_environment([old], [new])
    assert found.summary.startswith("secrets rotated, ")
    assert "**secrets rotated**. `secrets.revision 1 → 2: " in written(found)


STACK = """\
config:
  kubernetes:context: old
  airflow-kubernetes:registryPassword:
    secure: v1:AAAA
  airflow-kubernetes:nested:
    inner: {secure: v1:BBBB}
encryptionsalt: v1:one
"""


def test_encrypted_entries_are_named() -> None:
    after = STACK
    for old, new in (
        ("AAAA", "CCCC"),
        ("v1:one", "v1:two"),
        ("kubernetes:context: old", "x: y"),
        ("airflow-kubernetes:nested", "other"),
    ):
        after = after.replace(old, new)
    found = stack_config.changed(STACK, after)
    assert "v1:" not in str(found)
    assert [(one.path, one.old, one.new) for one in found if one.effect == "encrypted"] == [
        ("config.airflow-kubernetes:nested.inner", SECRET, None),
        ("config.airflow-kubernetes:registryPassword", SECRET, SECRET),
        ("config.other.inner", None, SECRET),
        ("encryptionsalt", SECRET, SECRET),
    ]
    assert ("config.kubernetes:context", "old", None) in [
        (one.path, one.old, one.new) for one in found
    ]


def test_a_plain_secret_in_a_stack_is_hidden() -> None:
    (found,) = stack_config.changed("config: {}", "config:\n  a:dbPassword: x1x\n")[-1:]
    assert (found.new, found.effect) == (SECRET, "")


def test_another_cluster_is_destructive() -> None:
    after = STACK.replace("context: old", "context: new")
    found = one_environment([WEB], [WEB], stacks=(STACK, after))
    assert found.severity is Severity.DESTRUCTIVE
    assert "**ANOTHER CLUSTER**" in written(found)


def test_a_stack_file_that_is_not_yaml_is_an_entry() -> None:
    (found,) = stack_config.changed(STACK, "a: {")
    assert "not valid YAML" in found.path
