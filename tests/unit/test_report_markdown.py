"""How a pull request's report is written: fields, sharing, escaping, size."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml
from airflow_kubernetes.comparison.changes import compare
from airflow_kubernetes.report import collect, markdown, pulumi_preview
from airflow_kubernetes.report.markdown import around, cell, code, common, fence, visible
from airflow_kubernetes.report.model import (
    Checked,
    Field,
    ObjectChange,
    ParityResult,
    RealState,
)
from airflow_kubernetes.report.objects import object_changes
from markdown_it import MarkdownIt

from .report_examples import (
    CLAIM,
    WEB,
    Manifest,
    a_report,
    a_violation,
    a_workload,
    an_object,
    changed,
    one_environment,
    written,
)

# Fields


CONTAINERS = ("spec", "template", "spec", "containers")
SIDE_CAR = {"name": "side", "image": "x", "resources": {"limits": {"cpu": "1"}}}
MAIN = WEB["spec"]["template"]["spec"]["containers"][0]
POD = an_object("Pod", "p", args=["--a=1", "--b=2"])


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        # What one side has, as a whole; also in a list that was empty.
        (WEB, changed(WEB, *CONTAINERS, value=[MAIN, SIDE_CAR]),
         Field("spec.template.spec.containers[side]", "containers", None,
               '{"image": "x", "name": "side", "resources": {"limits": {"cpu": "1"}}}')),
        (WEB, changed(WEB, *CONTAINERS, value=[{**MAIN, "env": [{"name": "A", "value": "1"}]}]),
         Field("spec.template.spec.containers[main].env[A]", "env", None,
               '{"name": "A", "value": "1"}')),
        # Of arguments, the one that changed.
        (POD, changed(POD, "args", value=["--a=1", "--b=3"]),
         Field("args[1]", "args", "--b=2", "--b=3")),
    ],
)  # fmt: skip
def test_a_change_is_one_field(old: Manifest, new: Manifest, field: Field) -> None:
    (found,) = object_changes(compare([old], [new]))
    assert found.fields == (field,)


def test_texts_are_compared_line_by_line_and_documents_by_their_leaves() -> None:
    def config(script: str, document: str) -> Manifest:
        return an_object("ConfigMap", "c", data={"run.sh": script, "pod.yaml": document})

    old = config("one\ntwo\nthree\nfour\nfive\n", "a: {b: 1}\n")
    new = config("one\ntwo\nthree\nfour\nFIVE\n", "a: {b: 2}\n")
    (found,) = object_changes(compare([old], [new]))
    document, script = found.fields
    assert (document.path, document.old, document.new) == ('data["pod.yaml"].a.b', "1", "2")
    assert script.diff == " three\n four\n-five\n+FIVE"


def test_what_environments_share_is_told_once() -> None:
    environments = [
        replace(one_environment([WEB], [WEB], name), warnings=warnings)
        for name, warnings in (("dev", ("a", "b")), ("prod", ("b", "c")))
    ]
    assert common(environments, "warnings") == [
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
    "a`<img src=x onerror=alert(1)>`b", "a``@octocat``b", "a|b\\", "\u202eevil", "\x1b[31m",
    "[x](http://evil)", "a\r\n```\nb",
)  # fmt: skip


def outside_of_code(text: str) -> str:
    """What GitHub would render: everything but code spans and fences, HTML included."""
    tokens = MarkdownIt().enable("table").parse(text)
    inner = [child for token in tokens for child in token.children or [token]]
    return "\n".join(
        f"{token.content} {token.attrs or ''}"
        for token in inner
        if token.type not in ("code_inline", "fence")
    )


@pytest.mark.parametrize("nasty", NASTY)
def test_values_and_names_are_inert(nasty: str) -> None:
    script = f"{nasty}\n{nasty}"
    old = an_object("ConfigMap", "c", data={"A": "a", "run.sh": "b\n"})
    new = an_object("ConfigMap", "c", data={"A": nasty, "run.sh": script, nasty: nasty})
    created = an_object("ConfigMap", nasty, data={"A": nasty})
    stack_file = yaml.safe_dump({"config": {nasty: nasty}})
    text = written(
        one_environment(
            [old], [new, created], nasty, ("{}", stack_file), Checked((a_violation(nasty),))
        ),
        one_environment([old], [new], "dev", real=RealState(problem=nasty)),
    )
    text.encode()
    rendered = outside_of_code(text)
    for sign in ("octocat", "onerror", "evil", "\u202e", "\x1b", "no heading"):
        assert sign not in rendered, rendered
    assert rendered.count("<details>") == rendered.count("</details>")


@pytest.mark.parametrize("nasty", NASTY)
def test_a_fence_and_a_span_hold_any_text(nasty: str) -> None:
    lines = fence(nasty, markdown.Limits(1)).splitlines()
    ticks = lines[0]
    assert lines[-1] == ticks
    assert all(not line.startswith(ticks) for line in lines[1:-1])
    assert "\n" not in code(nasty)
    assert "\\|" in cell("a|b")


def test_what_cannot_be_seen_is_shown_by_its_number() -> None:
    assert visible("a\u202eb\u200bc\n") == "a\\u{202e}b\\u{200b}c\n"


def test_of_long_values_the_difference_is_shown() -> None:
    field = Field("a", "a", "x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500)
    old, new = map(str, around(field, 100))
    assert "xa" in old
    assert "xb" in new
    assert max(len(old), len(new)) <= 102
    field = Field("a", "a", "x" * 500, "x" * 500 + "b")
    assert "xb" in str(around(field, 100)[1])


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
    huge = an_object("ConfigMap", "huge", data={"a.txt": "x\n" * 200_000, "b": "y" * 200_000})
    text, complete = markdown.short(a_report(one_environment([], [huge, CLAIM])))
    assert not complete
    assert len(text.encode()) < 10_000
    assert "PersistentVolumeClaim/airflow-mysql" in text
    assert "more lines" in text


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
    broken, waived = Checked((a_violation(),)), Checked((a_violation(waived=True),))
    pair = ParityResult("dev", "prod", "dev and prod: 1 problem", ("unexplained: x",))
    report = a_report(
        one_environment([WEB], [WEB], "dev", checked=broken),
        one_environment([WEB], [WEB], "prod", checked=waived),
        parity=(pair,),
    )
    assert report.problems == (
        "dev: broken rules: 1, see below",
        "parity: dev and prod: 1 problem",
    )
    text = markdown.short(report)[0]
    assert "`unexplained: x`" in text
    assert "waived `until 2030-01-01, me: until then`" in text


def test_the_real_state_has_a_section() -> None:
    drift = ObjectChange("changed", "Deployment", "airflow-web")
    text = written(
        one_environment([WEB], [WEB], "dev", real=RealState(drift=(drift,))),
        one_environment([WEB], [WEB], "prod", real=RealState(problem="no cluster answers")),
    )
    assert "### The real state of `dev`\n<details><summary>1 object drifted</summary>" in text
    assert "### The real state of `prod`\n⛔ Not known:\n```\nno cluster answers\n```" in text
    assert "`prod: its real state is not known, see below`" in text
    secret = an_object("Secret", "s", stringData="x1x")
    pulumi = pulumi_preview.Preview(
        (*compare([WEB], []), *compare([], [secret])),
        unready=("Job/a",),
        problem="at mysql://a:x1x@b",
    )
    real_state = collect.real_state(pulumi)
    assert [one.name for one in real_state.changes] == ["airflow-web", "s"]
    assert real_state.others == ("not ready, so waited for again: Job/a",)
    assert "x1x" not in str(real_state)
    same = written(one_environment([WEB], [WEB], real=RealState()))
    assert "The cluster matches the program" in same
