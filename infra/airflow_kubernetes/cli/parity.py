"""`make parity`: the differences between environments, and the settings that explain them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import yaml

from ..comparison.leaves import MISSING, Path, dotted
from ..errors import CommandError
from ..parity import check
from ..parity.check import Parity, Setting
from ..parity.exchange import Exchange
from ..settings.load import environments

Row = tuple[str, str, str, str, str, str]


def parity(names: Sequence[str]) -> None:
    """Print what differs between two environments and why, or of every two if none is named.

    Raises CommandError for any problem.
    """
    if len(names) not in (0, 2) or len(set(names)) != len(names):
        raise CommandError("name two environments, A=dev B=prod, or none for all of them")
    pairs = [(names[0], names[1])] if names else check.pairs(environments())
    exchanges = [Exchange(*pair) for pair in pairs]
    results = [check.parity(exchange, date.today()) for exchange in exchanges]
    texts = [
        problems(result)
        if result.problems
        else table(result, exchange.changed_by, exchange.together)
        for result, exchange in zip(results, exchanges, strict=True)
    ]
    print("\n\n".join(texts))
    _judge(results)


def parity_of_all() -> None:
    """Print the verdicts, and every problem. Raises CommandError for any problem."""
    results = [check.parity(Exchange(*pair), date.today()) for pair in check.pairs(environments())]
    print("\n".join(map(problems, results)))
    _judge(results)


def _judge(results: Sequence[Parity]) -> None:
    if any(result.problems for result in results):
        raise CommandError("environments are not alike (above); see docs/environments.md")


def problems(parity: Parity) -> str:
    """The verdict, and each problem with its values and the line to change."""
    lines = [parity.verdict]
    for disparity in parity.problems:
        lines.append(f"  {disparity.kind}: {disparity.subject}")
        for whose, value in disparity.values:
            first, *more = _shown(value).splitlines()
            lines += [f"    {whose}: {first}", *(f"      {line}" for line in more)]
        lines.append(f"    {disparity.location}: {disparity.fix}")
    return "\n".join(lines)


def table(parity: Parity, changed_by: Mapping[str, set[Path]], together: set[Path]) -> str:
    """The verdict, and the settings that differ by the reason why they may.

    `changed_by` is what each setting changes on its own, `together` what takes several settings.
    """
    by_reason: dict[str, list[Row]] = {}
    for setting in parity.settings:
        rows = by_reason.setdefault(setting.why, [])
        rows += _rows(setting, len(changed_by[setting.path]))
    if not by_reason:
        return parity.verdict
    head = ("", parity.left, parity.right, "changes", "owner", "until")
    columns = zip(head, *(row for rows in by_reason.values() for row in rows), strict=True)
    widths = [max(map(len, column)) for column in columns]
    lines = [parity.verdict, _line(head, widths)]
    for why, rows in by_reason.items():
        lines += [f"{why}:", *(_line(row, widths) for row in rows)]
    if together:
        lines.append(f"{len(together)} more changes take several of these settings together")
    return "\n".join(lines)


def _rows(setting: Setting, changes: int) -> Iterator[Row]:
    """A setting's row, and one for each differing field of a section."""
    rest = (str(changes), setting.owner, str(setting.until or "-"))
    first, *more = setting.values
    if not first.path and not more:
        yield (setting.path, _shown(first.old), _shown(first.new), *rest)
        return
    yield (setting.path, "", "", *rest)
    for item in setting.values:
        yield (f"  {dotted(item.path)}", _shown(item.old), _shown(item.new), "", "", "")


def _line(row: Row, widths: Sequence[int]) -> str:
    return "  " + "  ".join(map(str.ljust, row, widths)).rstrip()


def _shown(value: Any) -> str:
    """As in a values file, on one line unless it is a text of several."""
    if value is MISSING:
        return "-"
    if isinstance(value, str):
        return value or '""'
    return (
        yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    )
