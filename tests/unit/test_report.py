"""The content of a pull request's report."""

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
        (WEB, changed(WEB, "spec", "replicas", value=None), "scales", "goes on from 1"),
        (changed(WEB, "spec", "replicas", value=None), WEB, "scales", "has 2 pods, whatever"),
        (WEB, changed(WEB, "spec", "replicas", value=0), "stops", "stops"),
        (changed(WEB, "spec", "replicas", value=0), WEB, "starts", "starts"),
        (None, WEB, "starts", "starts"),
        (WEB, None, "stops", "stops"),
        (MYSQL, a_workload("StatefulSet", "airflow-mysql", "two"), "unavailable", "about 30 s"),
        (MYSQL, changed(MYSQL, "spec", "serviceName", value="x"), "unavailable", "created again"),
        (a_workload("Deployment", "airflow-worker-default", grace=630),
         a_workload("Deployment", "airflow-worker-default", "two", grace=630),
         "drains", "up to 630 s"),
        (a_workload("Deployment", "airflow-scheduler", strategy={"type": "Recreate"}),
         a_workload("Deployment", "airflow-scheduler", "two", strategy={"type": "Recreate"}),
         "unavailable", "unavailable for about 1 min"),
    ],
)  # fmt: skip
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


# What a deployment does, and what is lost or refused

TEMPLATE = ("spec", "template", "metadata")
VERSION, REVISION = "app.kubernetes.io/version", "airflow-kubernetes/secrets-revision"
SELECTOR = {"matchLabels": {"app": "other"}}
SMALL = {"requests": {"storage": "5Gi"}}


def labelled(version: str) -> Manifest:
    labels = {**WEB["spec"]["selector"]["matchLabels"], VERSION: version}
    return changed(WEB, *TEMPLATE, "labels", value=labels)


def with_revision(revision: str) -> Manifest:
    return changed(WEB, *TEMPLATE, "annotations", value={REVISION: revision})


def config(executor: str) -> Manifest:
    return an_object("ConfigMap", "airflow-config", data={"AIRFLOW__CORE__EXECUTOR": executor})


def admin(name: str) -> Manifest:
    return an_object("Secret", "airflow-admin", stringData={"username": name})


def job(image: str, digest: str) -> Manifest:
    return a_workload("Job", f"airflow-migrations-{digest}", image)


@pytest.mark.parametrize(
    ("before", "after", "severity", "summary", "words"),
    [
        ([labelled("2.11.2"), config("A")], [labelled("3.3.2"), config("B")],
         "restart", "ANOTHER RELEASE, another executor, 2 changed",
         "**ANOTHER RELEASE**. `From Airflow 2.11.2 to 3.3.2: make up refuses that."),
        ([with_revision("1")], [with_revision("2")],
         "restart", "secrets rotated, 1 changed",
         "**secrets rotated**. `secrets.revision 1 → 2: "),
        ([WEB], [changed(WEB, "spec", "replicas", value=0)],
         "restart", "STOPPED, 1 changed", "**STOPPED**. `1 workloads get 0 replicas"),
        ([CLAIM, WEB], [changed(CLAIM, "spec", "storageClassName", value="fast")],
         "destructive", "1 REPLACED, 1 deleted",
         "`PersistentVolumeClaim/airflow-mysql` REPLACED** for `spec.storageClassName`. "
         "The metadata database would be lost"),
        ([changed(CLAIM, "metadata", "labels", value={})], [],
         "destructive", "1 DELETED",
         "`PersistentVolumeClaim/airflow-mysql` DELETED**. The metadata database is lost"),
        ([CLAIM], [changed(CLAIM, "spec", "resources", value=SMALL)],
         "error", "1 REFUSED", "and the deployment stops: a claim only grows"),
        ([WEB], [changed(WEB, "spec", "selector", value=SELECTOR)],
         "error", "1 REFUSED", "The API server refuses it under both engines"),
        ([MYSQL], [changed(MYSQL, "spec", "serviceName", value="other")],
         "destructive", "1 REFUSED BY KUBECTL, 1 REPLACED",
         "Pulumi replaces. Remedy: `under kubectl delete the object first"),
        ([admin("a")], [admin("b")], "destructive", "1 KEPT", "The Secret was written once"),
        # A Job that runs again is no replacement.
        ([job("one", "11111111")], [job("two", "22222222")],
         "restart", "1 run again",
         "- `spec.template.spec.containers[main].image`: `one` → `two`"),
        # An environment that is gone is left alone.
        ([CLAIM, WEB], None,
         "destructive", "ENVIRONMENT GONE, its 2 objects left alone", "make down ENV=prod"),
    ],
)  # fmt: skip
def test_the_verdict_on_changes(
    before: list[Manifest],
    after: list[Manifest] | None,
    severity: str,
    summary: str,
    words: str,
) -> None:
    found = one_environment(before, after)
    text = written(found)
    assert (found.severity, found.summary) == (severity, summary)
    assert words in text
    assert after is not None or not found.restarts
    stops = ("prod: the deployment would stop half-way, see below",)
    assert a_report(found).problems == (stops if severity == "error" else ())
    if severity == "destructive":  # comes first
        assert text.index(words) < text.index("| environment |")


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
