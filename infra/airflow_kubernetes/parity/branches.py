"""Lines of the program that ask for an environment by its name."""

import ast
from collections.abc import Collection, Iterator

from ..images.specs import ROOT

FOLDER = ROOT / "infra"


def named(environments: Collection[str]) -> Iterator[tuple[str, str]]:
    """File and line, and the name, of each text in the program that is an environment's name."""
    for file in sorted(FOLDER.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        if not any(name in source for name in environments):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and node.value in environments:
                yield f"{file.relative_to(ROOT)}:{node.lineno}", str(node.value)
