"""A report from a checkout: both sides laid out, rendered, checked and told."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from ..settings.load import environments
from . import checkout, checks, collect, renders
from .model import Checked, Environment, Live, Report
from .renders import Rendered

Sides = tuple[Rendered | None, Rendered | None]
"""An environment at the base and in the checkout; None where it is not."""


def report(
    root: Path,
    asked: str,
    only: Sequence[str],
    today: date,
    real_state: Callable[[str], Live] | None = None,
) -> Report:
    """Compare a checkout with the commit that it shares with `asked`.

    `only` names environments; empty for all of both sides. `real_state` looks at an environment's
    cluster; None for none. Raises CheckoutError.
    """
    base, head = checkout.base(root, asked), checkout.head(root)
    with tempfile.TemporaryDirectory(prefix="airflow-kubernetes-") as temporary:
        tree = Path(temporary)
        checkout.extract(root, base.commit, tree)
        names = _names(root, tree, only)
        with ThreadPoolExecutor() as pool:
            rendering = [pool.submit(renders.render, folder, names) for folder in (tree, root)]
            # Meanwhile, in this process: it runs the checkout's own program.
            here = {*names} & {*environments(root / "values")}
            parity = checks.pairs(here, today)
            before, after = (one.result() for one in rendering)
        sides = {name: (before.get(name), after.get(name)) for name in names}
        found = [_environment(name, sides[name], (tree, root), today, real_state) for name in names]
    renderable = {name for name, (_, side) in sides.items() if side and side.error is None}
    compared = [pair for pair in parity if {pair.left, pair.right} <= renderable]
    return collect.report(base, head, found, compared)


def _names(root: Path, tree: Path, only: Sequence[str]) -> list[str]:
    known = {*environments(tree / "values"), *environments(root / "values")}
    if missing := sorted({*only} - known):
        raise checkout.CheckoutError(
            f"no environment {', '.join(missing)} on either side; there are: "
            f"{', '.join(sorted(known))}"
        )
    return sorted(only or known)


def _environment(
    name: str,
    sides: Sides,
    folders: tuple[Path, Path],
    today: date,
    real_state: Callable[[str], Live] | None,
) -> Environment:
    before, after = sides
    checked, live = Checked(), None
    if after is not None and after.error is None:
        old = before.objects if before else ()
        # A base that did not render says nothing about what changes.
        changes = [] if before and before.error else collect.changes(before, after)
        checked = checks.checked(name, old, after.objects, changes, today, folders[0] / "values")
        live = real_state(name) if real_state else None
    old_stack, new_stack = (_text(folder / f"Pulumi.{name}.yaml") for folder in folders)
    return collect.environment(name, before, after, (old_stack, new_stack), checked, live)


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None
