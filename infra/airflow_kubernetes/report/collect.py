"""From what was rendered to what is told. Pure: no files, no processes, no clock."""

from collections import Counter
from collections.abc import Sequence

from ..comparison.changes import Change, Operation, compare
from ..comparison.leaves import MISSING
from . import pulumi_preview, restarts, risks, stack_config
from .checkout import Base, Head
from .model import Checked, Environment, Live, Pair, Report, Severity, State, worst
from .objects import WORDS, ObjectChange, told, word
from .redaction import redacted
from .renders import Rendered

REVISION = "airflow-kubernetes/secrets-revision"
"""The annotation that says which secrets a pod was started with."""


def environment(
    name: str,
    before: Rendered | None,
    after: Rendered | None,
    stacks: tuple[str | None, str | None],
    checked: Checked,
    real: Live | None = None,
) -> Environment:
    """One environment; a side is None that does not have it. `stacks` are Pulumi.<env>.yaml."""
    state = State.NEW if before is None else State.GONE if after is None else State.KEPT
    errors = tuple(
        f"{side}: {redacted(one.error)}"
        for side, one in (("base", before), ("head", after))
        if one is not None and one.error is not None
    )
    old_warnings = () if before is None else before.warnings
    warnings = tuple(
        redacted(line) for line in (after.warnings if after else ()) if line not in old_warnings
    )
    entries = stack_config.changed(*stacks)
    found = [] if errors else changes(before, after)
    objects, notes = told(found), restarts.notes(found)
    # Nothing deletes an environment's objects because its values file is gone.
    effective = [] if state is State.GONE else found
    destroyed, stopped = risks.destructive(effective), risks.refused(effective)
    restarting = restarts.restarts(effective)
    moves = any(one.name == stack_config.CONTEXT and one.old for one in entries)

    fails = errors or any(step.what == risks.REFUSED for step in stopped)
    if fails or (real and real.problem):
        severity = Severity.ERROR
    elif destroyed or stopped or moves or (state is State.GONE and objects):
        severity = Severity.DESTRUCTIVE
    elif any(one.how is not restarts.How.LATER for one in restarting):
        severity = Severity.RESTART
    else:
        severity = Severity.CHANGE if objects or entries else Severity.NONE

    headlines = ["DOES NOT RENDER"] if errors else [note.headline for note in notes]
    headlines += ["ANOTHER CLUSTER"] if moves else []
    if real:
        headlines += ["REAL STATE NOT KNOWN"] if real.problem else []
        headlines += [f"{len(real.drift)} DRIFTED"] if real.drift else []
    return Environment(
        name,
        state,
        severity,
        summary(state, headlines, (*destroyed, *stopped), objects, len(entries)),
        errors,
        warnings,
        destroyed,
        stopped,
        notes,
        restarting,
        objects,
        entries,
        revisions(found),
        checked,
        real,
    )


def changes(before: Rendered | None, after: Rendered | None) -> list[Change]:
    """What leads from one side to the other."""
    return compare(before.objects if before else (), after.objects if after else ())


def summary(
    state: State,
    headlines: Sequence[str],
    grave: Sequence[risks.Step],
    objects: Sequence[ObjectChange],
    entries: int,
) -> str:
    """A few words: `1 REPLACED, 3 changed`. What destroys nothing is in small letters."""
    if state is State.GONE:
        return f"ENVIRONMENT GONE, its {len(objects)} objects left alone"
    capital = Counter(step.what for step in grave)
    names = {(step.kind, step.name) for step in grave}
    small = Counter(word(one) for one in objects if (one.kind, one.name) not in names)
    parts = [*headlines, *(f"{capital[each]} {each}" for each in sorted(capital))]
    parts += [f"{small[each]} {each}" for each in WORDS if small[each]]
    parts += [f"{entries} of stack configuration"] if entries else []
    text = ", ".join(parts) or "no change"
    return f"new environment, {text}" if state is State.NEW else text


def revisions(found: Sequence[Change]) -> tuple[str, ...]:
    """Another `secrets.revision`: somebody changed a Secret by hand, and its pods start again."""
    seen = {
        (one.old, one.new)
        for change in found
        if change.operation in (Operation.UPDATE, Operation.REPLACE)
        for one in change.differences
        if one.path[-1] == REVISION and MISSING not in (one.old, one.new)
    }
    return tuple(f"secrets.revision {old} → {new}" for old, new in sorted(seen, key=str))


def real_state(found: pulumi_preview.Live) -> Live:
    """What Pulumi told about the real state, as it may be shown."""
    others = [f"{one.operation} {one.type} {one.name}" for one in (*found.images, *found.others)]
    others += [f"not ready, so waited for again: {one}" for one in found.unready]
    return Live(
        redacted(found.problem or ""), told(found.changes), told(found.drift), tuple(others)
    )


def report(
    base: Base, head: Head, environments: Sequence[Environment], parity: Sequence[Pair]
) -> Report:
    """All environments, the gravest first."""
    order = sorted(environments, key=lambda one: one.name)
    order.sort(key=lambda one: tuple(Severity).index(one.severity), reverse=True)
    problems = [f"{one.name} is not rendered, see below" for one in order if one.errors]
    for one in order:
        if any(step.what == risks.REFUSED for step in one.refused):
            problems.append(f"{one.name}: the deployment would stop half-way, see below")
        if one.live and one.live.problem:
            problems.append(f"{one.name}: its real state is not known, see below")
        if one.checked.problem:
            problems.append(f"{one.name}: not checked: {one.checked.problem}")
        broken = sum(not each.waived for each in one.checked.broken)
        if broken:
            problems.append(f"{one.name}: rules are broken in {broken} places")
    problems += [f"parity: {pair.verdict}" for pair in parity if pair.problems]
    return Report(
        base.asked,
        base.commit,
        base.behind,
        head.commit,
        head.uncommitted,
        worst([one.severity for one in order]),
        "; ".join(f"{one.name}: {one.summary}" for one in order) or "no environment",
        tuple(problems),
        tuple(order),
        tuple(parity),
    )
