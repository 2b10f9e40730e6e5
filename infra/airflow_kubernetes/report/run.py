"""The report of this checkout: render both sides, check the checkout, and collect the results."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path

from ..comparison.changes import Change
from ..environment import load
from ..kubernetes.manifest import Manifest
from ..parity import check
from ..parity.exchange import Exchange
from ..parity.hygiene import Disparity
from ..paths import ROOT
from ..policies import connections, waivers
from ..policies.capacity import capacity, cores, gibibytes
from ..policies.rule import Subject
from ..policies.rules import RULES, violations
from ..settings.load import environments
from ..settings.schema import Settings
from . import checkout, collect, dags
from .model import Checked, Environment, ParityResult, RealState, Report
from .objects import text
from .redaction import SECRET, looks_secret


def report(
    base: str,
    only: Sequence[str],
    today: date,
    real_state: Callable[[str], RealState] | None = None,
) -> Report:
    """Compare the checkout with the commit that it shares with `base`.

    `only` names environments; empty for all of both sides. `real_state` asks an environment's
    cluster; None for none. Raises CheckoutError.
    """
    sides = checkout.sides(ROOT, base)
    with tempfile.TemporaryDirectory(prefix="airflow-kubernetes-") as folder:
        tree = Path(folder)
        checkout.extract(ROOT, sides.commit, tree)
        names = _names(tree, only)
        with ThreadPoolExecutor() as pool:
            head = pool.submit(checkout.render, ROOT, names)
            same = checkout.is_unchanged(ROOT, sides.commit)
            old = head if same else pool.submit(checkout.render, tree, names)
            # Meanwhile, in this process: it renders too.
            parity = [*_parity({*names} & {*environments()}, today)]
            of_dags = dags.changed(sorted({*names} & {*environments()}), tree)
        before, after = old.result(), head.result()

        def environment(name: str) -> Environment:
            old, new = before.get(name), after.get(name)
            stacks = _text(tree / f"Pulumi.{name}.yaml"), _text(ROOT / f"Pulumi.{name}.yaml")
            changes, checked, live = collect.differences(old, new), Checked(), None
            if new and new.error is None:
                objects = old.objects if old else ()
                checked = _checked(name, objects, new.objects, changes, today, tree / "values")
                live = real_state(name) if real_state else None
            return collect.environment(name, old, new, changes, stacks, checked, live)

        found = [environment(name) for name in names]
    renderable = {name for name, side in after.items() if side.error is None}
    compared = [result for result in parity if {result.left, result.right} <= renderable]
    return collect.report(sides, found, compared, of_dags)


def _names(tree: Path, only: Sequence[str]) -> list[str]:
    known = {*environments(tree / "values"), *environments()}
    if missing := sorted({*only} - known):
        raise checkout.CheckoutError(
            f"no environment {', '.join(missing)} on either side; there are: "
            f"{', '.join(sorted(known))}"
        )
    return sorted(only or known)


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _checked(
    environment: str,
    before: Sequence[Manifest],
    after: Sequence[Manifest],
    changes: Sequence[Change],
    today: date,
    values_before: Path,
) -> Checked:
    """Which rules an environment's objects and changes break, and what it needs of its cluster."""
    try:
        settings = load(environment)
        subject = Subject(after, settings, environment, changes)
        found = violations(subject, waivers.load(RULES, environments()), today)
        new = _measures(after, settings)
    # Whatever goes wrong is one line of the report, not its end.
    except Exception as error:
        return Checked(problem=_first_line(error))
    old: dict[str, str] = {}
    with suppress(Exception):  # an earlier commit may not have what today's sums expect
        old = _measures(before, load(environment, directory=values_before)) if before else {}
    return Checked(tuple(found), {name: (old.get(name), value) for name, value in new.items()})


def _measures(objects: Sequence[Manifest], settings: Settings) -> dict[str, str]:
    total, result = capacity(objects, settings), {}
    for when, (pods, *amounts) in (("always", total.least), ("at worst", total.worst)):
        result[f"pods, {when}"] = str(pods)
        for what, (cpu, memory) in zip(("requests", "limits"), amounts, strict=True):
            result[f"{what}, {when}"] = f"{cores(cpu)}, {gibibytes(memory)}"
    allowed = connections.allowed(settings) or "?"
    return result | {
        "storage": gibibytes(total.storage),
        "database connections, at worst": f"{connections.needed(settings)} of {allowed}",
    }


def _parity(names: Iterable[str], today: date) -> Iterator[ParityResult]:
    """Of every two environments that should be alike."""
    for left, right in check.pairs(names):
        try:
            found = check.parity(Exchange(left, right), today)
        except Exception as error:
            verdict = f"{left} and {right}: not compared"
            yield ParityResult(left, right, verdict, (_first_line(error),))
        else:
            yield ParityResult(left, right, found.verdict, tuple(map(_problem, found.problems)))


def _problem(disparity: Disparity) -> str:
    subject, name = disparity.subject, disparity.subject.rpartition(".")[2]
    values = "; ".join(
        f"{whose}: {SECRET if looks_secret(name, value) else text(value) or 'nothing'}"
        for whose, value in disparity.values
    )
    what = f"{disparity.kind}: {subject} ({values})" if values else f"{disparity.kind}: {subject}"
    return f"{what}. {disparity.location}: {disparity.fix}"


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]
