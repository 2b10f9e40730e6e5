"""`make policies`: check the objects of every environment against all rules.

Of one environment also the template of task pods, by its cluster, if that answers.
"""

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

from ..environment import load
from ..errors import CommandError
from ..policies import waivers
from ..policies.containers import not_built
from ..policies.rule import Subject
from ..policies.rules import RULES, Violation, violations
from ..render import objects
from ..settings.load import environments
from .target import Target
from .task_pod_trial import try_if_reachable

ROW = textwrap.TextWrapper(
    100, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False
)


def policies(environment: str, overrides: str = "") -> None:
    """Print the violations of one environment, or of all if `environment` is empty.

    Raises CommandError for violations, WaiversError for waivers that are wrong or outdated.
    """
    everywhere = environments()
    checked = [environment] if environment else everywhere
    known = waivers.load(RULES, everywhere)
    today = datetime.now(UTC).date()
    all_violations: list[Violation] = []
    for name in checked:
        settings = load(name, overrides)
        subject = Subject(objects(name, overrides), settings, name)
        found = violations(subject, known, today)
        print(summary(subject, found))
        all_violations += found
        if environment:
            try_if_reachable(Target(name, overrides, settings))
    used = {violation.waiver for violation in all_violations if violation.waiver}
    all_checked = [None] if checked == everywhere else []
    outdated = [*waivers.outdated(known, used, today, [*checked, *all_checked])]
    if broken := sum(violation.waiver is None for violation in all_violations):
        problems = "".join(f"\n  {problem}" for problem in outdated)
        raise CommandError(f"rules are broken in {broken} places; see above{problems}")
    if outdated:
        raise waivers.WaiversError(outdated)


def summary(subject: Subject, found: Sequence[Violation]) -> str:
    """One environment's violations, a block each; a line for each that is waived."""
    open_ = [violation for violation in found if violation.waiver is None]
    count = f"{len(open_)} violation{'s' if len(open_) > 1 else ''}" if open_ else "no violation"
    size = f"{len(subject.objects)} objects, {len(RULES)} rules"
    lines = [f"{subject.environment}: {size}: {count}"]
    lines += map(block, open_)
    lines += [
        f"  waived: {violation.kind}/{violation.name}: {violation.rule} ({violation.waiver})"
        for violation in found
        if violation.waiver is not None
    ]
    if images := not_built(subject.objects, subject.settings):
        lines.append(
            f"  not built yet, so without a digest: {', '.join(images)} (make images, where "
            "images.build is true, writes images.lock.yaml)"
        )
    return "\n".join(lines)


def block(violation: Violation) -> str:
    """One violation: field, message, reason and fix, wrapped to 100 characters."""
    source = RULES[violation.rule].source
    rows = {
        "at": violation.path or "the whole object",
        "is": violation.message,
        "why": f"{violation.why} ({source})" if source else violation.why,
        "fix": violation.fix,
    }
    lines = [f"\n  {violation.kind}/{violation.name}: {violation.rule}"]
    for key, value in rows.items():
        lines += ROW.wrap(f"    {key:<4} {value}")
    return "\n".join(lines)
