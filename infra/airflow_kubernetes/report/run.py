"""The report of this checkout: render both sides, check the checkout, and collect the results."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from ..comparison.changes import compare
from ..images.specs import ROOT
from ..settings.load import environments
from . import checkout, checks, collect
from .model import Checked, Environment, RealState, Report


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
            parity = [*checks.compared({*names} & {*environments()}, today)]
        before, after = old.result(), head.result()

        def environment(name: str) -> Environment:
            old, new = before.get(name), after.get(name)
            stacks = (_text(side / f"Pulumi.{name}.yaml") for side in (tree, ROOT))
            checked, live = Checked(), None
            if new and new.error is None:
                objects = old.objects if old else ()
                # A base that does not render says nothing about what changes.
                known = old is None or old.error is None
                changes = compare(objects, new.objects) if known else []
                checked = checks.checked(name, objects, new.objects, changes, today)
                live = real_state(name) if real_state else None
            return collect.environment(name, old, new, (*stacks,), checked, live)

        found = [environment(name) for name in names]
    renderable = {name for name, side in after.items() if side.error is None}
    compared = [one for one in parity if {one.left, one.right} <= renderable]
    return collect.report(sides, found, compared)


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
