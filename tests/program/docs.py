"""The documentation's pages, their code and links, and what can be wrong with them.

Each check yields problems as `file:line: text`. A YAML block says in its first line which file it
is, such as `# values/dev.yaml`; without that line it holds Kubernetes objects.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import kubernetes_validate
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.policies import waivers
from airflow_kubernetes.policies.rules import RULES
from airflow_kubernetes.settings.load import environments
from airflow_kubernetes.settings.problems import SettingsError
from airflow_kubernetes.settings.schema import TaskImage
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
MINORS = ("1.33", "1.34", "1.35", "1.36")
VALUES = re.compile(r"# values/([a-z]+)\.yaml\n")
TARGET = re.compile(r"^([a-z-]+):[^#=\n]*## ", re.MULTILINE)
MAKE = re.compile(r"""\bmake((?: +(?:[A-Z]+=(?:'[^']*'|"[^"]*"|\S*)|-{0,2}[a-z][\w-]*))+)""")
KUBECTL = re.compile(r"(?:^|[;&|(]) *kubectl ([^;&|)\n]*)", re.MULTILINE)
REPOSITORY_FILE = re.compile(
    r"(\.github|dags|docs|images|infra|sandbox|tests|values)/[\w./-]+|[\w.]+\.(ya?ml|in|md|svg)"
)
USER_FILE = re.compile(
    r"values/[a-z]+\.yaml|Pulumi\.[a-z]+\.yaml|\.env|buildkitd\.toml|images/tasks/\w+/.*|"
    r"(cluster|storage|image|config|report)\.(yaml|json|md)|requirements\.in|registries\.yaml"
)
Problems = Iterator[str]


@dataclass(frozen=True)
class Code:
    """A block of code, or code in a sentence (`info` is None); `where` is file:line."""

    where: str
    info: str | None
    text: str

    @property
    def language(self) -> str:
        """The first word after the fence."""
        return (self.info or "").partition(" ")[0]


@dataclass(frozen=True)
class Page:
    """A Markdown file by its path in the repository."""

    path: str
    text: str

    def tokens(self) -> Iterator[tuple[int, Token]]:
        """Line and token of everything on the page, in order."""
        for token in MarkdownIt("commonmark").enable("table").parse(self.text):
            line = (token.map or [0])[0] + 1
            yield line, token
            for child in token.children or []:
                yield line, child
                line += child.type in ("softbreak", "hardbreak")

    def code(self) -> Iterator[Code]:
        """Blocks of code and code in sentences."""
        for line, token in self.tokens():
            where = f"{self.path}:{line}"
            if token.type in ("fence", "code_block"):
                yield Code(where, token.info, token.content)
            elif token.type == "code_inline":
                yield Code(where, None, token.content)

    def blocks(self, language: str = "") -> Iterator[Code]:
        """Blocks of code, of one language if given."""
        yield from (
            code
            for code in self.code()
            if code.info is not None and language in ("", code.language)
        )

    def anchors(self) -> set[str]:
        """GitHub's anchors of the headings: lower case, no punctuation, hyphens for spaces."""
        tokens = [token for _, token in self.tokens()]
        titles = [
            "".join(child.content for child in tokens[number + 1].children or [])
            for number, token in enumerate(tokens)
            if token.type == "heading_open"
        ]
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def pages() -> list[Page]:
    """Every page, the README first."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    files += [ROOT / "images/tasks/README.md", ROOT / "sandbox/README.md"]
    return [Page(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")) for file in files]


def objects(text: str) -> list[dict[str, Any]]:
    """The Kubernetes objects of a YAML block; empty if it is another file."""
    documents = [] if text.startswith("# ") else list(yaml.safe_load_all(text))
    return [document for document in documents if "eksctl" not in document["apiVersion"]]


def links(page: Page) -> Problems:
    """Links to files or headings that do not exist."""
    for line, token in page.tokens():
        target, _, anchor = unquote(str(token.attrs.get("href", ""))).partition("#")
        if token.type != "link_open" or re.match(r"[a-z]+:", target):
            continue
        file = (ROOT / page.path).parent / target if target else ROOT / page.path
        if not file.exists():
            yield f"{page.path}:{line}: {target} does not exist"
        elif anchor and anchor not in Page(target, file.read_text(encoding="utf-8")).anchors():
            yield f"{page.path}:{line}: {target} has no heading #{anchor}"


def paths(page: Page) -> Problems:
    """Files of the repository that are named and do not exist."""
    for code in page.code():
        name = code.text
        if (
            code.info is not None
            or not REPOSITORY_FILE.fullmatch(name)
            or USER_FILE.fullmatch(name)
        ):
            continue
        if not (ROOT / name).exists() and not ((ROOT / page.path).parent / name).exists():
            yield f"{code.where}: {name} does not exist"


def make(code: Iterable[Code], makefile: str) -> Problems:
    """Targets that the Makefile does not have, and variables that it does not use."""
    targets = set(TARGET.findall(makefile))
    variables = set(re.findall(r"\b[A-Z]+\b", re.sub(r"#.*", "", makefile)))
    for one in code:
        for call in MAKE.findall(re.sub(r"#.*", "", one.text)):
            for word in re.sub(r"'[^']*'|\"[^\"]*\"", "", call).split():
                name, assigned, _ = word.partition("=")
                if assigned and name not in variables:
                    yield f"{one.where}: the Makefile has no variable {name}"
                elif not assigned and not word.startswith("-") and word not in targets:
                    yield f"{one.where}: the Makefile has no target {word}"


def undocumented(code: Iterable[Code], makefile: str) -> Problems:
    """Targets of `make help` that no page names."""
    calls = " ".join(call for one in code for call in MAKE.findall(one.text)).split()
    for target in sorted(set(TARGET.findall(makefile)) - set(calls)):
        yield f"Makefile: no page says what make {target} is for"


def namespaces(code: Iterable[Code]) -> Problems:
    """Calls of kubectl that would look for Airflow in the namespace `default`."""
    without = {"apply", "config", "namespace", "persistentvolumes", "storageclass", "--local"}
    for one in code:
        for call in KUBECTL.findall(one.text.replace("\\\n", " ")):
            words = call.split()
            if len(words) > 2 and not {"-n", "--namespace", *without} & set(words):
                yield f"{one.where}: kubectl {call}: without --namespace"


def yaml_block(block: Code, folder: Path) -> Problems:
    """Whether a YAML block is what it claims to be; values are loaded from `folder`."""
    label, text = block.text.partition("\n")[0], block.text
    try:
        data = list(yaml.safe_load_all(text))
        if VALUES.match(text):
            _load(VALUES.match(text)[1], data[0], folder)  # type: ignore[index]
        elif label == "# policies.yaml":
            (folder / "policies.yaml").write_text(text, encoding="utf-8")
            waivers.load(RULES, environments(), folder / "policies.yaml")
        elif label.endswith("/image.yaml"):
            TaskImage.model_validate(data[0])
        for one in objects(text):
            for minor in MINORS:
                kubernetes_validate.validate(one, minor, strict=True)
    except (
        yaml.YAMLError, SettingsError, waivers.WaiversError, ValueError, KeyError,
        kubernetes_validate.ValidationError,
    ) as error:  # fmt: skip
        yield f"{block.where}: {error}"


def _load(environment: str, values: dict[str, Any], folder: Path) -> None:
    """Load an environment with the values; those of common.yaml are merged into the real ones."""
    common = yaml.safe_load((ROOT / "values/common.yaml").read_text(encoding="utf-8"))
    if environment == "common":
        common, environment, values = _merged(common, values), "dev", {}
    elif repeated := sorted(_repeated(values, common)):
        raise ValueError(f"same value as in common.yaml: {', '.join(repeated)}")
    for name, content in (("common", common), (environment, values)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    load(environment, directory=folder)


def _merged(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _repeated(own: Any, common: Any, path: str = "") -> Iterator[str]:
    if isinstance(own, dict) and isinstance(common, dict):
        for key in own.keys() & common.keys():
            yield from _repeated(own[key], common[key], f"{path}.{key}".lstrip("."))
    elif own == common:
        yield path


def trust(code: Code) -> Problems:
    """JSON that does not parse, and trust in more than one GitHub environment."""
    texts = [code.text] if code.language == "json" else re.findall(r"--body '(\{.*\})'", code.text)
    for text in texts:
        try:
            json.loads(text)
        except ValueError as error:
            yield f"{code.where}: {error}"
    if code.info is not None and re.search("githubusercontent|StringLike|subject", code.text):
        if "StringLike" in code.text:
            yield f"{code.where}: a wildcard trusts more than one environment"
        for subject in re.findall(r"repo:[^\"\s]*", code.text):
            if not re.fullmatch(r"repo:[\w.@-]+/[\w.@-]+:environment:[\w-]+", subject):
                yield f"{code.where}: {subject} is not one environment of one repository"
