"""Thousands of spoiled files at the real loaders: each is read, or refused well and at once."""

import random
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import UserError
from airflow_kubernetes.images import lock, tasks
from airflow_kubernetes.policies import waivers
from airflow_kubernetes.settings import stack_file
from airflow_kubernetes.settings.load import VALUES

from .bad_yaml import DIGEST, PYTHON, WAIVER

MOMENT = 10.0
"""Seconds of CPU time. Each takes some milliseconds; what expands would take minutes."""

LONG = "9" * 400

WORDS = (
    "yes", "n", "~", "null", "true", "010", "08", "1:30", "1_000", "0x1F", "1e3", "1e999", "-1",
    "0", "3.10", ".inf", "2026-11-30", "2026-99-99", "2026-11-30 10:00:00", LONG, "9" * 5000, "é",
    "a" * 2000, "\U0001f600", '""', "''", "'yes'", '"0"', '"-1Gi"', '"1e400"', f'"{LONG}"', "[]",
    '"\\e[31m"', '"\\u202e"', '"a\\nb"', "{}", "[a]", "{a: b}", "[[]]", "<<", "=", "*a", "&a b",
    "!!str x", "!!binary eA==", "!x y", "!!python/object/apply:os.system [x]", "|\n    a",
    ">-\n    a", "{a: " * 30, "[" * 3000, "",
)  # fmt: skip
"""Values, and perhaps keys."""

SIGNS = (
    "'", '"', "[", "]", "{", "}", ": ", ":", "- ", "? ", ", ", "#", "&", "*", "!", "|", ">", "%",
    "@", "`", "\\", "\t", "\n", "\r", " ", "---\n", "...\n", "<<: ", "\0", "\x07", "\x1b", "\x7f",
    "\x85", "\u00a0", "\u200b", "\u2028", "\u202e", "\ufeff", "\ufffe", "\U0010ffff",
)  # fmt: skip

KEY = re.compile(r"(?m)^( *(?:- )?)([^\s#:-][^#\n]*?)(:(?: |$))")
VALUE = re.compile(r"(?m)(?<=: )[^\n#]+|(?<=- )[^\n#:]+$")


def seeded(name: str) -> random.Random:
    """The same choices in every run."""
    return random.Random(name)  # noqa: S311


def replaced(pattern: re.Pattern[str], group: int, text: str, chance: random.Random) -> str:
    """The text with a word in place of a group of one of the matches."""
    matches = [*pattern.finditer(text)]
    if not matches:
        return text
    start, end = chance.choice(matches).span(group)
    return f"{text[:start]}{chance.choice(WORDS)}{text[end:]}"


def with_sign(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return f"{text[:place]}{chance.choice(SIGNS)}{text[place + chance.randrange(2) :]}"


def with_lines_moved(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    line = lines[chance.randrange(len(lines))]
    place = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            lines.insert(place, line)
        case 1:
            del lines[place]
        case 2:
            lines[place] = " " * chance.randrange(1, 4) + lines[place]
        case _:
            lines[place] = lines[place].lstrip()
    return "".join(lines)


def spoiled(text: str, chance: random.Random) -> str:
    """The text after one to three changes."""
    for _ in range(chance.randrange(1, 4)):
        match chance.randrange(5):
            case 0:
                text = replaced(VALUE, 0, text, chance)
            case 1:
                text = replaced(KEY, 2, text, chance)
            case 2:
                text = with_sign(text, chance)
            case 3:
                text = with_lines_moved(text, chance)
            case _:
                text = text[: chance.randrange(len(text) + 1)]
    return text


def refused(read: Callable[[], object], source: str, location: re.Pattern[str]) -> bool:
    """Whether the text `source` is refused rather than read; fails where neither is done well."""
    started = time.process_time()
    try:
        read()
        return False
    except UserError as error:
        problems = str(error).splitlines()[1:]
    finally:
        assert time.process_time() - started < MOMENT, source
    assert problems, source
    for problem in problems:
        assert location.match(problem), (problem, source)
        assert problem.isprintable(), (problem, source)
        assert len(problem) < 1000, (problem, source)
        python = [word for word in PYTHON if word in problem and word.strip("'") not in source]
        assert not python, (problem, source)
    return True


SHORT = """\
namespace: team
airflow:
  parallelism: 8
  url: https://airflow.example.com
  apiServer: {service: {type: NodePort, nodePort: 30080}}
  tasks:
    nodeSelector: {kubernetes.io/arch: amd64}
    tolerations:
    - key: dedicated
      operator: Exists
database: {backup: {claim: {storageClass: fast}}}
images: {build: true, builder: {name: other}}
until:
  namespace: 2026-11-30
"""

LOCK = f"""\
bases:
  python:3.11-slim-buster: {DIGEST}
images:
  airflow:
    digest: {DIGEST}
    tag: 0f1e2d3c4b5a6978
"""

STACK = """\
config:
  kubernetes:context: dev
  airflow-kubernetes:registryPassword:
    secure: v1:4mQDak3EAhQ=
encryptionsalt: v1:4mQDak3EAhQ=:v1:oI9b0EArhHN8BUun
"""

IMAGE = 'base: trixie\npython: "3.13"\nsystemPackages: [libcairo2, libpango-1.0-0]\n'


@pytest.fixture
def values(tmp_path: Path) -> Path:
    return Path(shutil.copytree(VALUES, tmp_path / "values"))


@pytest.mark.parametrize(("name", "count"), [("dev", 700), ("common", 300)])
def test_values(values: Path, name: str, count: int) -> None:
    chance, file = seeded(name), values / f"{name}.yaml"
    good = SHORT if name == "dev" else file.read_text()
    location = re.compile(r"  values/(dev|common)\.yaml:[1-9][0-9]*: ")
    found = 0
    for _ in range(count):
        text = spoiled(good, chance)
        file.write_text(text, newline="")
        found += refused(lambda: load("dev", "", values), text, location)
    assert count / 2 < found < count


def test_overrides(values: Path) -> None:
    chance, found = seeded("SET"), 0
    paths = [
        "namespace", "airflow", "airflow.parallelism", "airflow.stopped", "airflow.url", "until",
        "airflow.tasks.env.B", "airflow.tasks.tolerations", "images.platforms", "a..b", "", "no",
        "airflow.configuration.core.x", "logs.claim", "logs.claim.storageClass", "a\x1bb", "{a}.b",
    ]  # fmt: skip
    location = re.compile("  SET: ")
    for _ in range(400):
        count = chance.randrange(1, 3)
        text = " ".join(f"{chance.choice(paths)}={chance.choice(WORDS)}" for _ in range(count))
        text = with_sign(text, chance) if chance.randrange(2) else text
        found += refused(lambda: load("dev", text, values), text, location)  # noqa: B023
    assert 200 < found < 400


def test_other_files(tmp_path: Path) -> None:
    image = tmp_path / "images" / "tasks" / "a" / "image.yaml"
    image.parent.mkdir(parents=True)
    (image.parent / "Dockerfile").touch()
    (tmp_path / "images" / "shared").mkdir()
    settings = load("dev")
    files: dict[str, tuple[Path, str, Callable[[Path], object]]] = {
        "lock": (tmp_path / "images.lock.yaml", LOCK, lock.read),
        "stack": (tmp_path / "Pulumi.dev.yaml", STACK, lambda _: stack_file.read("dev", tmp_path)),
        "waivers": (
            tmp_path / "policies.yaml",
            WAIVER,
            lambda file: waivers.load(["image-digest"], ["dev"], file),
        ),
        "image": (image, IMAGE, lambda _: tasks.specs(settings, tmp_path)),
    }
    for name, (file, good, read) in files.items():
        chance, found = seeded(name), 0
        location = re.compile(rf"  (.*/)?{re.escape(file.name)}(:[1-9][0-9]*)?: ")
        for _ in range(500):
            text = spoiled(good, chance)
            file.write_text(text, newline="")
            found += refused(lambda: read(file), text, location)  # noqa: B023
        assert 200 < found < 500, name
