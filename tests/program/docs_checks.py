"""What can be wrong with the documentation's code: each check gives problems as file:line and text.

A program's own `--help` says which options it takes, so nothing here lists them.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import kubernetes_validate
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.policies import waivers
from airflow_kubernetes.policies.rules import RULES
from airflow_kubernetes.settings.fields import Section
from airflow_kubernetes.settings.load import environments
from airflow_kubernetes.settings.problems import SettingsError
from airflow_kubernetes.settings.schema import Settings, TaskImage
from airflow_kubernetes.settings.validation import fields, section_of, sections_of
from pydantic import ValidationError

from .docs_pages import ROOT, Block, Command, Page, inline, prose

MINORS = ("1.33", "1.34", "1.35", "1.36")
VALUES = re.compile(r"# values/([a-z-]+)\.yaml")
ELSEWHERE = re.compile(r"# /|# \.github/|# compose")
"""The first line of a file that this project does not read."""

TARGET = re.compile(r"^([a-z-]+):[^#=\n]*## ", re.MULTILINE)
REPOSITORY = re.compile(
    r"(\.github|dags|docs|images|infra|sandbox|tests|values)/[\w./-]+|[\w.]+\.(ya?ml|in|md|svg)"
)
MADE_BY_USERS = re.compile(
    r"values/[a-z]+\.yaml|Pulumi\.[a-z]+\.yaml|\.env|buildkitd\.toml|"
    r"(cluster|storage|image|config|report)\.(yaml|json|md)|requirements\.in|registries\.yaml|"
    r"images/tasks/\w+/.*"
)
NO_NAMESPACE = ("apply", "config", "namespace", "persistentvolumes", "storageclass", "--local")
"""Words of commands for kubectl that concern no namespace, or have it in a file."""
Problems = Iterator[str]


def shell(blocks: Iterable[Block]) -> Problems:
    """Blocks that bash cannot parse."""
    for block in blocks:
        done = _run("bash", "-n", text=block.text)
        if done.returncode:
            yield f"{block.where}: {done.stderr.strip()}"


def make(commands: Iterable[Command], makefile: str) -> Problems:
    """Targets that the Makefile has not, and variables that it does not use."""
    targets = set(TARGET.findall(makefile))
    known = set(re.findall(r"\$\(([A-Z]+)\)", makefile)) | set(
        " ".join(re.findall(r"^ARGUMENTS := (.*)$", makefile, re.MULTILINE)).split()
    )
    for command in commands:
        for word in command.words[1:]:
            name, assigned, _ = word.partition("=")
            if assigned:
                if name not in known:
                    yield f"{command}: the Makefile has no variable {name}"
            elif not word.startswith("-") and word not in targets:
                yield f"{command}: the Makefile has no target {word}"


def undocumented(pages: Iterable[Page], makefile: str) -> Problems:
    """Targets of `make help` that no page names; in a table, `-down` after `make sandbox-up`."""
    named: set[str] = set()
    for page in pages:
        named |= set(re.findall(r"make (?:-s )?([a-z-]+)", page.text))
        for row in re.findall(r"^\| `make ([a-z-]+).*?\|", page.text, re.MULTILINE):
            stem = row.rpartition("-")[0]
            line = next(one for one in page.text.splitlines() if one.startswith(f"| `make {row}"))
            for code in re.findall(r"`(-?[a-z-]+)[ `]", line.split("|")[1]):
                named.add(f"{stem}{code}" if code.startswith("-") else code)
    for target in sorted(set(TARGET.findall(makefile)) - named):
        yield f"Makefile: no page says what make {target} is for"


def options(commands: Iterable[Command], program: str, general: tuple[str, ...]) -> Problems:
    """Sub-commands and options that the program's own help does not know.

    `general` is the call that lists the options of every sub-command.
    """
    for command in commands:
        words = list(command.words[1:])
        if "--" in words:
            words = words[: words.index("--")]
        flags, names = _split(words)
        found = _help(program, tuple(names))
        if found is None:
            yield f"{command}: no such sub-command"
            continue
        text = found + (_output(program, *general) or "")
        for flag in flags:
            pattern = rf"(^|\s){re.escape(flag)}(?![\w-])"
            if not re.search(pattern, text, re.MULTILINE):
                yield f"{command}: unknown option {flag}"


def namespaces(commands: Iterable[Command]) -> Problems:
    """Calls of kubectl that would look for Airflow in the namespace `default`."""
    for command in commands:
        words = set(command.words)
        if len(command.words) > 3 and not words & {"-n", "--namespace", *NO_NAMESPACE}:
            yield f"{command}: without --namespace"


def yaml_blocks(blocks: Iterable[Block], folder: Path) -> Problems:
    """YAML that is not what it claims to be; `folder` is for values files to be loaded from."""
    for block in blocks:
        if block.language != "yaml":
            continue
        try:
            yield from (f"{block.where}: {problem}" for problem in _yaml(block.text, folder))
        except yaml.YAMLError as error:
            yield f"{block.where}: {error}"


def objects(text: str) -> list[dict[str, Any]]:
    """The Kubernetes objects of a YAML text; none if it is something else."""
    found = [one for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    return [
        one
        for one in found
        if {"apiVersion", "kind"} <= one.keys() and "eksctl" not in one["apiVersion"]
    ]


def json_blocks(blocks: Iterable[Block]) -> Problems:
    """JSON that does not parse, and trust that is given to more than one GitHub environment."""
    for block in blocks:
        if block.language != "json":
            continue
        try:
            json.loads(block.text)
        except ValueError as error:
            yield f"{block.where}: {error}"
            continue
        yield from (f"{block.where}: {problem}" for problem in _trust(block.text))


def trust(commands: Iterable[Command]) -> Problems:
    """The same of commands that give trust, and variables for CI that are not JSON."""
    for command in commands:
        text = " ".join(command.words)
        if "githubusercontent" in text or "/subject/" in text:
            yield from (f"{command.where}: {problem}" for problem in _trust(text))
        if command.words[:4] == ("gh", "variable", "set", "CLUSTER"):
            try:
                json.loads(command.words[command.words.index("--body") + 1])
            except ValueError as error:
                yield f"{command}: {error}"


def links(page: Page, root: Path = ROOT) -> Problems:
    """Links to files or headings that are not there."""
    for match in re.finditer(r"\]\(([^)\s]+)\)", prose(page)):
        target, _, heading = unquote(match[1]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (root / page.path).parent / target if target else root / page.path
        if not file.exists():
            yield f"{page.path}: link to {target}, which is not there"
        elif heading and heading not in _headings(file.read_text(encoding="utf-8")):
            yield f"{page.path}: {target} has no heading #{heading}"


def paths(page: Page, root: Path = ROOT) -> Problems:
    """Files of the repository that are named and do not exist."""
    for where, code in inline(page):
        if REPOSITORY.fullmatch(code) and not MADE_BY_USERS.fullmatch(code):
            near = (root / page.path).parent / code
            if not (root / code).exists() and not near.exists():
                yield f"{where}: {code} is not there"


def _yaml(text: str, folder: Path) -> Problems:
    """What is wrong with one YAML block, by the kind that it is of."""
    if ELSEWHERE.match(text):
        list(yaml.safe_load_all(text))
        return
    found = objects(text)
    if found:
        for one in found:
            for minor in MINORS:
                try:
                    kubernetes_validate.validate(one, minor, strict=True)
                except kubernetes_validate.ValidationError as error:
                    yield f"{one['kind']} under {minor}: {error.message}"
        return
    data = yaml.safe_load(text.replace(", …", "").replace("…", "x"))
    if "apiVersion" in data:
        return  # of another program: parsed, and no more
    if "waivers" in data:
        file = folder / "policies.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            waivers.load(RULES, environments(), file)
        except waivers.WaiversError as error:
            yield str(error)
        return
    if data.keys() <= fields(TaskImage).keys():
        try:
            TaskImage.model_validate(data)
        except ValidationError as error:
            yield str(error)
    elif "…" in text:
        yield from _unknown_keys(data, Settings, "")
    else:
        yield from _values(text, folder)


def _values(text: str, folder: Path) -> Problems:
    """Values that do not load. Without a file's name they are a part of common.yaml."""
    label = VALUES.match(text)
    environment = label[1] if label else "prod" if "until:" in text else "common"
    common = yaml.safe_load((ROOT / "values/common.yaml").read_text(encoding="utf-8"))
    if environment == "common":
        common = _merged(common, yaml.safe_load(text))
        environment, text = "dev", "{}"
    else:
        yield from _repeated(yaml.safe_load(text), common, "")
    (folder / "common.yaml").write_text(yaml.safe_dump(common), encoding="utf-8")
    (folder / f"{environment}.yaml").write_text(text, encoding="utf-8")
    try:
        load(environment, directory=folder)
    except SettingsError as error:
        yield str(error)


def _repeated(own: Any, common: Any, path: str) -> Problems:
    """Lines that say what common.yaml says, which parity takes for stale."""
    if isinstance(own, dict) and isinstance(common, dict):
        for key, value in own.items():
            if key in common:
                yield from _repeated(value, common[key], f"{path}.{key}")
    elif own == common:
        yield f"{path.lstrip('.')} is so in common.yaml already"


def _merged(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _unknown_keys(data: dict[str, Any], section: type[Section], path: str) -> Problems:
    for key, value in data.items():
        field = fields(section).get(key)
        if field is None:
            yield f"{path}{key}: unknown key"
        elif (inner := section_of(field)) is not None:
            yield from _unknown_keys(value, inner, f"{path}{key}.")
        elif (inner := sections_of(field)) is not None:
            for name, one in value.items():
                yield from _unknown_keys(one, inner, f"{path}{key}.{name}.")


def _trust(text: str) -> Problems:
    subjects = re.findall(r"repo:[^\"\s]*", text)
    if "githubusercontent" in text and ":sub" in text and not subjects:
        yield "trusts GitHub without a subject"
    if "StringLike" in text:
        yield "a wildcard trusts more than one environment"
    for subject in subjects:
        if not re.fullmatch(r"repo:[\w.@-]+/[\w.@-]+:environment:[\w-]+", subject):
            yield f"{subject} is not one environment of one repository"


def _headings(text: str) -> set[str]:
    """GitHub's anchors of a page: small letters, no punctuation, hyphens for spaces."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Options, without values; and words before, between and after them."""
    flags = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    names: list[str] = []
    for number, word in enumerate(words):
        valued = number > 0 and words[number - 1].startswith("-") and "=" not in words[number - 1]
        if not word.startswith("-") and not (valued and not names):
            names.append(word)
    return flags, names


def _help(program: str, names: tuple[str, ...]) -> str | None:
    """The help of the longest sub-command that `names` begins with; None if there is none.

    An argument that is no sub-command gets the same help again. Lists leave out other names for
    the same (`stack init`), so they are not asked.
    """
    text = _output(program, *names[:1], "--help")
    for length in range(2, len(names) + 1):
        if text is None or "Commands:" not in text:
            break
        more = _output(program, *names[:length], "--help")
        if more is None or _usage(more) == _usage(text):
            break
        text = more
    return text


def _usage(text: str) -> str:
    return text.partition("Usage:")[2]


@cache
def _output(program: str, *args: str) -> str | None:
    """What a call prints; None if it fails."""
    done = _run(program, *args)
    return done.stdout if done.returncode == 0 else None


def _run(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)
