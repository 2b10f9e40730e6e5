"""What the prose linter reads of each file, and what its glossary finds."""

import os
import subprocess
from pathlib import Path

import pytest

from sandbox import toolchain
from tools.prose.__main__ import CONFIGURATION, prose

PYTHON = '''"""Read the values.

Two paragraphs.
"""

LIMIT = 3  # as upstream
NAME = "word"


def fail(name):
    raise ValueError(
        f"no file {name + NAME}: "
        "create it"
    )
'''


def test_comments_and_strings_stay_on_their_lines() -> None:
    lines = prose("x.py", PYTHON).split("\n")
    assert {number: line for number, line in enumerate(lines, 1) if line} == {
        1: "Read the values.",
        3: "Two paragraphs.",
        6: "as upstream",
        12: "no file …:",
        13: "create it",
    }


@pytest.mark.parametrize("name", ["x.yaml", "x.sh", "Makefile", "images/x/Dockerfile"])
def test_of_other_files_only_comments_stay(name: str) -> None:
    text = "# First.\nkey: a#b  # second\ntarget:  ## third\n"
    assert prose(name, text).split("\n")[:3] == ["First.", "second", "third"]


def test_markdown_stays_as_written() -> None:
    assert prose("x.md", PYTHON) == PYTHON


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How to mend it.", "write 'fix' instead of 'mend'"),
        ("Whoever reads.", "write 'anyone who' instead of 'Whoever'"),
        ("Run it\nby hand.", "write 'manually' instead of 'by hand'"),
        ("Amend `mend` and recommended standards; outstands.", ""),
    ],
)
def test_the_glossary(text: str, found: str, tmp_path: Path) -> None:
    vale = toolchain.bin_directory("vale") / "vale"
    if not vale.exists():
        pytest.skip("vale is not built: make check builds it")
    (tmp_path / "x.md").write_text(text)
    done = subprocess.run(
        [vale, f"--config={CONFIGURATION}", "--output=line", "--no-exit", "x.md"],
        cwd=tmp_path, env={"HOME": os.environ["HOME"]}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert found in done.stdout
    assert bool(found) == bool(done.stdout)
