"""The pure parts of a pull request's report."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml
from bundle.comparison.changes import Operation, compare
from bundle.report import collect, fitting, live, markdown, stack, steps
from bundle.report.checkout import Base, Head
from bundle.report.facts import Amount, Broken, Checked, Live, Pair, Report, Severity
from bundle.report.fields import Field
from bundle.report.hiding import SECRET, hidden_object, redacted
from bundle.report.objects import ObjectChange, told
from bundle.report.renders import Rendered
from bundle.report.restarts import How, restarts
from bundle.report.sharing import shared
from bundle.report.writing import around, code, fence, html_code, visible

Manifest = dict[str, Any]

CHECKED = Checked((), (Amount("storage", "1 GiB", "1 GiB"),))


def an_object(kind: str, name: str, protected: bool = False, **content: Any) -> Manifest:
    labels = {"airflow-kubernetes/protected": "true"} if protected else {}
    metadata = {"name": name, "namespace": "airflow", "labels": labels}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def a_workload(
    kind: str, name: str, image: str = "one", replicas: int = 1, **spec: Any
) -> Manifest:
    labels = {"app.kubernetes.io/name": name}
    pod = {
        "containers": [{"name": "main", "image": image, "env": []}],
        "terminationGracePeriodSeconds": spec.pop("grace", 30),
    }
    return an_object(
        kind,
        name,
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **spec,
        },
    )


def changed(obj: Manifest, *path: str, value: Any) -> Manifest:
    """A copy with another value at a path; None takes the last key away."""
    copy = deepcopy(obj)
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


def one_environment(
    before: list[Manifest] | None,
    after: list[Manifest] | None,
    name: str = "prod",
    stacks: tuple[str | None, str | None] = (None, None),
    checked: Checked = CHECKED,
    real: Live | None = None,
) -> Any:
    old, new = (None if one is None else Rendered(tuple(one)) for one in (before, after))
    return collect.environment(name, old, new, stacks, checked, real)


def a_report(*environments: Any, parity: tuple[Pair, ...] = ()) -> Report:
    base, head = Base("origin/main", "b" * 40, 0), Head("a" * 40, ())
    return collect.report(base, head, environments, parity)


def written(*environments: Any) -> str:
    return markdown.short(a_report(*environments))[0]


CLAIM = an_object(
    "PersistentVolumeClaim",
    "airflow-mysql",
    protected=True,
    spec={"storageClassName": "slow", "resources": {"requests": {"storage": "10Gi"}}},
)
WEB = a_workload("Deployment", "airflow-web", replicas=2)
MYSQL = a_workload("StatefulSet", "airflow-mysql", serviceName="airflow-mysql")


# What happens to pods


@pytest.mark.parametrize(
    ("before", "after", "how", "words"),
    [
        (WEB, a_workload("Deployment", "airflow-web", "two", 2), How.ROLLS, "2 pods"),
        (WEB, changed(WEB, "spec", "replicas", value=3), How.SCALES, "from 2 to 3"),
        (WEB, changed(WEB, "spec", "replicas", value=0), How.STOPS, "stops"),
        (changed(WEB, "spec", "replicas", value=0), WEB, How.STARTS, "starts"),
        (None, WEB, How.STARTS, "starts"),
        (WEB, None, How.STOPS, "stops"),
        (MYSQL, a_workload("StatefulSet", "airflow-mysql", "two"), How.AWAY, "about 30 s"),
        (MYSQL, changed(MYSQL, "spec", "serviceName", value="other"), How.AWAY, "made anew"),
        (
            a_workload("Deployment", "airflow-worker-default", grace=630),
            a_workload("Deployment", "airflow-worker-default", "two", grace=630),
            How.DRAINS,
            "up to 630 s",
        ),
        (
            a_workload("Deployment", "airflow-scheduler", strategy={"type": "Recreate"}),
            a_workload("Deployment", "airflow-scheduler", "two", strategy={"type": "Recreate"}),
            How.AWAY,
            "away for about 1 min",
        ),
    ],
)
def test_what_restarts(
    before: Manifest | None, after: Manifest | None, how: How, words: str
) -> None:
    sides = ([one] if one else [] for one in (before, after))
    (found,) = restarts(compare(*sides))
    assert found.how is how
    assert words in found.text


def test_a_config_map_alone_restarts_nothing() -> None:
    old = an_object("ConfigMap", "airflow-config", data={"A": "1"})
    assert restarts(compare([old, WEB], [changed(old, "data", "A", value="2"), WEB])) == ()


def test_an_environment_goes_through_another_release_and_executor() -> None:
    old = a_workload("Deployment", "airflow-web")
    old["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] = "2.11.2"
    new = deepcopy(old)
    new["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] = "3.3.2"
    config = an_object("ConfigMap", "airflow-config", data={"AIRFLOW__CORE__EXECUTOR": "A"})
    other = changed(config, "data", "AIRFLOW__CORE__EXECUTOR", value="B")
    found = one_environment([old, config], [new, other])
    assert [note.headline for note in found.notes] == ["ANOTHER RELEASE", "another executor"]
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
    (step,) = steps.destructive(compare([claim], []))
    assert (step.what, step.means) == ("DELETED", "The metadata database is lost")


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
    assert (field.name, field.old, field.new, field.why) == ("image", "one", "two", "")


def test_an_environment_that_is_gone_is_left_alone() -> None:
    found = one_environment([CLAIM, WEB], None)
    assert found.summary == "ENVIRONMENT GONE, its 2 objects left alone"
    assert found.severity is Severity.DESTRUCTIVE
    assert not found.restarts
    assert "make down ENV=prod" in written(found)


def test_a_side_that_does_not_render_is_never_an_empty_difference() -> None:
    broken = Rendered(error="error: 1 problem\n  values/prod.yaml:3: what?")
    found = collect.environment("prod", Rendered((WEB,)), broken, (None, None), Checked())
    report = a_report(found)
    assert (found.severity, found.summary) == (Severity.ERROR, "DOES NOT RENDER")
    assert report.problems
    assert "values/prod.yaml:3: what?" in markdown.short(report)[0]


# Secrets


@pytest.mark.parametrize(
    ("obj", "shown"),
    [
        (an_object("Secret", "s", stringData={"a": "x1x"}), "a: '[secret]'"),
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
        (an_object("Pod", "p", args=["--token", "x1x", "--password=x1x"]), "--password=[secret]"),
        (
            an_object("Pod", "p", valueFrom={"secretKeyRef": {"name": "n", "key": "fernet-key"}}),
            "fernet-key",
        ),
    ],
)
def test_secrets_are_hidden_and_nothing_else(obj: Manifest, shown: str) -> None:
    (created,) = told(compare([], [obj]))
    assert shown in created.content
    assert "x1x" not in created.content
    assert "x1x" not in str(hidden_object(obj))


def test_another_secret_is_told_without_its_value() -> None:
    old = an_object("ConfigMap", "c", data={"A_PASSWORD": "x1x"})
    (found,) = told(compare([old], [changed(old, "data", "A_PASSWORD", value="x2x")]))
    assert found.fields == (Field("data.A_PASSWORD", "A_PASSWORD", SECRET, SECRET),)


def test_a_secret_in_an_error_is_hidden() -> None:
    assert redacted("cannot reach mysql://me:x1x@host") == f"cannot reach mysql://me:{SECRET}@host"


def test_another_revision_of_the_secrets_is_told_by_name() -> None:
    old = a_workload("Deployment", "airflow-web")
    path = ("spec", "template", "metadata", "annotations")
    old = changed(old, *path, value={"airflow-kubernetes/secrets-revision": "1"})
    new = changed(old, *path, value={"airflow-kubernetes/secrets-revision": "2"})
    found = one_environment([old], [new])
    assert found.secrets == ("secrets.revision 1 → 2",)
    assert "`secrets.revision 1 → 2`" in written(found)


STACK = """\
config:
  kubernetes:context: old
  airflow-kubernetes:registryPassword:
    secure: v1:AAAA
  airflow-kubernetes:nested:
    inner: {secure: v1:BBBB}
encryptionsalt: v1:one
"""


def test_encrypted_entries_are_told_by_name() -> None:
    after = STACK
    for old, new in (
        ("AAAA", "CCCC"),
        ("v1:one", "v1:two"),
        ("kubernetes:context: old", "x: y"),
        ("airflow-kubernetes:nested", "other"),
    ):
        after = after.replace(old, new)
    found = stack.changed(STACK, after)
    assert "v1:" not in str(found)
    assert [(one.name, one.old, one.new) for one in found if one.encrypted] == [
        ("config.airflow-kubernetes:nested.inner", SECRET, None),
        ("config.airflow-kubernetes:registryPassword", SECRET, SECRET),
        ("config.other.inner", None, SECRET),
        ("encryptionsalt", SECRET, SECRET),
    ]
    assert ("config.kubernetes:context", "old", None) in [
        (one.name, one.old, one.new) for one in found
    ]


def test_a_plain_secret_in_a_stack_is_hidden() -> None:
    (found,) = stack.changed("config: {}", "config:\n  a:dbPassword: x1x\n")[-1:]
    assert (found.new, found.encrypted) == (SECRET, False)


def test_another_cluster_is_destructive() -> None:
    after = STACK.replace("context: old", "context: new")
    found = one_environment([WEB], [WEB], stacks=(STACK, after))
    assert found.severity is Severity.DESTRUCTIVE
    assert "**another cluster**" in written(found)


def test_a_stack_file_that_is_no_yaml_is_told() -> None:
    (found,) = stack.changed(STACK, "a: {")
    assert "no YAML" in found.name


# Fields


def test_an_item_that_one_side_has_is_one_field() -> None:
    new = deepcopy(WEB)
    side_car = {"name": "side", "image": "x", "args": ["a"], "resources": {"limits": {"cpu": "1"}}}
    new["spec"]["template"]["spec"]["containers"].append(side_car)
    (found,) = told(compare([WEB], [new]))
    (field,) = found.fields
    assert field.path == "spec.template.spec.containers[side]"
    assert field.old is None
    assert "resources.limits.cpu: '1'" in str(field.new)


def test_an_empty_list_that_gets_an_item_is_one_field() -> None:
    new = deepcopy(WEB)
    new["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    (found,) = told(compare([WEB], [new]))
    assert [field.path for field in found.fields] == ["spec.template.spec.containers[main].env[A]"]


def test_texts_are_compared_line_by_line_and_documents_by_their_leaves() -> None:
    def config(script: str, document: str) -> Manifest:
        return an_object("ConfigMap", "c", data={"run.sh": script, "pod.yaml": document})

    old = config("one\ntwo\nthree\nfour\nfive\n", "a: {b: 1}\n")
    (found,) = told(compare([old], [config("one\ntwo\nthree\nfour\nFIVE\n", "a: {b: 2}\n")]))
    document, script = found.fields
    assert (document.path, document.old, document.new) == ('data["pod.yaml"].a.b', "1", "2")
    assert script.diff == " three\n four\n-five\n+FIVE"


def test_of_arguments_the_changed_one_is_told() -> None:
    old = an_object("Pod", "p", args=["--a=1", "--b=2"])
    (found,) = told(compare([old], [changed(old, "args", value=["--a=1", "--b=3"])]))
    assert found.fields == (Field("args[1]", "args", "--b=2", "--b=3"),)


def test_what_environments_share_is_told_once() -> None:
    assert shared({"dev": ["a", "b"], "prod": ["b", "c"]}) == [
        (("dev", "prod"), ["b"]),
        (("dev",), ["a"]),
        (("prod",), ["c"]),
    ]
    new = a_workload("Deployment", "airflow-web", "two", replicas=2)
    text = written(one_environment([WEB], [new], "dev"), one_environment([WEB], [new], "prod"))
    assert text.count("`one` → `two`") == 1
    assert "`dev`, `prod`: 1 changed" in text


def test_the_same_difference_in_many_places_is_told_once() -> None:
    names = ("a", "b", "c")
    before = [a_workload("Deployment", name) for name in names]
    after = [a_workload("Deployment", name, "two") for name in names]
    text = written(one_environment(before, after))
    assert text.count("`one` → `two`") == 1
    assert "3 times `image`" in text


# Markdown that nobody can break out of

NASTY = (
    "`", "``` \n# no heading", "</details><img src=x onerror=alert(1)>", "@octocat #1 GH-2",
    "a|b\\", "\u202eevil", "\x1b[31m", "[x](http://evil)", "a\r\n```\nb",
)  # fmt: skip


def outside_of_code(text: str) -> str:
    """What GitHub would render: without fences, code spans and HTML's code."""
    text = re.sub(r"^(`{3,})[a-z]*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<code>[^<]*</code>", "", text)
    return re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", text)


@pytest.mark.parametrize("nasty", NASTY)
def test_values_and_names_are_inert(nasty: str) -> None:
    script = f"{nasty}\n{nasty}"
    old = an_object("ConfigMap", "c", data={"A": "a", "run.sh": "b\n"})
    new = an_object("ConfigMap", "c", data={"A": nasty, "run.sh": script, nasty: nasty})
    created = an_object("ConfigMap", nasty, data={"A": nasty})
    broken = Broken("rule", "Kind", nasty, nasty, nasty, nasty)
    stack_file = yaml.safe_dump({"config": {nasty: nasty}})
    text = written(
        one_environment([old], [new, created], nasty, ("{}", stack_file), Checked((broken,))),
        one_environment([old], [new], "dev", real=Live(problem=nasty)),
    )
    text.encode()
    rendered = outside_of_code(text)
    for sign in ("octocat", "onerror", "evil", "\u202e", "\x1b", "no heading"):
        assert sign not in rendered, rendered
    assert rendered.count("<details>") == rendered.count("</details>")


@pytest.mark.parametrize("nasty", NASTY)
def test_a_fence_and_a_span_hold_any_text(nasty: str) -> None:
    lines = fence(nasty).splitlines()
    ticks = lines[0]
    assert lines[-1] == ticks
    assert all(not line.startswith(ticks) for line in lines[1:-1])
    assert "\n" not in code(nasty)
    assert "<img" not in html_code(nasty)
    assert "\\|" in code("a|b", cell=True)


def test_what_cannot_be_seen_is_shown_by_its_number() -> None:
    assert visible("a\u202eb\u200bc\n") == "a\\u{202e}b\\u{200b}c\n"


def test_of_long_values_the_difference_is_shown() -> None:
    old, new = around("x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500, 100)
    assert "xa" in old
    assert "xb" in new
    assert max(len(old), len(new)) <= 102


# Size


def many(count: int) -> tuple[list[Manifest], list[Manifest]]:
    before = [an_object("ConfigMap", f"map-{i:04}", data={"A": f"{i}"}) for i in range(count)]
    after = [changed(obj, "data", "A", value=f"{i} ä€ @x") for i, obj in enumerate(before)]
    return before, after


def test_thousands_of_changes_fit_and_keep_the_destructive_steps() -> None:
    before, after = many(3000)
    claims = [changed(CLAIM, "metadata", "name", value=f"claim-{i}") for i in range(20)]
    big = one_environment([*before, *claims], after)
    report = a_report(big, one_environment([WEB], [WEB], "dev"))
    text, complete = markdown.short(report)
    assert not complete
    assert len(text.encode()) < 60_000
    assert all(f"`PersistentVolumeClaim/claim-{i}`" in text for i in range(8))
    assert "more objects: see `full.md`" in text
    assert text.rstrip().endswith("</details>")
    whole = markdown.full(report)
    assert "map-2999" in whole
    assert len(whole) > 100_000


def test_thousands_of_environments_and_steps_fit_too() -> None:
    found = [
        one_environment([changed(CLAIM, "metadata", "name", value=f"c{i}")], [], f"env-{i}")
        for i in range(1000)
    ]
    text, complete = markdown.short(a_report(*found))
    assert not complete
    assert len(text.encode()) < 60_000
    assert "🔴 Destructive" in text
    assert "see `full.md`" in text


def test_one_huge_item_leaves_room_for_the_others() -> None:
    parts = [fitting.Part(1, "one\n", ("x" * 900,)), fitting.Part(0, "two\n", ("small\n",))]
    text, complete = fitting.fitted(parts, 800)
    assert not complete
    assert "two\nsmall\n" in text
    assert len(text) <= 800


def test_the_same_facts_are_the_same_bytes() -> None:
    before, after = many(50)

    def texts() -> Iterator[str]:
        for sides in ((before, after), (before[::-1], after[::-1])):
            found = [one_environment(*sides, name) for name in ("dev", "prod")]
            yield from (written(*found), written(*found[::-1]))

    assert len(set(texts())) == 1


# The whole


def test_no_change_is_a_short_report() -> None:
    text = written(one_environment([WEB], [WEB], "dev"), one_environment([WEB], [WEB], "prod"))
    assert text.startswith(f"{markdown.MARKER}\n## ⚪ `dev`, `prod`: no change\n")
    assert "| environment |" not in text
    assert "What restarts" not in text


def test_problems_of_rules_and_parity_must_not_be_merged() -> None:
    broken = Checked((Broken("rule", "Kind", "name", "a.b", "is wrong", "mend it"),))
    waived = Checked((Broken("rule", "Kind", "name", "a.b", "is wrong", "mend it", "until then"),))
    pair = Pair("dev", "prod", "dev and prod: 1 to mend", ("unexplained: x",))
    report = a_report(
        one_environment([WEB], [WEB], "dev", checked=broken),
        one_environment([WEB], [WEB], "prod", checked=waived),
        parity=(pair,),
    )
    assert report.problems == (
        "dev: rules are broken in 1 places",
        "parity: dev and prod: 1 to mend",
    )
    text = markdown.short(report)[0]
    assert "`unexplained: x`" in text
    assert "waived `until then`" in text


def test_the_real_state_has_a_section() -> None:
    drift = ObjectChange(Operation.UPDATE, "Deployment", "airflow-web", protected=False)
    text = written(
        one_environment([WEB], [WEB], "dev", real=Live(drift=(drift,))),
        one_environment([WEB], [WEB], "prod", real=Live(problem="no cluster answers")),
    )
    assert "<code>dev</code>: 1 object drifted" in text
    assert "### The real state of `prod`\n⛔ Not known:\n```\nno cluster answers\n```" in text
    assert "`prod: its real state is not known, see below`" in text
    secret = an_object("Secret", "s", stringData="x1x")
    pulumi = live.Live(
        (*compare([WEB], []), *compare([], [secret])),
        unready=("Job/a",),
        problem="at mysql://a:x1x@b",
    )
    told_by_pulumi = collect.real_state(pulumi)
    assert [one.name for one in told_by_pulumi.changes] == ["airflow-web", "s"]
    assert told_by_pulumi.others == ("not ready, so waited for again: Job/a",)
    assert "x1x" not in str(told_by_pulumi)
    same = written(one_environment([WEB], [WEB], real=Live()))
    assert "It is as the program wants it" in same
