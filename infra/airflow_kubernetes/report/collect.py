"""Build the report model from two renders. Pure: no I/O, no clock."""

from collections import Counter
from collections.abc import Iterable

from ..comparison.changes import Change, compare
from . import effects, stack_config
from .checkout import Rendered
from .model import Checked, Dags, Environment, ParityResult, RealState, Report, Severity, Sides
from .objects import object_changes, outcomes
from .pulumi_preview import Preview
from .redaction import redacted


def differences(before: Rendered | None, after: Rendered | None) -> list[Change]:
    """What changes. A side that does not render says nothing about that, so there is none then."""
    old, new = before or Rendered(), after or Rendered()
    rendered = old.error is None and new.error is None
    return compare(old.objects, new.objects) if rendered else []


def environment(
    name: str,
    before: Rendered | None,
    after: Rendered | None,
    changes: list[Change],
    stacks: tuple[str | None, str | None],
    checked: Checked,
    real_state: RealState | None = None,
) -> Environment:
    """One environment; a side that does not have it is None.

    `changes` are their `differences`; `stacks` are Pulumi.<env>.yaml on both sides.
    """
    state = "new" if before is None else "gone" if after is None else "kept"
    old, new = before or Rendered(), after or Rendered()
    errors = [
        f"{side}: {redacted(rendered.error)}"
        for side, rendered in (("base", old), ("head", new))
        if rendered.error is not None
    ]
    objects, stack = object_changes(changes), stack_config.changed(*stacks)
    # Nothing deletes an environment's objects because its values file is gone.
    deployed = [] if state == "gone" else changes
    destructive, refused = effects.destructive(deployed), effects.refused(deployed)
    restarts = effects.notes(deployed) + effects.restarts(deployed)
    if state == "gone" and objects:
        destructive = (effects.gone(name, len(objects)), *destructive)
    elif any(entry.path == stack_config.CLUSTER and entry.old for entry in stack):
        destructive = (effects.MOVED, *destructive)

    if errors or effects.stops(refused) or (real_state and real_state.problem):
        severity = Severity.ERROR
    elif destructive or refused:
        severity = Severity.DESTRUCTIVE
    elif any(effect.kind and effect.what != "later" for effect in restarts):
        severity = Severity.RESTART
    else:
        severity = Severity.CHANGE if objects or stack else Severity.NONE

    # The summary: capitals are for what must not be overlooked. Nothing in it is from the values.
    at_risk = {(effect.kind, effect.name) for effect in (*destructive, *refused)}
    safe = [change for change in objects if (change.kind, change.name) not in at_risk]
    counts = Counter(sorted(effect.what for effect in (*destructive, *refused) if effect.kind))
    counts.update(outcomes([] if state == "gone" else safe))
    summary = ["new environment"] if state == "new" else []
    summary += ["DOES NOT RENDER"] if errors else []
    summary += [effect.what for effect in (*restarts, *destructive) if not effect.kind]
    if real_state:
        summary += ["REAL STATE NOT KNOWN"] if real_state.problem else []
        summary += [f"{len(real_state.drift)} DRIFTED"] if real_state.drift else []
    summary += [f"{count} {what}" for what, count in counts.items()]
    summary += [f"{len(stack)} of stack configuration"] if stack else []
    return Environment(
        name,
        state,
        severity,
        ", ".join(summary) or "no change",
        tuple(errors),
        tuple(redacted(line) for line in new.warnings if line not in old.warnings),
        destructive,
        refused,
        restarts,
        objects,
        stack,
        checked,
        real_state,
    )


def real_state(preview: Preview) -> RealState:
    """What Pulumi says about the real state, as it may be shown."""
    unready = (f"not ready, so waited for again: {name}" for name in preview.unready)
    return RealState(
        redacted(preview.problem or ""),
        object_changes(preview.changes),
        object_changes(preview.drift),
        (*preview.others, *unready),
    )


def report(
    sides: Sides,
    environments: Iterable[Environment],
    parity: Iterable[ParityResult],
    dags: Dags,
) -> Report:
    """All environments, the gravest first."""
    rank = tuple(Severity).index
    order = sorted(environments, key=lambda each: (-rank(each.severity), each.name))
    problems = [f"{each.name} is not rendered, see below" for each in order if each.errors]
    for each in order:
        if effects.stops(each.refused):
            problems.append(f"{each.name}: the deployment would stop half-way, see below")
        if each.real_state and each.real_state.problem:
            problems.append(f"{each.name}: its real state is not known, see below")
        if each.checked.problem:
            problems.append(f"{each.name}: not checked: {each.checked.problem}")
        if each.checked.broken:
            problems.append(f"{each.name}: broken rules: {each.checked.broken}, see below")
    results = tuple(parity)
    problems += [f"parity: {result.verdict}" for result in results if result.problems]
    problems += [f"DAGs: errors: {len(dags.errors)}, see below"] if dags.errors else []
    severity = order[0].severity if order else Severity.NONE
    return Report(sides, severity, tuple(problems), tuple(order), results, dags)
