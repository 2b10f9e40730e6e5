"""The report in Markdown: the verdict, what is destroyed, what restarts; the rest folded."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from .details import Clip, blocks
from .grouping import joined, parts, shared
from .model import Broken, Environment, Live, Report, Severity, State
from .objects import WORDS, word
from .restarts import How, Restart
from .risks import Step
from .size_limit import Part, fitted, whole
from .stack_config import CONTEXT, ENCRYPTION, Entry
from .writing import code, codes, fence, html_code, plural

MARKER = "<!-- airflow-kubernetes-preview -->"
"""The first line, by which the comment of a pull request is found again."""

MARKS = {
    Severity.NONE: "⚪",
    Severity.CHANGE: "🔵",
    Severity.RESTART: "🟡",
    Severity.DESTRUCTIVE: "🔴",
    Severity.ERROR: "⛔",
}
NAMED = 8
"""How many environments, or files, a line names."""


def short(report: Report) -> tuple[str, bool]:
    """The report as a comment takes it, and whether it tells everything."""
    parts = list(_parts(report, Clip()))
    text, complete = fitted(parts)
    return text, complete and whole(parts) == full(report)


def full(report: Report) -> str:
    """All of it, however long."""
    return whole(list(_parts(report, None)))


def _parts(report: Report, clip: Clip | None) -> Iterator[Part]:
    every = report.environments
    yield Part(0, f"{MARKER}\n## {_verdict(report)}\n\n{_compared(report)}\n", ())
    yield from _list(0, "⛔ Must not be merged as it is", map(code, report.problems))
    yield from _errors(every)
    yield from _steps(every)
    yield from _table(every)
    yield from _happens(every)
    yield from _configuration(every)
    yield from _rules(every)
    yield from _warnings(every)
    yield from _list(
        2,
        "Parity",
        (code(line) for pair in report.parity for line in (pair.verdict, *pair.problems)),
    )
    for names, fields in shared({one.name: tuple(parts(one.changes)) for one in every}):
        changes = joined(fields)
        counts = Counter(map(word, changes))
        said = ", ".join(f"{counts[one]} {one}" for one in WORDS if counts[one])
        head = f"{', '.join(map(html_code, names))}: {said}"
        yield _folded(4, head, tuple(blocks(changes, clip)), "object")
    for environment in every:
        if environment.live is not None:
            yield from _live(environment.name, environment.live, clip)
    yield from _capacity(every)


def _verdict(report: Report) -> str:
    groups: dict[str, list[str]] = {}
    for one in report.environments:  # the gravest first
        groups.setdefault(one.summary, []).append(one.name)
    said = [f"{_some(names)}: {summary}" for summary, names in groups.items()]
    if len(said) > NAMED:
        said = [*said[:NAMED], f"and {len(said) - NAMED} more"]
    mark = MARKS[Severity.ERROR if report.problems else report.severity]
    return f"{mark} {'; '.join(said) or 'no environment'}"


def _compared(report: Report) -> str:
    text = (
        f"From {code(report.commit[:12])}, which {code(report.base)} shares with this checkout, to "
        f"{code(report.head[:12])}"
    )
    if report.uncommitted:
        changed = plural(len(report.uncommitted), "uncommitted file")
        text += f" and {changed} ({_some(report.uncommitted)})"
    if report.behind:
        newer = plural(report.behind, "newer commit")
        text += f". {newer} of {code(report.base)} not looked at"
    return f"{text}."


def _errors(every: Sequence[Environment]) -> Iterator[Part]:
    groups = shared({one.name: one.errors for one in every})
    items = tuple(
        f"{codes(names)}:\n{fence(error)}\n" for names, errors in groups for error in errors
    )
    if items:
        head = "\n### ⛔ Not rendered, so not compared\n"
        yield Part(1, head, items, noun="error")


def _steps(every: Sequence[Environment]) -> Iterator[Part]:
    gone = [
        f"- {code(one.name)}: **the environment is gone from values/**. No deployment deletes its "
        f"{len(one.changes)} objects: they run on, and nothing manages them. Before merging, "
        f"remove them with {code(f'make down ENV={one.name}')}, or keep the values file.\n"
        for one in every
        if one.state is State.GONE and one.changes
    ]
    moved = [
        f"- {code(one.name)}: **another cluster**: {_entry(entry)}. A deployment makes everything "
        "anew there, without the data, and Pulumi takes away what is on the old one.\n"
        for one in every
        for entry in one.stack
        if entry.name == CONTEXT and entry.old is not None
    ]
    lost = _same_steps({one.name: one.destructive for one in every})
    if items := (*gone, *moved, *lost):
        yield Part(1, "\n### 🔴 Destructive\n", items, noun="step")
    if stopped := tuple(_same_steps({one.name: one.refused for one in every})):
        yield Part(1, "\n### ⛔ Will be refused\n", stopped, noun="step")


def _same_steps(steps: Mapping[str, Sequence[Step]]) -> Iterator[str]:
    """A line for each step; objects to which the same happens share one."""
    for names, those in shared(steps):
        alike: dict[Step, list[str]] = {}
        for step in those:
            alike.setdefault(replace(step, kind="", name=""), []).append(f"{step.kind}/{step.name}")
        for step, objects in alike.items():
            because = f" for {_some(step.paths)}" if step.paths else ""
            yield (
                f"- {codes(names)}: **{codes(objects)} {step.what}**{because}. {step.means}. "
                f"Remedy: {step.remedy}.\n"
            )


def _table(every: Sequence[Environment]) -> Iterator[Part]:
    moved = [one for one in every if one.severity is not Severity.NONE]
    if not moved:
        return
    head = f"\n| environment | severity | {' | '.join(WORDS)} | away meanwhile | rules broken |\n"
    rows = []
    for one in moved:
        counts = Counter(map(word, one.changes))
        away = ", ".join(
            code(each.name, cell=True) for each in one.restarts if each.how is How.AWAY
        )
        broken = sum(not each.waived for each in one.checked.broken)
        numbers = " | ".join(str(counts[each] or "") for each in WORDS)
        rows.append(
            f"| {code(one.name, cell=True)} | {MARKS[one.severity]} {one.severity} | {numbers} | "
            f"{away} | {broken or ''} |\n"
        )
    yield Part(1, f"{head}|{' --- |' * (len(WORDS) + 4)}\n", tuple(rows), noun="environment")


def _happens(every: Sequence[Environment]) -> Iterator[Part]:
    """Notes and restarts; the same of several objects in one line."""
    lines = [
        f"- {codes(names)}: **{note.headline}**. {code(note.text)}.\n"
        for names, notes in shared({one.name: one.notes for one in every})
        for note in notes
    ]
    for names, found in shared({one.name: one.restarts for one in every}):
        said: dict[str, list[Restart]] = {}
        for restart in found:
            said.setdefault(restart.text, []).append(restart)
        lines.append(f"- {codes(names)}\n")
        lines += [
            f"  - {codes(f'{one.kind}/{one.name}' for one in those)}: {text}\n"
            for text, those in said.items()
        ]
    if lines:
        yield Part(2, "\n### What restarts\n", tuple(lines))


def _configuration(every: Sequence[Environment]) -> Iterator[Part]:
    lines = [
        f"{codes(names)}: {code(line)}: the pods that use secrets start again with what the "
        "Secrets hold now"
        for names, found in shared({one.name: one.secrets for one in every})
        for line in found
    ]
    lines += [
        f"{codes(f'Pulumi.{name}.yaml' for name in names)}: {_entry(entry)}"
        for names, found in shared({one.name: one.stack for one in every})
        for entry in found
    ]
    yield from _list(2, "Secrets and stack configuration", lines)


def _entry(entry: Entry) -> str:
    verb = "changed" if entry.old and entry.new else "removed" if entry.old else "added"
    if entry.name in ENCRYPTION:
        return f"{code(entry.name)} {verb}: what this stack's secrets are encrypted with"
    if entry.encrypted:
        return f"encrypted {code(entry.name)} {verb}"
    old, new = (None if one is None else code(one) for one in (entry.old, entry.new))
    return f"{code(entry.name)} {verb}: {' → '.join(one for one in (old, new) if one)}"


def _rules(every: Sequence[Environment]) -> Iterator[Part]:
    lines = []
    for names, found in shared({one.name: one.checked.broken for one in every}):
        alike: dict[Broken, list[str]] = {}
        for one in sorted(found, key=lambda one: bool(one.waived)):
            alike.setdefault(replace(one, kind="", name=""), []).append(f"{one.kind}/{one.name}")
        for one, objects in alike.items():
            place = f" at {code(one.path)}" if one.path else ""
            fix = f"waived {code(one.waived)}" if one.waived else f"fix: {code(one.fix)}"
            what = f"{_some(objects)}{place}: {code(one.message)}; {fix}"
            lines.append(f"{codes(names)}: {code(one.rule)}: {what}")
    checked = [one for one in every if one.checked.capacity]
    clean = [one.name for one in checked if not one.checked.broken]
    if clean:
        lines.append(f"{_some(clean)}: no rule broken")
    yield from _list(2, "Rules", lines)


def _warnings(every: Sequence[Environment]) -> Iterator[Part]:
    groups = shared({one.name: one.warnings for one in every})
    items = tuple(f"{codes(names)}:\n{fence(chr(10).join(lines))}\n" for names, lines in groups)
    if items:
        yield Part(3, "\n### New warnings\n", items, noun="warning")


def _live(name: str, live: Live, clip: Clip | None) -> Iterator[Part]:
    """Under a heading of its own: it is about what is there now, and not about the base."""
    lines = [f"- {code(line)}\n" for line in live.others]
    if live.problem:
        lines.insert(0, f"⛔ Not known:\n{fence(live.problem)}\n")
    elif not (live.changes or live.drift or live.others):
        lines = ["It is as the program wants it: nothing drifted, nothing is to deploy.\n"]
    yield Part(1, f"\n### The real state of {code(name)}\n", tuple(lines))
    for what, changes in (("drifted", live.drift), ("changed by a deployment now", live.changes)):
        if changes:
            head = f"{html_code(name)}: {plural(len(changes), 'object')} {what}"
            yield _folded(3, head, tuple(blocks(changes, clip)), "object")


def _capacity(every: Sequence[Environment]) -> Iterator[Part]:
    checked = [one for one in every if one.checked.capacity]
    if not checked:
        return
    measures = [amount.name for amount in checked[0].checked.capacity]
    rows = []
    for name in measures:
        cells = []
        for one in checked:
            amount = next(each for each in one.checked.capacity if each.name == name)
            same = amount.old in (None, amount.new)
            cells.append(str(amount.new) if same else f"**{amount.old} → {amount.new}**")
        rows.append(f"| {name} | {' | '.join(cells)} |\n")
    columns = " | ".join(code(one.name, cell=True) for one in checked)
    head = f"| | {columns} |\n|{' --- |' * (len(checked) + 1)}\n"
    changed = [
        one.name
        for one in checked
        if any(each.old not in (None, each.new) for each in one.checked.capacity)
    ]
    said = f"changes in {', '.join(map(html_code, changed[:NAMED]))}" if changed else "no change"
    yield _folded(3, f"Capacity: {said}", (head + "".join(rows) + "\n",), "table")


def _list(rank: int, title: str, lines: Iterable[str]) -> Iterator[Part]:
    items = tuple(f"- {line}\n" for line in lines)
    if items:
        yield Part(rank, f"\n### {title}\n", items)


def _folded(rank: int, summary: str, items: tuple[str, ...], noun: str) -> Part:
    head = f"\n<details><summary>{summary}</summary>\n\n"
    return Part(rank, head, items, "</details>\n", noun)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return codes(names[:NAMED]) + more
