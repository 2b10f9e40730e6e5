"""The documentation's pages, and what in them is a block of code, a command, a link or a path."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELL = ("sh", "shell", "bash", "console")

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\s*$")
INDENTED = re.compile(r"^ {4}\S")
SUBSTITUTION = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)")
COMMENT = re.compile(r"(?m)(^|\s)#.*$")
PLACEHOLDER = re.compile(r"<[^<>]*>")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
KEYWORDS = {"do", "done", "then", "else", "fi", "until", "while", "if", "{", "}", "!", "sudo"}
REDIRECTED = "<>"
TOOLS = {"make", "pulumi", "kubectl", "git", "gh", "docker", "airflow"}
"""What an indented block begins with if it is for a shell; a fenced one says so itself."""


@dataclass(frozen=True)
class Page:
    """One file, by its path in the repository."""

    path: str
    text: str


@dataclass(frozen=True)
class Block:
    """A block of code; `where` is file:line, `language` is empty where nothing tells it."""

    where: str
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """A simple command: its words, without assignments and redirections."""

    where: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.where}: {' '.join(self.words)}"


def pages(root: Path = ROOT) -> list[Page]:
    """Every page, the README first."""
    files = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    files += [root / "images/tasks/README.md", root / "sandbox/README.md"]
    return [Page(str(file.relative_to(root)), file.read_text(encoding="utf-8")) for file in files]


def blocks(page: Page) -> Iterator[Block]:
    """Fenced blocks, also in lists, and indented ones."""
    for start, _, language, inner in _spans(page):
        width = min((len(one) - len(one.lstrip()) for one in inner if one.strip()), default=0)
        yield Block(f"{page.path}:{start + 1}", language, "\n".join(one[width:] for one in inner))


def prose(page: Page) -> str:
    """The text with its blocks blanked out, line for line."""
    lines = page.text.splitlines()
    for start, end, _, _ in _spans(page):
        lines[start:end] = [""] * (end - start)
    return "\n".join(lines)


def _spans(page: Page) -> Iterator[tuple[int, int, str, list[str]]]:
    """First line and the one after the last, counted from 0; language; content, indented."""
    lines = page.text.splitlines()
    number = 0
    while number < len(lines):
        start = number
        fence = FENCE.match(lines[number])
        if fence:
            number += 1
            while lines[number].strip() != "```":
                number += 1
            language = "sh" if fence["language"] in SHELL else fence["language"]
            yield start, number + 1, language, lines[start + 1 : number]
        elif INDENTED.match(lines[number]) and (start == 0 or not lines[start - 1].strip()):
            while number + 1 < len(lines) and re.match(r"^ {4}|^$", lines[number + 1]):
                number += 1
            language = "sh" if lines[start].split()[0] in TOOLS else ""
            yield start, number + 1, language, lines[start : number + 1]
        number += 1


def inline(page: Page) -> Iterator[tuple[str, str]]:
    """Place and text of every `code` in the prose; one may go over the end of a line."""
    text = prose(page)
    for match in re.finditer(r"`([^`]+)`", text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{page.path}:{line}", " ".join(match[1].split())


def commands(page: Page) -> Iterator[Command]:
    """Every simple command of the page's shell blocks, and of `code` that begins with a tool."""
    for block in blocks(page):
        if block.language == "sh":
            yield from parse(block.where, block.text)
    for where, code in inline(page):
        tool, _, rest = code.partition(" ")
        if tool in TOOLS | {"aws", "az", "gcloud", "eksctl"} and rest[:1] not in ("", "…"):
            yield from parse(where, PLACEHOLDER.sub("PLACEHOLDER", code))


def parse(where: str, text: str, aliases: dict[str, list[str]] | None = None) -> list[Command]:
    """The simple commands of a shell text, those of substitutions too; aliases are put in."""
    aliases = {} if aliases is None else aliases
    text = COMMENT.sub(r"\1", text.replace("\\\n", " "))
    lexer = shlex.shlex(
        SUBSTITUTION.sub("SUBSTITUTED", text), posix=True, punctuation_chars="();<>|&\n"
    )
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    found: list[Command] = []
    words: list[str] = []
    for token in [*lexer, "\n"]:
        if token.strip("();<>|&\n"):
            words.append(token)
        elif token[:1] in "<>":
            words.append(REDIRECTED)
        elif token == "()":
            aliases[words.pop()] = []  # a function: what it does is a command of its own
        else:
            if simple := _simple(words, aliases):
                found.append(Command(where, tuple(simple)))
            words = []
    for match in SUBSTITUTION.finditer(text):
        found += parse(where, match[1], aliases)
    return found


def _simple(words: list[str], aliases: dict[str, list[str]]) -> list[str]:
    """What is left of the words up to a separator, once the shell's own are gone."""
    while REDIRECTED in words:
        place = words.index(REDIRECTED)
        words = words[:place] + words[place + 2 :]
    while words and (words[0] in KEYWORDS or ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    if not words or words[0] in ("for", "export"):
        return []
    if words[0] == "alias":
        name, _, meaning = words[1].partition("=")
        aliases[name] = shlex.split(meaning)
        return []
    if words[0] in aliases:
        meant = aliases[words[0]]
        return [*meant, *words[1:]] if meant else []
    return words
