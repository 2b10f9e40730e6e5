"""`make policies`: the rules over every environment's objects."""

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

from ..environment import load
from ..errors import CommandError
from ..kubernetes.manifest import Manifest
from ..policies import waivers
from ..policies.check import Violation, violations
from ..policies.containers import not_built
from ..policies.external_references import outside
from ..policies.rules import RULES
from ..policies.waivers import WaiversError
from ..render import objects
from ..settings.load import environments


def policies(environment: str, overrides: str = "") -> None:
    """Print what breaks a rule, in one environment or in all of them.

    Raises WaiversError for a waiver that cannot stay, CommandError if a rule is broken.
    """
    everywhere = environments()
    checked = [environment] if environment else everywhere
    known = waivers.load(RULES, everywhere)
    today = datetime.now(UTC).date()
    used, broken = set(), 0
    for name in checked:
        settings = load(name, overrides)
        rendered = objects(name, overrides)
        found = violations(
            rendered,
            [],
            environment=name,
            waivers=known,
            budget=settings.budget,
            today=today,
            outside=outside(settings),
        )
        print(summary(name, rendered, found))
        used |= {one.waiver for one in found if one.waiver is not None}
        broken += sum(one.waiver is None for one in found)
    problems = waivers.spent(
        known, used, today, checked if checked != everywhere else [*checked, None]
    )
    if broken:
        also = "".join(f"\n  {problem}" for problem in problems)
        raise CommandError(f"rules are broken in {broken} places; see above{also}")
    if problems:
        raise WaiversError(problems)


def summary(environment: str, rendered: Sequence[Manifest], found: Sequence[Violation]) -> str:
    """One environment's violations, a block each; waived ones and images not built, a line each."""
    open_ones = [one for one in found if one.waiver is None]
    count = len(open_ones)
    said = f"{count} violation{'s' if count > 1 else ''}" if count else "no violation"
    lines = [f"{environment}: {len(rendered)} objects, {len(RULES)} rules: {said}"]
    lines += [block(one) for one in open_ones]
    for one in found:
        if one.waiver is not None:
            lines.append(f"  waived: {one.kind}/{one.name}: {one.rule} ({one.waiver})")
    if waiting := not_built(rendered):
        lines.append(
            f"  not built yet, so without a digest: {', '.join(waiting)} (make images, where "
            "images.build is true, writes images.lock.yaml)"
        )
    return "\n".join(lines)


def block(one: Violation) -> str:
    """What is wrong and where, why it matters, how to mend it."""
    source = RULES[one.rule].source
    rows = {
        "at": one.path or "the whole object",
        "is": one.message,
        "why": f"{one.why} ({source})" if source else one.why,
        "fix": one.fix,
    }
    text = [f"\n  {one.kind}/{one.name}: {one.rule}"]
    for key, value in rows.items():
        text += textwrap.wrap(
            value,
            100,
            initial_indent=f"    {key:<4} ",
            subsequent_indent=" " * 9,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(text)
