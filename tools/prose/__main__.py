"""Check the words of documentation, comments and messages against the glossary, with vale.

    python tools/prose

Vale gets a copy of each file in which only the prose is left, on its own lines: comments and, in
Python, strings.
"""

import io
import re
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).with_name("vale.ini")
FILES = ("*.md", "*.py", "*.sh", "*.yaml", "*.yml", "*Dockerfile", "Makefile")
EXAMPLES = "tests/unit/test_prose.py"
"""Holds words of the glossary, to test that they are found."""
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def prose(name: str, text: str) -> str:
    """The text with everything but prose blanked, line for line."""
    if name.endswith(".md"):
        return text
    lines = [""] * (text.count("\n") + 2)
    for start, piece in _python(text) if name.endswith(".py") else _comments(text):
        for number, part in enumerate(piece.splitlines(), start):
            # Without indentation, which Markdown takes for code.
            lines[number] += f" {part.strip()}"
    return "\n".join(line.strip() for line in lines[1:])


def _python(text: str) -> Iterator[tuple[int, str]]:
    """First line and text of every comment, and of every string with several words."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "COMMENT":
            yield token.start[0], token.string.lstrip("# ")
        elif kind in ("STRING", "FSTRING_MIDDLE") and " " in token.string:
            yield token.start[0], PLACEHOLDER.sub("…", token.string.strip("\"'fr"))


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.search(r"(?:^|\s)#+ (.*)", line):
            yield number, found[1]


def problems() -> list[str]:
    """`file:line:column:rule:message` for every problem."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *FILES]
    done = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True)
    names = [
        name for name in done.stdout.splitlines() if name != EXAMPLES and (ROOT / name).exists()
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            copy = Path(folder, name if name.endswith(".md") else f"{name}.md")
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = prose(name, (ROOT / name).read_text(encoding="utf-8"))
            copy.write_text(text, encoding="utf-8")
        vale = ["vale", f"--config={CONFIGURATION}", "--output=line", "--no-exit", "."]
        done = subprocess.run(vale, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    found = (line.partition(":") for line in done.stdout.splitlines())
    return sorted(
        f"{name if name in names else name.removesuffix('.md')}:{rest}" for name, _, rest in found
    )


def main() -> int:
    """Print the problems; 1 if there are any, else 0."""
    found = problems()
    print("\n".join([*found, f"prose: {len(found)} problems"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
